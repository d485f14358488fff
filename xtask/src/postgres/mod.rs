//! A private PostgreSQL server for one run of the tests: loopback alone, a free port, no durability, gone afterwards.

mod install;
mod user;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::process::{self, Running};
use crate::say;
use user::ServerUser;

/// How often another port is tried when the one that was free a moment ago has been taken.
const PORTS_TRIED: u32 = 5;
/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropped, it stops and its data is removed.
pub(crate) struct Postgres {
    url: String,
    // In this order: the server ends before its directory goes.
    _server: Running,
    _dir: TempDir,
}

impl Postgres {
    /// Finds or installs the server's programs, makes a database cluster and starts it.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = install::programs()?;
        let user = ServerUser::find()?;
        let dir = tempfile::Builder::new().prefix("renmen-postgres-").tempdir().context("a temporary directory")?;
        user.own(dir.path())?;
        init(&programs, &user, dir.path())?;
        for _ in 0..PORTS_TRIED {
            let port = free_port()?;
            let mut server = serve(&programs, &user, dir.path(), port)?;
            match server.wait_for(PATIENCE, || is_ready(&programs, port)) {
                Ok(()) => {
                    let url = format!("postgres://renmen@127.0.0.1:{port}/postgres");
                    say(&format!("a private PostgreSQL server runs on port {port}"));
                    return Ok(Self { url, _server: server, _dir: dir });
                }
                Err(error) if process::interrupted() => return Err(error),
                Err(error) => say(&format!("{error}; trying another port")),
            }
        }
        let log = fs::read_to_string(dir.path().join("server.log")).unwrap_or_default();
        bail!("PostgreSQL does not start; the end of its log:\n{}", tail(&log, 20));
    }

    /// A URL whose user may create databases.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn init(programs: &Path, user: &ServerUser, dir: &Path) -> anyhow::Result<()> {
    let mut init = Command::new(programs.join("initdb"));
    init.arg("-D").arg(dir.join("data"));
    // Anybody on this machine may come in while the tests run, and finds made-up data alone.
    init.args(["-U", "renmen", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
    user.become_it(init.current_dir(dir));
    process::output("initdb", &mut init).map(|_| ())
}

fn serve(programs: &Path, user: &ServerUser, dir: &Path, port: u16) -> anyhow::Result<Running> {
    use std::os::unix::process::CommandExt as _;
    let log = fs::File::create(dir.join("server.log")).context("the server's log")?;
    let mut serve = Command::new(programs.join("postgres"));
    serve.arg("-D").arg(dir.join("data")).arg("-k").arg(dir).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"] {
        serve.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C in the terminal is for the tests; the server outlives them by a moment.
    serve.current_dir(dir).process_group(0).stdout(log.try_clone().context("the server's log")?).stderr(log);
    user.become_it(&mut serve);
    // SIGQUIT is PostgreSQL's immediate shutdown: nothing in it is worth a checkpoint.
    Ok(Running::start("PostgreSQL", &mut serve)?.stopped_with("-QUIT"))
}

fn is_ready(programs: &Path, port: u16) -> anyhow::Result<Option<()>> {
    let mut ask = Command::new(programs.join("pg_isready"));
    ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::null());
    let answer = ask.status().context("pg_isready")?;
    Ok(answer.success().then_some(()))
}

/// A port that is free now: another program may take it before the server starts, which is why several are tried.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("a free port")?;
    Ok(listener.local_addr().context("a free port")?.port())
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Where a program is, when it is.
fn program(dir: &Path, name: &str) -> Option<PathBuf> {
    Some(dir.join(name)).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Needs the server's programs, so it runs where the tests of the PostgreSQL backend run.
    #[test]
    fn a_server_answers_while_it_lives_and_leaves_nothing_behind() {
        if std::env::var_os("RENMEN_TEST_POSTGRES").is_none() {
            say("skipped: RENMEN_TEST_POSTGRES is not set");
            return;
        }
        let programs = install::programs().unwrap();
        let postgres = Postgres::start().unwrap();
        let port: u16 =
            postgres.url().rsplit_once(':').and_then(|(_, end)| end.split('/').next()).unwrap().parse().unwrap();
        let dir = postgres._dir.path().to_owned();
        assert!(is_ready(&programs, port).unwrap().is_some());
        let mut ask = Command::new(programs.join("psql"));
        let answer = process::output("psql", ask.args([postgres.url(), "-At", "-c", "show fsync"])).unwrap();
        assert_eq!(answer.trim(), "off");
        drop(postgres);
        assert!(is_ready(&programs, port).unwrap().is_none());
        assert!(!dir.exists());
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
        assert_eq!(tail("", 2), "");
    }
}
