//! Renmen: the binary. Wiring and the command line only; what a word does is in the crates below `crates/`.

mod api_options;
mod bridge;
mod cli;
mod command;
mod compiler;
mod deployment;
mod exit;
mod logs;
mod output;
mod progress;
mod pull;
mod ready;
mod running_gateway;
mod signals;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use cli::{Cli, Command};
use exit::Outcome;
use logs::LogFormat;
use output::Output;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::CompilePlugin) {
        // Before any thread is started: it limits itself first.
        return renmen_plugin_host::compile_worker();
    }
    let format = cli.common.log_format.unwrap_or(if cli.common.json { LogFormat::Json } else { LogFormat::Text });
    logs::start(&cli.common.log, format);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the runtime did not start")),
    };
    match runtime.block_on(run(&cli)) {
        Ok(outcome) => match output::failure() {
            Some(lost) => {
                fail(&anyhow::anyhow!("standard output cannot be written, so a part of the answer is lost: {lost}"))
            }
            None => outcome.into(),
        },
        Err(error) => fail(&error),
    }
}

/// The one place where an error reaches the terminal.
fn fail(error: &anyhow::Error) -> ExitCode {
    // Where standard error cannot be written either, the code is all that can be told.
    let _ = writeln!(std::io::stderr(), "{}", renmen_schema::shown::lines(&format!("error: {error:#}")));
    exit::code_of(error)
}

async fn run(cli: &Cli) -> anyhow::Result<Outcome> {
    let (common, out) = (&cli.common, Output { json: cli.common.json, wide: cli.common.wide });
    match &cli.command {
        Command::Init(ask) => command::init::run(common, out, ask),
        Command::Serve(serve) => command::serve::run(common, out, serve).await,
        Command::Sync { connection, stream, full } => {
            command::sync::run(common, out, connection.as_ref(), stream.as_ref(), *full).await
        }
        Command::Check { connection } => command::check::run(common, out, connection.as_ref()).await,
        Command::Records { collection, id, connection, external_id, deleted, limit } => {
            let ask = command::records::Ask {
                collection: collection.clone(),
                id: id.clone(),
                connection: connection.clone(),
                external_id: external_id.clone(),
                deleted: *deleted,
                limit: *limit,
            };
            command::records::run(common, out, ask).await
        }
        Command::Changes { after, entity, limit } => {
            command::changes::run(common, out, *after, entity.as_deref(), *limit).await
        }
        Command::Runs { run: Some(run), .. } => command::runs::show(common, out, *run).await,
        Command::Runs { connection, limit, run: None } => {
            command::runs::run(common, out, connection.as_ref(), *limit).await
        }
        Command::Sweep(ask) => command::sweep::run(common, out, ask).await,
        Command::Quarantine(ask) => command::quarantine::run(common, out, ask).await,
        Command::DecidePast { connection, from, apply } => {
            command::decide_past::run(common, out, connection, from, *apply).await
        }
        Command::Flow(ask) => command::flow::run(common, out, ask).await,
        Command::Act(ask) => command::act::run(common, out, ask).await,
        Command::Adjust(ask) => command::adjust::run(common, out, ask).await,
        Command::Deliveries(ask) => command::deliveries::run(common, out, ask).await,
        Command::Replay { connection, stream, apply } => {
            command::replay::run(common, out, connection, stream, *apply).await
        }
        Command::Schema { entity, fields } => command::schema::run(out, entity.as_deref(), *fields),
        Command::Plugin(ask) => command::plugin::run(common, out, ask).await,
        Command::Secret(ask) => command::secret::run(common, out, ask),
        Command::Key(ask) => command::key::run(common, out, ask).await,
        Command::Completions { shell } => command::manual::completions(out, *shell),
        Command::Man { dir } => command::manual::man(out, dir.as_deref()),
        Command::CompilePlugin => Err(anyhow::anyhow!("compiling is a process of its own")),
        Command::Limits => {
            out.say("Of a connection, under [limits] or [connections.NAME.limits]:\n");
            out.say(&renmen_config::limits_table());
            out.say("Of the process, under [gateway.limits]:\n");
            out.say(&renmen_config::gateway_limits_table());
            Ok(Outcome::Done)
        }
    }
}
