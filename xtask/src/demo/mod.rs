//! `cargo xtask demo`: the gateway on the repository's connectors.toml, with simulated vendors in the place of real ones, and with ERP,
//! CRM and finance on, which the file has off because they need an account.

mod cluster;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{plugins, say};

/// How long the simulators may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the pull and the story may take together.
const STORY_PATIENCE: Duration = Duration::from_secs(600);
/// Where the gateway says that it serves, and the simulators that the story ended.
const GATEWAY_FILE: &str = "gateway.json";
const STORY_FILE: &str = "story.json";
/// The example deployment, and the name under which the simulators write the one that the demo runs.
const CONFIG: &str = "connectors.toml";

/// How to show it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Pull everything once, play the story of one application, print the outcome, and end.
    #[arg(long)]
    once: bool,
    /// Keep the data of the last demo instead of starting over.
    #[arg(long)]
    keep: bool,
    /// Play it once on three gateways that share a private PostgreSQL; one of them is killed in the middle.
    #[arg(long, conflicts_with_all = ["once", "keep"])]
    cluster: bool,
    /// Passed on to the gateway.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// What the simulators say when all of them listen.
#[derive(Deserialize)]
struct Ready {
    dingtalk_url: String,
    dingtalk_old_url: String,
    feishu_url: String,
    feishu_app: String,
    feishu_encrypt_key: String,
    interview_url: String,
    files_url: String,
    inbox: String,
    dingtalk_app: String,
    interview_key: String,
    interview_webhook_secret: String,
    recruiter: String,
    sms_url: String,
    sms_key: String,
    /// Further secrets, by the variables that hold them.
    secrets: BTreeMap<String, String>,
}

/// What the gateway says when it serves.
#[derive(Deserialize)]
struct Greeting {
    url: String,
    key: String,
}

/// What the simulators say when the story ended.
#[derive(Deserialize)]
struct Ended {
    error: Option<String>,
}

/// Builds, starts the simulators, then the gateway; ends all of them together.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    build(workspace)?;
    if options.cluster {
        return cluster::run(workspace, &options.arguments);
    }
    let dir = folder(workspace, "demo", options.keep)?;
    let (simulators, ready) = simulate(workspace, &dir, &[])?;
    let mut command = serving(workspace, &dir, &ready, options.once);
    command.args(&options.arguments);
    let mut gateway = Running::start("the gateway", &mut command)?;
    if !options.once {
        let ended = gateway.wait();
        drop(simulators);
        return exit_code(ended);
    }
    let story: Ended = gateway.wait_for(STORY_PATIENCE, || read(&dir.join(STORY_FILE)))?;
    let ended = gateway.end();
    drop(simulators);
    if let Some(error) = story.error {
        bail!("the story went wrong: {error}");
    }
    let mut records = self::gateway(workspace, &dir, &ready, &dir.join(CONFIG));
    process::run("what is in the store now", records.arg("records"))?;
    exit_code(ended)
}

/// A demo whose story was played, and whose gateway still serves.
pub(crate) struct Played {
    pub(crate) url: String,
    pub(crate) key: String,
    gateway: Running,
    simulators: Running,
}

impl Played {
    /// Ends the gateway, then its vendors.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let ended = self.gateway.end()?;
        drop(self.simulators);
        if ended.success() { Ok(()) } else { bail!("the gateway ended with {ended}") }
    }
}

/// Plays the story of the demo in a folder of its own, for callers that need a gateway with data in it.
pub(crate) fn play(workspace: &Workspace) -> anyhow::Result<Played> {
    build(workspace)?;
    let dir = folder(workspace, "played", false)?;
    let (simulators, ready) = simulate(workspace, &dir, &[])?;
    let mut command = serving(workspace, &dir, &ready, true);
    // What it greets with goes to the file alone: it holds a key.
    let mut gateway = Running::start("the gateway", command.stdout(Stdio::null()))?;
    let story: Ended = gateway.wait_for(STORY_PATIENCE, || read(&dir.join(STORY_FILE)))?;
    if let Some(error) = story.error {
        bail!("the story went wrong: {error}");
    }
    let Greeting { url, key } = read(&dir.join(GATEWAY_FILE))?.context("a gateway that serves says where")?;
    Ok(Played { url, key, gateway, simulators })
}

fn build(workspace: &Workspace) -> anyhow::Result<()> {
    let gateway = workspace.build_gateway()?;
    plugins::build(workspace, &workspace.shipped(), &gateway).map(drop)
}

fn folder(workspace: &Workspace, name: &str, keep: bool) -> anyhow::Result<PathBuf> {
    let dir = workspace.root.join(".renmen").join(name);
    if !keep && dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
    }
    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    Ok(dir)
}

fn serving(workspace: &Workspace, dir: &Path, ready: &Ready, on_a_free_port: bool) -> Command {
    let mut command = gateway(workspace, dir, ready, &dir.join(CONFIG));
    command.args(["serve", "--pull-first", "--ready-file"]).arg(dir.join(GATEWAY_FILE));
    if on_a_free_port {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command
}

fn exit_code(ended: anyhow::Result<ExitStatus>) -> anyhow::Result<ExitCode> {
    match ended {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        Ok(status) => {
            Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
        }
        // To be stopped is how the demo that stays up ends.
        Err(_) if process::interrupted() => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

/// Starts the simulators. `more` are further arguments; without any, the story is played on the one gateway of this folder.
fn simulate(workspace: &Workspace, dir: &Path, more: &[&OsStr]) -> anyhow::Result<(Running, Ready)> {
    let sign = dir.join("simulators.json");
    // The files of an earlier demo would name ports on which no program listens any more.
    for file in [&sign, &dir.join(GATEWAY_FILE), &dir.join(STORY_FILE)] {
        if file.exists() {
            fs::remove_file(file).with_context(|| file.display().to_string())?;
        }
    }
    let mut command = Command::new(workspace.binary("renmen-sim"));
    command.arg("--ready-file").arg(&sign).arg("--dir").arg(dir.join("inbox"));
    command.arg("--story-file").arg(dir.join(STORY_FILE));
    command.arg("--deployment").arg(workspace.root.join(CONFIG)).arg("--deployment-on").arg(dir.join(CONFIG));
    if more.is_empty() {
        command.arg("--gateway-file").arg(dir.join(GATEWAY_FILE));
    }
    command.args(more);
    own_group(&mut command);
    let mut simulators = Running::start("the simulators", &mut command)?;
    let ready = simulators.wait_for(PATIENCE, || read(&sign))?;
    say("the simulated vendors listen on loopback; everything they serve is made up");
    Ok((simulators, ready))
}

/// What a file says as soon as it is there: it comes whole.
fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<Option<T>> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| file.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

/// The gateway as anyone would start it, with the variables that connectors.toml names.
fn gateway(workspace: &Workspace, dir: &Path, ready: &Ready, config: &Path) -> Command {
    let mut command = Command::new(workspace.binary("renmen"));
    command.current_dir(&workspace.root).args(["--dev", "--config"]).arg(config);
    command.env("RENMEN_DATA_DIR", dir.join("data"));
    command.env("RENMEN_PLUGINS", workspace.plugins_dir());
    command.env("DINGTALK_URL", &ready.dingtalk_url).env("DINGTALK_OLD_URL", &ready.dingtalk_old_url);
    command.env("DINGTALK_APP", &ready.dingtalk_app);
    command.env("FEISHU_URL", &ready.feishu_url).env("FEISHU_APP", &ready.feishu_app);
    command.env("FEISHU_ENCRYPT_KEY", &ready.feishu_encrypt_key);
    command.env("INTERVIEW_URL", &ready.interview_url).env("INTERVIEW_KEY", &ready.interview_key);
    command.env("INTERVIEW_WEBHOOK_SECRET", &ready.interview_webhook_secret);
    command.env("DINGTALK_RECRUITER", &ready.recruiter);
    command.env("SMS_URL", &ready.sms_url).env("SMS_KEY", &ready.sms_key);
    command.env("FILES_URL", &ready.files_url).env("INBOX", &ready.inbox).envs(&ready.secrets);
    own_group(&mut command);
    command
}

/// Ctrl-C in the terminal reaches this process alone, which then ends its children in their order.
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}
