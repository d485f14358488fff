//! `cargo xtask faults`: the long form of the tests in which a database server crashes, fails over and fills its disk.

use std::process::ExitCode;

use crate::postgres::Postgres;
use crate::process::Running;
use crate::workspace::Workspace;

/// The variable under which the test finds how often its server crashes.
const RESTARTS: &str = "RENMEN_TEST_POSTGRES_RESTARTS";

/// How much of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often the PostgreSQL server is stopped as by a crash while gateways write, each time off for up to two seconds. Prints how long
    /// it took until a page was committed again, and fails if that took more than ten seconds.
    #[arg(long, default_value_t = 50)]
    pg_restarts: u32,
}

/// Runs the tests of the store in which a server misbehaves.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let postgres = Postgres::start()?;
    let mut tests = workspace.cargo();
    // The whole workspace, as the tests build it: one package alone would be built again.
    tests.args(["test", "--workspace", "--test", "it", "--no-fail-fast", "--", "--nocapture", "server_faults::"]);
    tests.env("RENMEN_TEST_POSTGRES", postgres.url()).env(RESTARTS, options.pg_restarts.to_string());
    let status = Running::start("the tests", &mut tests)?.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
