//! The side of the process that serves: starts a child, hands it the bytes, and waits within the limits.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::worker::{Job, REFUSED};
use super::{CompileLimits, kept};
use crate::load_error::LoadError;

/// How often it is looked whether the child has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How much longer it may take by the clock than by the processor: it goes behind all who serve.
const CLOCK_FACTOR: u32 = 4;
/// Bytes of what a child says that are read.
const SAID_BYTES_MAX: u64 = 8 << 10;

/// How a child that compiles is started: a program whose `main` calls [`compile_worker`](super::compile_worker).
#[derive(Debug, Clone)]
pub struct ChildCompiler {
    program: PathBuf,
    args: Vec<OsString>,
    announce: fn(&str),
}

/// Why a child did not compile.
#[derive(Debug)]
pub(super) enum Stopped {
    /// A limit ended it: which key, and what was seen.
    Limit(&'static str, String),
    /// The code does not compile.
    Refused(String),
    /// It could not be started, or ended in another way.
    Broken(String),
}

impl Stopped {
    pub(super) fn of(self, plugin: &str) -> LoadError {
        let plugin = plugin.to_owned();
        match self {
            Self::Limit(limit, seen) => LoadError::CompileLimit { plugin, limit, seen },
            Self::Refused(reason) => LoadError::Compile { plugin, reason },
            Self::Broken(reason) => LoadError::CompileChild { plugin, reason },
        }
    }
}

impl ChildCompiler {
    /// This program, started with `args`.
    #[must_use]
    pub fn new(program: PathBuf, args: impl IntoIterator<Item = OsString>) -> Self {
        Self { program, args: args.into_iter().collect(), announce: |_plugin| {} }
    }

    /// The same; `announce` is called with the plugin's name before it is compiled, because a person may wait for that.
    #[must_use]
    pub fn announcing(self, announce: fn(&str)) -> Self {
        Self { announce, ..self }
    }

    /// Says that a plugin is compiled now.
    pub(super) fn announce(&self, plugin: &str) {
        (self.announce)(plugin);
    }

    /// Compiles into the cache; gives the entry's place in it. Blocking.
    pub(super) fn compile(&self, cache_dir: &Path, bytes: &[u8], limits: &CompileLimits) -> Result<String, Stopped> {
        let began = Instant::now();
        let mut child = self.start(&Job::new(cache_dir, bytes.len(), limits))?;
        let own = kept::own_cache(cache_dir, child.id());
        // Both pipes at once, or two that are full would wait for each other.
        let (status, said) = std::thread::scope(|scope| {
            let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
            // A child that ended early does not read on: its end says why.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(bytes)));
            let said = scope.spawn(move || {
                let mut said = String::new();
                let read = stdout.map(|stdout| stdout.take(SAID_BYTES_MAX).read_to_string(&mut said));
                read.map_or(String::new(), |_| said)
            });
            (wait(&mut child, began + limits.time_max * CLOCK_FACTOR), said.join().unwrap_or_default())
        });
        // One that was ended has not put away what it began.
        let _gone = std::fs::remove_dir_all(own);
        judge(status, said, limits, began.elapsed())
    }

    fn start(&self, job: &Job) -> Result<Child, Stopped> {
        let failed = |error: std::io::Error| {
            Stopped::Broken(format!(
                "the program that compiles, {}, cannot be started: {error}",
                self.program.display()
            ))
        };
        std::process::Command::new(&self.program)
            .args(&self.args)
            // Nothing of ours but what it needs: secrets may stand in the environment.
            .env_clear()
            .envs(job.to_env())
            // Where the machine finds the libraries of this very program.
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
            // Each arena reserves address space, and that is what is limited.
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)
    }
}

/// What the end of a child means.
fn judge(
    status: std::io::Result<Option<ExitStatus>>,
    said: String,
    limits: &CompileLimits,
    took: Duration,
) -> Result<String, Stopped> {
    let status = status.map_err(|error| Stopped::Broken(error.to_string()))?;
    let Some(status) = status else {
        let seen = format!("it was not compiled after {:.1} s by the clock", took.as_secs_f32());
        return Err(Stopped::Limit("compile_time_max", seen));
    };
    if status.success() {
        return Ok(said);
    }
    if status.code() == Some(REFUSED) {
        return Err(Stopped::Refused(said));
    }
    match ended_by(status) {
        Some(End::Processor) => {
            let seen = format!("it took {} s of processor time and was not done", limits.time_max.as_secs_f32());
            Err(Stopped::Limit("compile_time_max", seen))
        }
        Some(End::Memory) => {
            let seen = format!("it wanted more than {} bytes of memory", limits.memory_bytes_max);
            Err(Stopped::Limit("compile_memory_max", seen))
        }
        None if said.is_empty() => Err(Stopped::Broken(format!("the process that compiles ended with {status}"))),
        None => Err(Stopped::Broken(said)),
    }
}

/// Until it has ended or its time is over; then it is ended.
fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

enum End {
    Processor,
    Memory,
}

/// A limit that the child had set itself ends it with a signal.
#[cfg(unix)]
fn ended_by(status: ExitStatus) -> Option<End> {
    use std::os::unix::process::ExitStatusExt;

    use rustix::process::Signal;
    let signal = status.signal()?;
    match signal {
        signal if signal == Signal::XCPU.as_raw() => Some(End::Processor),
        // An allocation that failed: Rust aborts, C code may not look. From outside: the system was out of memory.
        signal if [Signal::ABORT, Signal::SEGV, Signal::BUS, Signal::KILL].map(Signal::as_raw).contains(&signal) => {
            Some(End::Memory)
        }
        _ => None,
    }
}

#[cfg(not(unix))]
fn ended_by(_status: ExitStatus) -> Option<End> {
    None
}
