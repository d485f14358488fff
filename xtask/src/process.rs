//! Children that end when we do.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);
/// How long a child may take to end in good order before it is killed.
const GRACE: Duration = Duration::from_secs(35);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C (and SIGTERM) ends waiting instead of ending this process, so that everything can be put away.
pub(crate) fn catch_interrupts() -> anyhow::Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("the handler for Ctrl-C")
}

/// Was an end asked for?
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A child that is asked to end, and in the end killed, when this is dropped.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    stop_signal: &'static str,
}

impl Running {
    /// Starts a child with nothing on its standard input.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        let child =
            command.stdin(Stdio::null()).spawn().with_context(|| format!("{name} cannot be started ({command:?})"))?;
        Ok(Self { name, child, stop_signal: "-TERM" })
    }

    /// Ends it with another signal than SIGTERM.
    pub(crate) fn stopped_with(mut self, signal: &'static str) -> Self {
        self.stop_signal = signal;
        self
    }

    /// `None` while it runs.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| self.name.to_owned())
    }

    /// Waits for its end; when an end of everything is asked for, it is asked to end too.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if interrupted() {
                self.stop();
                bail!("{} was stopped", self.name);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until `ready` gives something; fails when the child ends first, at an interrupt, or after `patience`.
    pub(crate) fn wait_for<T>(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(found) = ready()? {
                return Ok(found);
            }
            if let Some(status) = self.ended()? {
                bail!("{} ended before it was ready: {status}", self.name);
            }
            if interrupted() {
                bail!("stopped while waiting for {}", self.name);
            }
            if begin.elapsed() > patience {
                bail!("{} was not ready after {} s", self.name, patience.as_secs());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks it to end, and says how it did.
    pub(crate) fn end(mut self) -> anyhow::Result<ExitStatus> {
        self.stop();
        self.child.wait().with_context(|| self.name.to_owned())
    }

    /// Asks it to end, waits, and kills it when it does not.
    fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The signal goes through `kill(1)`: the standard library can only send SIGKILL.
        let asked = Command::new("kill").args([self.stop_signal, &self.child.id().to_string()]).status();
        let begin = Instant::now();
        while asked.as_ref().is_ok_and(ExitStatus::success) && begin.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a command to its end, its output going where ours goes.
pub(crate) fn run(name: &'static str, command: &mut Command) -> anyhow::Result<()> {
    let status = Running::start(name, command)?.wait()?;
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

/// Runs a command to its end and gives its standard output.
pub(crate) fn output(name: &str, command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{name} cannot be started ({command:?})"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name}: its output is not UTF-8"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_dropped_child_is_gone() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let id = child.id().to_string();
        assert!(child.try_wait().unwrap().is_none());
        drop(Running { name: "sleep", child, stop_signal: "-TERM" });
        assert!(!Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap().success());
    }

    #[test]
    fn a_child_that_ends_early_is_told_from_one_that_is_ready() {
        let mut quick = Running::start("true", &mut Command::new("true")).unwrap();
        let error = quick.wait_for(Duration::from_secs(30), || Ok(None::<()>)).unwrap_err();
        assert!(error.to_string().contains("ended before it was ready"), "{error}");
        let mut steady = Running::start("sleep", Command::new("sleep").arg("600")).unwrap();
        assert_eq!(steady.wait_for(Duration::from_secs(30), || Ok(Some(7))).unwrap(), 7);
    }

    #[test]
    fn a_failed_command_is_an_error() {
        assert!(run("false", &mut Command::new("false")).is_err());
        assert!(run("true", &mut Command::new("true")).is_ok());
        assert_eq!(output("echo", Command::new("echo").arg("hi")).unwrap().trim(), "hi");
    }
}
