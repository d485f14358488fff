//! Gateways as processes that are killed, stopped, woken, started again and given another time of day.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use crate::harness::{Home, Running};

/// How long a supervisor waits before it starts a gateway again that ended by itself.
const RESTART: Duration = Duration::from_millis(300);
/// Where a preloaded gateway finds by how much its clock is off.
const CLOCK: &str = "RENMEN_TEST_CLOCK";

/// What moves the time of day of one process. A C compiler is there, because the workspace is not built without one.
pub(super) struct ClockShim(TempDir);

impl ClockShim {
    pub(super) fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("clock.c"), include_str!("clock.c")).unwrap();
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let built = Command::new(compiler)
            .args(["-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c"])
            .current_dir(dir.path())
            .status();
        assert!(built.unwrap().success(), "the clock cannot be compiled");
        Self(dir)
    }

    fn library(&self) -> String {
        self.0.path().join("clock.so").display().to_string()
    }
}

/// One gateway, with a data directory and an address that it keeps.
pub(super) struct Gateway {
    pub(super) home: Home,
    pub(super) listen: String,
    process: Option<Running>,
    /// When it is to be started again.
    start_at: Option<Instant>,
    stopped: bool,
    /// How often it ended without being killed.
    pub(super) gave_up: u32,
}

impl Gateway {
    /// Not started yet.
    pub(super) fn new(config: &str, shim: &ClockShim) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = Home::new(config);
        let clock = home.path().join("clock");
        std::fs::write(&clock, 0_i64.to_ne_bytes()).unwrap();
        let home = home
            .env(CLOCK, &clock.display().to_string())
            .env("LD_PRELOAD", &shim.library())
            .env("RENMEN_LOG", "warn,renmen_sync=info")
            .env("EVENTS_SECRET", crate::hooks::vendor::SECRET);
        let listen = format!("127.0.0.1:{port}");
        Self { home, listen, process: None, start_at: None, stopped: false, gave_up: 0 }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    pub(super) fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = self.home.command(&["serve", "--dev", "--listen", &self.listen]);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        (self.process, self.start_at) = (Some(Running(child)), None);
    }

    pub(super) fn start_in(&mut self, wait: Duration) {
        self.start_at = Some(Instant::now() + wait);
    }

    /// As a supervisor: starts what is to be started, and what ended by itself.
    pub(super) fn tend(&mut self) {
        if let Some(process) = &mut self.process
            && process.0.try_wait().unwrap().is_some()
        {
            (self.process, self.stopped) = (None, false);
            self.gave_up += 1;
            self.start_in(RESTART);
        }
        if self.start_at.is_some_and(|at| at <= Instant::now()) {
            self.start();
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.process.is_some() && !self.stopped
    }

    /// `kill -9`. Starts again when it is told to.
    pub(super) fn kill(&mut self) {
        (self.process, self.stopped) = (None, false);
    }

    /// Stops its threads where they are, or lets them go on.
    pub(super) fn pause(&mut self, stopped: bool) {
        let Some(process) = &self.process else { return };
        let signal = if stopped { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &process.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.stopped = stopped;
    }

    /// Sets its time of day: so many milliseconds from the machine's.
    pub(super) fn set_clock(&self, off_by_ms: i64) {
        use std::os::unix::fs::FileExt as _;
        let file = OpenOptions::new().write(true).open(self.home.path().join("clock")).unwrap();
        file.write_all_at(&off_by_ms.to_ne_bytes(), 0).unwrap();
    }

    /// Everything that it said so far.
    pub(super) fn log(&self) -> String {
        read(&self.log_file())
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
