//! `cargo xtask faults`: the long form of the tests in which gateways and their database server fail.

use std::process::ExitCode;

use crate::postgres::Postgres;
use crate::process::Running;
use crate::workspace::Workspace;
use crate::{plugins, test};

/// The variables under which the tests find how much is wanted.
const MINUTES: &str = "RENMEN_TEST_FAULT_MINUTES";
const RESTARTS: &str = "RENMEN_TEST_POSTGRES_RESTARTS";
const SEED: &str = "RENMEN_TEST_FAULT_SEED";

/// How much of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long three gateways work on one database while one of them is killed every ten seconds, and others are stopped beyond their lease or
    /// given another time of day.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// How often the PostgreSQL server is stopped as by a crash meanwhile, each time off for up to two seconds. Prints how long it took until
    /// everything went on, and fails if that took more than ten seconds.
    #[arg(long, default_value_t = 50)]
    pg_restarts: u32,
    /// What the dice of the load and the faults begin with.
    #[arg(long, default_value_t = 20_261_129)]
    seed: u64,
}

/// Runs the tests of the store and of whole gateways in which something fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    plugins::build(workspace, &workspace.all(), &workspace.build_gateway()?)?;
    let postgres = Postgres::start()?;
    let mut tests = workspace.cargo();
    // The whole workspace, as the tests build it: one package alone would be built again. One after the other, so that figures are of one alone.
    tests.args(["test", "--workspace", "--test", "it", "--no-fail-fast", "--", "--nocapture", "--test-threads=1"]);
    tests.args(["server_faults::", "cluster_faults::"]);
    tests.env("RENMEN_TEST_POSTGRES", postgres.url()).env("RENMEN_CACHE_DIR", test::cache_dir(workspace)?);
    for (name, value) in
        [(MINUTES, u64::from(options.minutes)), (RESTARTS, u64::from(options.pg_restarts)), (SEED, options.seed)]
    {
        tests.env(name, value.to_string());
    }
    let status = Running::start("the tests", &mut tests)?.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
