//! The one engine of the process, its tick, and the store of a call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use renmen_turns::{Options, Places, Threads};
use wasmtime::component::Linker;
use wasmtime::{Cache, Config, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::compile::{ChildCompiler, CompileLimits, Compiler};
use crate::gate::Gate;
use crate::host;
use crate::limits::WASM_STACK_BYTES;
use crate::load_error::LoadError;
use crate::signature::Trust;
use crate::state::CallState;

mod cache;

/// How often a busy guest lets others have their turn.
const TICK: Duration = Duration::from_millis(10);
/// How much of a pooled memory stays resident between two calls, in bytes: a page of 1,000 records fits.
const KEEP_RESIDENT_BYTES: usize = 4 << 20;
/// The most that a pooled memory can hold, in bytes: all that a 32-bit guest can address.
const POOLED_MEMORY_BYTES_MAX: usize = 4 << 30;
/// The most elements of a pooled table: 128 MiB of them.
const POOLED_TABLE_ELEMENTS_MAX: usize = 16 << 20;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Compiled code, mode 0700; `None` compiles at each start.
    pub cache_dir: Option<PathBuf>,
    /// A missing digest is an error unless true.
    pub dev: bool,
}

/// What an operator rarely decides.
#[derive(Debug, Clone)]
pub struct HostTuning {
    /// The biggest `.wasm` that is loaded, in bytes. A Rust connector has 0.1 to 1 MiB, one with an interpreter inside 20.
    pub plugin_bytes_max: u64,
    /// Calls at the same time in this process; further ones wait for a place.
    pub calls_max: u32,
    /// Calls that are on a core at the same time; 0 stands for one less than the machine has, at least one. Others wait for
    /// their turn, which no connection holds for longer than a tick.
    pub threads: usize,
    /// Where the memory of a call comes from.
    pub allocation: Allocation,
    /// How long a plugin may take for its trial start.
    pub trial_wall_clock: Duration,
    /// Units of work for its trial start, where a connector has little to do.
    pub trial_fuel_max: u64,
}

impl Default for HostTuning {
    fn default() -> Self {
        Self {
            plugin_bytes_max: 64 << 20,
            calls_max: 64,
            threads: 0,
            allocation: Allocation::Pooled,
            trial_wall_clock: Duration::from_secs(5),
            trial_fuel_max: 200_000_000,
        }
    }
}

/// Where the memory of a call comes from. The store is fresh in both cases, and no call sees what another left.
///
/// Measured on two busy cores, two runs: an empty call 83 and 139 µs on demand, 54 and 79 µs pooled; a page of 1,000 records
/// of 460 bytes 2.0 ms on demand, 1.1 and 1.4 ms pooled. The difference is the system's work for new pages of memory. The
/// price is address space, and up to 4 MiB of memory for each place that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// Fresh from the system for each call.
    OnDemand,
    /// From a pool in which the first 4 MiB of each memory stay resident and are wiped between two calls. Where the system
    /// does not give the address space, on demand.
    Pooled,
}

/// The engine and its tick.
pub struct PluginHost {
    pub(crate) gate: Arc<Gate>,
    pub(crate) tuning: HostTuning,
    pub(crate) trust: Trust,
    pub(crate) compiler: Arc<Compiler>,
    /// Where compiled code is kept.
    cache_dir: Option<PathBuf>,
}

impl PluginHost {
    /// Starts the engine.
    ///
    /// # Errors
    /// When the cache directory is not safe, or the engine does not start on this machine.
    #[allow(clippy::needless_pass_by_value, reason = "options are given away")]
    pub fn new(options: HostOptions) -> Result<Self, LoadError> {
        Self::with_tuning(options, HostTuning::default())
    }

    /// Starts the engine with other than the usual tuning.
    ///
    /// # Errors
    /// As [`PluginHost::new`].
    #[allow(clippy::needless_pass_by_value, reason = "options are given away")]
    pub fn with_tuning(options: HostOptions, tuning: HostTuning) -> Result<Self, LoadError> {
        let cache = options.cache_dir.as_deref().map(cache::open).transpose()?;
        let failed = |error: wasmtime::Error| LoadError::Engine { reason: format!("{error:#}") };
        let engine = start(&tuning, cache).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        host::link(&mut linker).map_err(failed)?;
        tick(engine.weak())
            .map_err(|error| LoadError::Engine { reason: format!("no thread for its tick: {error}") })?;
        let threads = threads(&engine, tuning.threads)
            .map_err(|error| LoadError::Engine { reason: format!("no threads for connectors: {error}") })?;
        let gate = Arc::new(Gate {
            engine,
            linker,
            places: Places::new("calls", tuning.calls_max as usize),
            threads: Arc::new(threads),
            dev: options.dev,
        });
        let compiler = Arc::new(Compiler::default());
        Ok(Self { gate, tuning, trust: Trust::default(), compiler, cache_dir: options.cache_dir })
    }

    /// With other than the usual bounds on what is compiled.
    #[must_use]
    pub fn compiling_within(self, limits: CompileLimits) -> Self {
        let compiler = Arc::new(Compiler { limits, child: self.compiler.child.clone() });
        Self { compiler, ..self }
    }

    /// With a child process that compiles; it hands the code over in the directory of compiled code.
    ///
    /// # Errors
    /// Without such a directory.
    pub fn compiling_in(self, child: ChildCompiler) -> Result<Self, LoadError> {
        let Some(cache_dir) = self.cache_dir.clone() else {
            let reason = "a child process that compiles needs a directory for the code".to_owned();
            return Err(LoadError::Engine { reason });
        };
        let compiler = Arc::new(Compiler { limits: self.compiler.limits.clone(), child: Some((cache_dir, child)) });
        Ok(Self { compiler, ..self })
    }

    /// With keys that are trusted. Without this no key is, and no signature is asked for.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }
}

fn start(tuning: &HostTuning, cache: Option<Cache>) -> wasmtime::Result<Engine> {
    let mut config = configuration();
    config.cache(cache);
    if tuning.allocation == Allocation::OnDemand {
        return Engine::new(&config);
    }
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(tuning.calls_max)));
    Engine::new(&config).or_else(|error| {
        let reason = format!("{error:#}");
        tracing::warn!(reason, "Not enough address space for a memory pool; allocating memory for each call");
        Engine::new(config.allocation_strategy(InstanceAllocationStrategy::OnDemand))
    })
}

/// An engine that compiles and runs nothing: what it puts into a cache is found there by the engine that runs.
pub(crate) fn compiling(cache_dir: &Path) -> Result<Engine, LoadError> {
    let mut config = configuration();
    config.cache(Some(cache::open(cache_dir)?));
    Engine::new(&config).map_err(|error| LoadError::Engine { reason: format!("{error:#}") })
}

/// What guests may use, and how they are kept in bounds.
fn configuration() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true).max_wasm_stack(WASM_STACK_BYTES);
    // Calls are synchronous for the guest; what runs side by side are stores. Without this a call costs a third.
    config.concurrency_support(false);
    // Our compilers use none of these; each left out is code that cannot have a fault.
    config
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

fn pool(calls_max: u32) -> PoolingAllocationConfig {
    // A component made by our tools has up to four core instances, one memory, two tables; one with an interpreter more.
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls_max)
        .total_core_instances(calls_max.saturating_mul(8))
        .total_memories(calls_max.saturating_mul(2))
        .total_tables(calls_max.saturating_mul(4))
        .total_stacks(calls_max)
        .max_tables_per_module(4)
        .max_memory_size(POOLED_MEMORY_BYTES_MAX)
        .table_elements(POOLED_TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    pool
}

/// Moves the epoch on for as long as the engine lives.
fn tick(engine: EngineWeak) -> std::io::Result<()> {
    std::thread::Builder::new().name("renmen-epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}

/// Where guests run: never on the reactor's threads. A connection that has used less time than those that run does not
/// wait for the tick.
fn threads(engine: &Engine, threads: usize) -> std::io::Result<Threads> {
    let engine = engine.weak();
    let interrupt: Box<dyn Fn() + Send + Sync> = Box::new(move || {
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
    });
    Threads::start(Options { name: "renmen-guest", threads, most_each: usize::MAX, interrupt: Some(interrupt) })
}

/// A fresh store with the budgets of the state's limits.
pub(crate) fn store(engine: &Engine, state: CallState) -> Store<CallState> {
    let limits = state.limits.clone();
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_fuel(limits.fuel_max).expect("fuel is switched on for the whole engine");
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    store.set_hostcall_fuel(usize::try_from(limits.hostcall_bytes_max).unwrap_or(usize::MAX));
    store
}
