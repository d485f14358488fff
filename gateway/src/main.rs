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
use renmen_schema::{Language, Text, text};

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
    let language = output::language();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(
                &anyhow::Error::new(error).context(text!("the runtime did not start", "运行时未能启动")),
                language,
            );
        }
    };
    match runtime.block_on(run(&cli, language)) {
        Ok(outcome) => match output::failure() {
            Some(lost) => fail(
                &anyhow::anyhow!(text!(
                    "standard output cannot be written, so a part of the answer is lost: {lost}",
                    "无法写入标准输出，部分结果丢失：{lost}"
                )),
                language,
            ),
            None => outcome.into(),
        },
        Err(error) => fail(&error, language),
    }
}

/// The one place where an error reaches the terminal.
fn fail(error: &anyhow::Error, language: Language) -> ExitCode {
    // Every text in the chain of its causes is shown in the language.
    let told = language.show(|| text!("error: {error:#}", "错误：{error:#}").to_string());
    // Where standard error cannot be written either, the code is all that can be told.
    let _ = writeln!(std::io::stderr(), "{}", renmen_schema::shown::lines(&told));
    exit::code_of(error)
}

async fn run(cli: &Cli, language: Language) -> anyhow::Result<Outcome> {
    let (common, out) = (&cli.common, Output { json: cli.common.json, wide: cli.common.wide, language });
    match &cli.command {
        Command::Init(ask) => command::init::run(common, out, ask),
        Command::Serve(serve) => command::serve::run(common, out, serve).await,
        Command::Reload => command::reload::run(common, out).await,
        Command::Sync { connection, stream, full } => {
            command::sync::run(common, out, connection.as_ref(), stream.as_ref(), *full).await
        }
        Command::Check { connection } => command::check::run(common, out, connection.as_ref()).await,
        Command::Records { collection, id, connection, external_id, deleted, expand, limit } => {
            let ask = command::records::Ask {
                collection: collection.clone(),
                id: id.clone(),
                connection: connection.clone(),
                external_id: external_id.clone(),
                deleted: *deleted,
                expand: expand.clone(),
                limit: *limit,
            };
            command::records::run(common, out, ask).await
        }
        Command::People(ask) => command::people::run(common, out, ask).await,
        Command::Changes { after, entity, limit } => {
            command::changes::run(common, out, *after, entity.as_deref(), *limit).await
        }
        Command::Runs { run: Some(run), .. } => command::runs::show(common, out, *run).await,
        Command::Runs { connection, limit, run: None } => {
            command::runs::run(common, out, connection.as_ref(), *limit).await
        }
        Command::Store(ask) => command::store::run(common, out, ask).await,
        Command::Tenant(ask) => command::tenant::run(common, out, ask).await,
        Command::Sweep(ask) => command::sweep::run(common, out, ask).await,
        Command::Quarantine(ask) => command::quarantine::run(common, out, ask).await,
        Command::DecidePast { connection, from, apply } => {
            command::decide_past::run(common, out, connection, from, *apply).await
        }
        Command::Flow(ask) => command::flow::run(common, out, ask).await,
        Command::Act(ask) => command::act::run(common, out, ask).await,
        Command::Insight(ask) => command::insight::run(common, out, ask).await,
        Command::Export(ask) => command::export::run(common, out, ask).await,
        Command::Journal(ask) => command::journal::run(common, out, ask).await,
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
            out.say(text!(
                "Of a connection, under [limits] or [connections.NAME.limits]:\n",
                "每个连接，在 [limits] 或 [connections.NAME.limits] 下：\n"
            ));
            out.say(Text::verbatim(renmen_config::limits_table()));
            out.say(text!("Of the process, under [gateway.limits]:\n", "整个进程，在 [gateway.limits] 下：\n"));
            out.say(Text::verbatim(renmen_config::gateway_limits_table()));
            Ok(Outcome::Done)
        }
    }
}
