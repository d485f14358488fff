//! Compiling, within bounds: a component is counted before it is compiled, and compiled by a child process with limits of memory and
//! time, which puts the code into the cache. The process that serves takes it from there.
//!
//! Where no program is named for the child (tests, other programs that use this crate), the code is compiled in this
//! process, and counted all the same.
//!
//! Reading order: `count`, `child` (of the process that serves), `worker` (of the one that compiles), `kept` (between them).

mod child;
mod count;
mod kept;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::load_error::LoadError;

pub use child::ChildCompiler;
pub use worker::{COMPILE_WORKER, compile_worker};

/// How much a component may be, and what compiling it may cost. Each has its key under `[plugins]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// Functions of all its modules together.
    pub functions_max: u64,
    /// Bytes of one function's body. What the compiler needs grows faster than this.
    pub function_bytes_max: u64,
    /// Everything else that is listed in it: types, imports, exports, globals, segments and their elements, instances.
    pub items_max: u64,
    /// Memory of the process that compiles it, in bytes of address space.
    pub memory_bytes_max: u64,
    /// Processor time for compiling it, all threads together; by the clock four times as long.
    pub time_max: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            functions_max: 100_000,
            function_bytes_max: 1 << 20,
            items_max: 500_000,
            memory_bytes_max: 2 << 30,
            time_max: Duration::from_secs(60),
        }
    }
}

/// How the host compiles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compiler {
    pub(crate) limits: CompileLimits,
    /// Where compiled code is kept, and who compiles; none compiles here.
    pub(crate) child: Option<(PathBuf, ChildCompiler)>,
}

impl Compiler {
    /// The component, compiled. Blocking.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        plugin: &str,
        digest: &str,
        bytes: &[u8],
    ) -> Result<Component, LoadError> {
        count::check(bytes, &self.limits)
            .map_err(|why| LoadError::TooComplex { plugin: plugin.to_owned(), reason: why })?;
        if let Some((cache_dir, child)) = &self.child {
            let key = kept::Key::of(engine, digest, &self.limits);
            if !key.is_kept(cache_dir) {
                child.announce(plugin);
                let entry = child.compile(cache_dir, bytes, &self.limits).map_err(|stopped| stopped.of(plugin))?;
                key.keep(cache_dir, &entry).map_err(|error| LoadError::CacheDir {
                    path: cache_dir.clone(),
                    reason: format!("{error}; make room, or check its permissions"),
                })?;
            }
        }
        let failed =
            |error: wasmtime::Error| LoadError::Compile { plugin: plugin.to_owned(), reason: format!("{error:#}") };
        // Found in the cache where a child put it; what vanished from there a moment ago has been compiled within the limits once.
        Component::from_binary(engine, bytes).map_err(failed)
    }
}
