//! `cargo xtask demo --cluster`: three gateways on one PostgreSQL, behind one address. While the interview of the story goes on, the
//! gateway that pulled everything is killed; the other two take over what it held, and the story comes to its end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::{
    CONFIG, Ended, GATEWAY_FILE, Greeting, Ready, STORY_FILE, STORY_PATIENCE, folder, gateway, read, simulate,
};
use crate::postgres::Postgres;
use crate::process::{self, Running};
use crate::say;
use crate::workspace::Workspace;

/// The gateways, by the names of their folders. The first one pulls everything and is killed.
const NAMES: [&str; 3] = ["first", "second", "third"];
/// After so many lines of the story: the interview has begun.
const KILLED_AFTER: &str = "5";
const PAUSE_FILE: &str = "pause.json";
/// What the simulators are told of each gateway: its address, and a key that all of them take.
const TOLD_FILE: &str = "told.json";
/// The variable with the key that seals links to decisions: one gateway opens what another one sealed. Made up, as all of the demo.
const LINK_KEY: (&str, &str) = ("RENMEN_LINK_KEY", "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=");

/// Plays the story.
pub(super) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let dir = folder(workspace, "cluster", false)?;
    let database = Postgres::start()?;
    let told = NAMES.map(|name| dir.join(name).join(TOLD_FILE));
    let pause = dir.join(PAUSE_FILE);
    let mut more: Vec<&OsStr> =
        vec!["--pause-after".as_ref(), KILLED_AFTER.as_ref(), "--pause-file".as_ref(), pause.as_ref()];
    more.extend(told.iter().flat_map(|file| ["--gateway-file".as_ref(), file.as_os_str()]));
    let (simulators, ready) = simulate(workspace, &dir, &more)?;
    let config = dir.join(CONFIG);
    on_one_database(&config, database.url())?;

    let mut gateways = Vec::new();
    let mut urls = Vec::new();
    for name in NAMES {
        let folder = dir.join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut command = serving(workspace, &config, &folder, &ready);
        if gateways.is_empty() {
            command.arg("--pull-first");
        }
        // What it greets with goes to the file alone: it holds a key.
        let mut gateway = Running::start("a gateway", command.args(arguments).stdout(Stdio::null()))?;
        // One after the other: the first one makes the tables, and says when it has pulled.
        let Greeting { url, .. } = gateway.wait_for(STORY_PATIENCE, || read(&folder.join(GATEWAY_FILE)))?;
        say(&format!("the {name} gateway serves {url}"));
        urls.push(url);
        gateways.push(gateway);
    }
    let mut new_key = in_cluster(workspace, &config, &dir.join(NAMES[0]), &ready);
    let made = process::output("renmen key new", new_key.args(["--json", "key", "new", "story", "--role", "owner"]))?;
    let made: serde_json::Value = serde_json::from_str(&made).context("the answer of renmen key new")?;
    for (url, file) in urls.iter().zip(&told) {
        tell(file, &json!({ "url": url, "key": made["key"] }))?;
    }
    let mut first = gateways.remove(0).stopped_with("-KILL");
    first.wait_for(STORY_PATIENCE, || Ok(pause.exists().then_some(())))?;
    drop(first);
    say("the first gateway was killed (SIGKILL); the other two go on");
    fs::remove_file(&pause).with_context(|| pause.display().to_string())?;
    let story: Ended = gateways[0].wait_for(STORY_PATIENCE, || read(&dir.join(STORY_FILE)))?;
    for gateway in gateways {
        let ended = gateway.end()?;
        if !ended.success() {
            bail!("a gateway ended with {ended}");
        }
    }
    drop(simulators);
    if let Some(error) = story.error {
        bail!("the story went wrong: {error}");
    }
    let mut records = in_cluster(workspace, &config, &dir.join(NAMES[1]), &ready);
    process::run("what is in the store now", records.arg("records"))?;
    Ok(ExitCode::SUCCESS)
}

/// Whole or not at all: the simulators read it as soon as it is there.
fn tell(file: &Path, what: &serde_json::Value) -> anyhow::Result<()> {
    let draft = file.with_extension("draft");
    fs::write(&draft, what.to_string()).with_context(|| draft.display().to_string())?;
    fs::rename(&draft, file).with_context(|| file.display().to_string())
}

/// Gives the deployment this store, and one key for links to decisions.
fn on_one_database(config: &Path, url: &str) -> anyhow::Result<()> {
    let mut text = fs::read_to_string(config).with_context(|| config.display().to_string())?;
    let link_key = format!("decision_link_key_env = \"{}\"", LINK_KEY.0);
    for (table, line) in [("\n[store]\n", format!("url = \"{url}\"")), ("\n[interview]\n", link_key)] {
        let (before, after) =
            text.split_once(table).with_context(|| format!("{CONFIG} has no table {}", table.trim()))?;
        text = format!("{before}{table}{line}\n{after}");
    }
    fs::write(config, text).with_context(|| config.display().to_string())
}

fn serving(workspace: &Workspace, config: &Path, folder: &Path, ready: &Ready) -> Command {
    let mut command = in_cluster(workspace, config, folder, ready);
    command.args(["serve", "--listen", "127.0.0.1:0", "--ready-file"]).arg(folder.join(GATEWAY_FILE));
    command
}

/// A command of one of the gateways: its own folder, the configuration and the store of all.
fn in_cluster(workspace: &Workspace, config: &Path, folder: &Path, ready: &Ready) -> Command {
    let mut command = gateway(workspace, folder, ready, config);
    command.env("RENMEN_CACHE_DIR", folder.with_file_name("cache")).env(LINK_KEY.0, LINK_KEY.1);
    command
}
