//! What developers do that cargo alone cannot: `cargo xtask demo`, `cargo xtask test`, `cargo xtask plugins`,
//! `cargo xtask dist`, `cargo xtask vendor`, `cargo xtask faults`, `cargo xtask schemathesis`.
//!
//! Owns no logic of the gateway: making components is `renmen plugin pack`, running is `renmen serve`. It starts things in
//! the right order, waits for a sign of readiness and never for a time, and leaves nothing behind: every child and every
//! temporary directory ends with it, also after Ctrl-C and after a failure.

mod demo;
mod dist;
mod faults;
mod languages;
mod official;
mod plugins;
mod postgres;
mod process;
mod schemathesis;
mod test;
mod vendor;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build every connector as a component into target/plugins.
    Plugins,
    /// Build the connectors and run all tests, with a private PostgreSQL server.
    Test(test::Options),
    /// Run the gateway on connectors.toml against simulated vendors.
    Demo(demo::Options),
    /// Pack what an operator installs: one archive with the gateway, signed connectors, an example and checksums.
    Dist(dist::Options),
    /// Fetch the sources of every crate into a folder, for builds without a network.
    Vendor(vendor::Options),
    /// Run the tests in which gateways are killed and their database server crashes and fails over, for long.
    Faults(faults::Options),
    /// Check every operation of the demo's gateway against the API's document. Takes minutes.
    Schemathesis(schemathesis::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    process::catch_interrupts()?;
    let workspace = workspace::Workspace::find()?;
    plugins::ensure_target(&workspace)?;
    match command {
        Command::Plugins => {
            let gateway = workspace.build_gateway()?;
            plugins::build(&workspace, &workspace.all(), &gateway).map(|_| ExitCode::SUCCESS)
        }
        Command::Test(options) => test::run(&workspace, &options),
        Command::Demo(options) => demo::run(&workspace, &options),
        Command::Dist(options) => dist::run(&workspace, &options),
        Command::Vendor(options) => vendor::run(&workspace, &options),
        Command::Faults(options) => faults::run(&workspace, &options),
        Command::Schemathesis(options) => schemathesis::run(&workspace, &options),
    }
}

/// What these commands have to tell goes where cargo's own messages go.
#[allow(clippy::print_stderr, reason = "the one place where this tool speaks to its user")]
fn say(text: &str) {
    eprintln!("xtask: {text}");
}
