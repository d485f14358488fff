//! `cargo xtask test`: everything that must hold, with everything that it needs.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

use crate::postgres::Postgres;
use crate::process::Running;
use crate::workspace::{EVERYTHING, Workspace};
use crate::{languages, official, plugins, process, say};

/// The variable under which tests find the server.
const POSTGRES_URL: &str = "RENMEN_TEST_POSTGRES";
/// Set to 1 where no PostgreSQL can be had: the tests of that backend are left out, and it is said.
const SKIP_POSTGRES: &str = "RENMEN_TEST_SKIP_POSTGRES";

/// The variable under which a gateway finds the directory of compiled plugins.
const CACHE_DIR: &str = "RENMEN_CACHE_DIR";

/// What to test.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also the long tests, which are marked as ignored, and those that need Python or Node.
    #[arg(long)]
    all: bool,
    /// Passed on to the test runner: names of tests, `-p PACKAGE`, …
    #[arg(last = true)]
    filters: Vec<String>,
}

/// Builds once, packs the connectors, starts the server, runs the tests and the examples in the documentation.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let mut build = workspace.cargo();
    build.args(EVERYTHING);
    process::run("building everything", &mut build)?;
    plugins::build(workspace, &workspace.all(), &workspace.binary("renmen"))?;
    if options.all {
        languages::build(workspace, &workspace.binary("renmen"));
    }

    let postgres = match std::env::var(SKIP_POSTGRES).as_deref() {
        Ok("1") => {
            say(&format!("{SKIP_POSTGRES}=1: nothing is tested on PostgreSQL"));
            None
        }
        _ => Some(Postgres::start()?),
    };
    let mut tests = runner(workspace, options);
    // Each of two hundred gateways would compile its plugins again; what one compiled is good for all.
    tests.env(CACHE_DIR, cache_dir(workspace)?);
    let more = if options.all { &[official::STANDARDS, official::CLIENTS][..] } else { &[] };
    for wanted in [&official::TABLES].into_iter().chain(more) {
        if let Some(python) = official::python(workspace, wanted) {
            tests.env(wanted.variable, python);
        }
    }
    if let Some(node) = options.all.then(|| official::node(workspace)).flatten() {
        tests.env(official::NODE, node);
    }
    let mut examples = workspace.cargo();
    examples.args(["test", "--doc", "--workspace"]);
    for command in [&mut tests, &mut examples] {
        if let Some(postgres) = &postgres {
            command.env(POSTGRES_URL, postgres.url());
        }
    }
    // Both are run, so that a failure in one does not hide one in the other.
    let tested = Running::start("the tests", &mut tests)?.wait()?;
    let shown = match options.filters.is_empty() {
        true => Running::start("the examples in the documentation", &mut examples)?.wait()?,
        false => tested,
    };
    let failed = [tested, shown].into_iter().find(|status| !status.success());
    Ok(failed.map_or(ExitCode::SUCCESS, |status| exit_code(status.code())))
}

/// A directory of compiled plugins that only this user can write, because a gateway takes no other.
pub(crate) fn cache_dir(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let dir = workspace.target.join("tmp/plugin-cache");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).with_context(|| dir.display().to_string())?;
    Ok(dir)
}

/// nextest where it is installed, because it runs tests in processes of their own; else cargo's own.
fn runner(workspace: &Workspace, options: &Options) -> Command {
    let mut command = workspace.cargo();
    if has_nextest(workspace) {
        command.args(["nextest", "run", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        if options.all {
            command.args(["--run-ignored", "all"]);
        }
        command.args(&options.filters);
    } else {
        command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        command.arg("--").args(options.all.then_some("--include-ignored")).args(&options.filters);
    }
    command
}

fn has_nextest(workspace: &Workspace) -> bool {
    let mut ask = workspace.cargo();
    ask.args(["nextest", "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// A test runner that was killed has no code; that is a failure too.
fn exit_code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).map_or(ExitCode::FAILURE, ExitCode::from)
}
