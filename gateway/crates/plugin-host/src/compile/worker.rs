//! The side of the process that compiles: limits itself, reads a component from its input, and leaves the code in the cache.
//!
//! It holds no secret, opens no connection and runs no guest. What it says goes to its output: the entry's place, or what the
//! compiler does not like.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use wasmtime::component::Component;

use super::{CompileLimits, kept};
use crate::engine;

/// The word by which a program knows that it is to call [`compile_worker`].
pub const COMPILE_WORKER: &str = "compile-plugin";

/// Exit code of a child whose compiler refused the code.
pub(super) const REFUSED: i32 = 3;

const CACHE_DIR: &str = "RENMEN_COMPILE_CACHE_DIR";
const BYTES: &str = "RENMEN_COMPILE_BYTES";
const MEMORY: &str = "RENMEN_COMPILE_MEMORY_BYTES_MAX";
const TIME: &str = "RENMEN_COMPILE_TIME_MS_MAX";

/// What a child is told, in its environment.
pub(super) struct Job {
    cache_dir: PathBuf,
    bytes: usize,
    memory_bytes_max: u64,
    time_max: Duration,
}

impl Job {
    pub(super) fn new(cache_dir: &Path, bytes: usize, limits: &CompileLimits) -> Self {
        let CompileLimits { memory_bytes_max, time_max, .. } = *limits;
        Self { cache_dir: cache_dir.to_owned(), bytes, memory_bytes_max, time_max }
    }

    pub(super) fn to_env(&self) -> [(&'static str, std::ffi::OsString); 4] {
        [
            (CACHE_DIR, self.cache_dir.clone().into()),
            (BYTES, self.bytes.to_string().into()),
            (MEMORY, self.memory_bytes_max.to_string().into()),
            (TIME, self.time_max.as_millis().to_string().into()),
        ]
    }

    fn from_env() -> Option<Self> {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        Some(Self {
            cache_dir: PathBuf::from(std::env::var_os(CACHE_DIR)?),
            bytes: usize::try_from(number(BYTES)?).ok()?,
            memory_bytes_max: number(MEMORY)?,
            time_max: Duration::from_millis(number(TIME)?),
        })
    }
}

/// What a program does that was started to compile one plugin: to be called first thing in `main`, before any thread is
/// started. Reads the component from standard input.
#[must_use]
pub fn compile_worker() -> ExitCode {
    let Some(job) = Job::from_env() else {
        return say("it is started by the gateway itself, not by hand", ExitCode::from(2));
    };
    if let Err(error) = limit(&job) {
        return say(&format!("its limits cannot be set: {error}"), ExitCode::FAILURE);
    }
    match compile(&job) {
        Ok(entry) => say(&entry.display().to_string(), ExitCode::SUCCESS),
        Err(Failed::Refused(reason)) => say(&reason, ExitCode::from(u8::try_from(REFUSED).unwrap_or(1))),
        Err(Failed::Kept(error)) => say(&error.to_string(), ExitCode::FAILURE),
    }
}

/// Tells the parent process; if that is gone, the error is ignored.
fn say(text: &str, code: ExitCode) -> ExitCode {
    let _gone = std::io::stdout().write_all(text.as_bytes());
    code
}

enum Failed {
    Refused(String),
    Kept(std::io::Error),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Kept(error)
    }
}

/// Compiles into a cache of its own, and moves the one entry that this makes to its place.
fn compile(job: &Job) -> Result<PathBuf, Failed> {
    let mut bytes = Vec::with_capacity(job.bytes);
    std::io::stdin().take(job.bytes as u64).read_to_end(&mut bytes)?;
    let own = kept::own_cache(&job.cache_dir, std::process::id());
    let _left = fs::remove_dir_all(&own);
    let compiled = compile_into(&own, &bytes).and_then(|()| {
        let entry = kept::only_entry(&own)?;
        kept::move_entry(&own, &job.cache_dir, &entry)?;
        Ok(entry)
    });
    let _gone = fs::remove_dir_all(&own);
    compiled
}

fn compile_into(cache_dir: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let broken = |reason: String| Failed::Kept(std::io::Error::other(reason));
    let engine = engine::compiling(cache_dir).map_err(|error| broken(error.to_string()))?;
    Component::from_binary(&engine, bytes).map(drop).map_err(|error| Failed::Refused(format!("{error:#}")))
}

/// Limits this process before it has read a byte of the plugin's.
#[cfg(unix)]
fn limit(job: &Job) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, nice, setrlimit};

    let both = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::As, both(job.memory_bytes_max))?;
    let seconds = job.time_max.as_secs().saturating_add(u64::from(job.time_max.subsec_nanos() > 0)).max(1);
    // The signal of the soft limit says why the process ended; the hard limit is for code that ignores that signal.
    setrlimit(Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds + 1) })?;
    setrlimit(Resource::Core, both(0))?;
    setrlimit(Resource::Fsize, both(job.memory_bytes_max))?;
    // The process that serves has priority; but an honest plugin must get compiled even on a busy machine.
    nice(5)?;
    Ok(())
}

/// On other systems the parent process enforces the time, and nothing else is limited.
#[cfg(not(unix))]
fn limit(_job: &Job) -> std::io::Result<()> {
    Ok(())
}
