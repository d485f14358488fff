//! `renmen init`: a first connectors.toml that `check` accepts. Asks on a terminal what its flags do not say; without a terminal, or
//! with `--yes`, takes the defaults. It never replaces a file.

mod draft;
mod question;

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use renmen_config::{Config, LoadOptions};
use renmen_kit::component::read;
use renmen_plugin_host::inspect;
use serde_json::json;

use crate::cli::Common;
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use draft::{Connection, Draft};
use question::Questions;
use renmen_schema::text;

/// What the file is to say.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renmen init
  renmen init --yes --plugin plugins/staff-api.wasm --name people --set base_url=https://hr.example.com/v1 \\
    --set page_size=200 --slot app=env:STAFF_APP --stream users=15m --stream departments=1h")]
pub(crate) struct Ask {
    /// Where records, caches and the database go, relative to the file.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The address of the API.
    #[arg(long)]
    listen: Option<String>,
    /// `sqlite:PATH`, or `postgres://user:${VARIABLE}@host/database`; by default SQLite in the data directory.
    #[arg(long)]
    store: Option<String>,
    /// The component of the first connection.
    #[arg(long)]
    plugin: Option<PathBuf>,
    /// The name of the first connection; by default that of the plugin.
    #[arg(long, requires = "plugin")]
    name: Option<String>,
    /// One key of its `config`: `base_url=https://hr.example.com/v1`. JSON is taken as it is.
    #[arg(long, value_name = "KEY=VALUE", requires = "plugin")]
    set: Vec<String>,
    /// Where the secret of a slot is: `app=env:VARIABLE`, `app=file:PATH` or `app=vault:ENTRY`. Never the secret itself.
    #[arg(long, value_name = "SLOT=SOURCE", requires = "plugin")]
    slot: Vec<String>,
    /// A stream to pull and how often: `users=15m`; `users` alone is pulled each hour. By default every stream of the plugin.
    #[arg(long, value_name = "STREAM[=EVERY]", requires = "plugin")]
    stream: Vec<String>,
    /// The drop directory, for a plugin that reads files.
    #[arg(long, requires = "plugin")]
    drop: Option<PathBuf>,
    /// Allow plain http and loopback addresses to the connection: a system on this machine.
    #[arg(long, requires = "plugin")]
    local: bool,
    /// Ask nothing: defaults where no flag says otherwise.
    #[arg(long)]
    yes: bool,
}

/// Runs the command. The file is the one of `--config`.
pub(crate) fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let file = &common.config;
    if file.exists() {
        let file = file.display();
        return Err(Usage(text!(
            "{file} is there and is not replaced: name another file with --config",
            "{file} 已存在，不会覆盖：请用 --config 指定其他文件"
        ))
        .into());
    }
    let interactive = !ask.yes && !out.json && std::io::stdin().is_terminal();
    let mut questions = Questions::new(std::io::stdin().lock(), std::io::stderr(), interactive, out.language);
    let text = text_of(ask, file, &mut questions)?;
    check(&text, file)?;
    write(file, &text)?;
    if out.json {
        out.document(&json!({ "file": file, "text": text }))?;
    } else {
        let config = file.display();
        let shown = if file == Path::new("connectors.toml") { String::new() } else { format!(" --config {config}") };
        out.say(text!(
            "written: {config}\nprove it: renmen check{shown}\nthen:     renmen serve{shown}",
            "已写入：{config}\n验证：    renmen check{shown}\n然后：    renmen serve{shown}"
        ));
    }
    Ok(Outcome::Done)
}

/// The whole file.
fn text_of(
    ask: &Ask,
    file: &Path,
    questions: &mut Questions<impl std::io::BufRead, impl std::io::Write>,
) -> anyhow::Result<String> {
    let data_dir = questions.answer(
        &text!("data directory", "数据目录"),
        ask.data_dir.as_ref().map(|dir| dir.display().to_string()),
        ".renmen",
    )?;
    let listen =
        questions.answer(&text!("address of the API", "API 的监听地址"), ask.listen.clone(), "127.0.0.1:7300")?;
    let own_store = format!("sqlite:{data_dir}/renmen.db");
    let store = questions.answer(&text!("store", "存储"), ask.store.clone(), &own_store)?;
    let plugin = questions.answer(
        &text!(
            "plugin of the first connection (a .wasm file; empty: none yet)",
            "第一个连接的插件（.wasm 文件；留空表示暂无）"
        ),
        ask.plugin.as_ref().map(|path| path.display().to_string()),
        "",
    )?;
    let mut draft = Draft { data_dir, listen, store: (store != own_store).then_some(store), connection: None };
    if !plugin.is_empty() {
        let plugin = PathBuf::from(plugin);
        let found = inspect(&read(&plugin)?).with_context(|| plugin.display().to_string())?;
        draft.connection = Some(Connection::ask(ask, &found, written_path(&plugin, file)?, questions)?);
    }
    let text = draft.text();
    // Where secrets go is known once the rest stands.
    match &draft.connection {
        Some(connection) => connection.with_destinations(&text, file),
        None => Ok(text),
    }
}

/// As the file is to name it: relative paths there are relative to the file.
fn written_path(plugin: &Path, file: &Path) -> anyhow::Result<PathBuf> {
    let beside = file.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent == Path::new("."));
    if beside || plugin.is_absolute() {
        return Ok(plugin.to_owned());
    }
    std::path::absolute(plugin).with_context(|| plugin.display().to_string())
}

/// What is written must be what a gateway takes.
fn check(text: &str, file: &Path) -> anyhow::Result<()> {
    // A variable need not be set where the file is written.
    let env = |_: &str| Some("set".to_owned());
    Config::parse(text, file, LoadOptions { dev: false, env: &env })?;
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || text!("{} cannot be written", "无法写入 {}", file.display());
    let mut made =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).with_context(cannot)?;
    made.write_all(text.as_bytes()).with_context(cannot)
}
