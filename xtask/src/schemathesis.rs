//! `cargo xtask schemathesis`: every operation of a running gateway against the API's own document.
//!
//! The gateway is that of the demo, with everything that its story left in the store, so that requests meet records. It is
//! a check of its own because it takes minutes and needs a tool that is fetched.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use crate::workspace::Workspace;
use crate::{demo, process, say};

/// What is installed, into a Python of its own.
const TOOL: &str = "schemathesis>=4.32,<5";

/// How thorough to be.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Requests made up for each operation, in addition to those that its description alone leads to.
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// The seed of an earlier run, to see the same again.
    #[arg(long)]
    seed: Option<String>,
    /// Passed on to the tool, as in `--include-path /v1/keys`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Plays the demo, asks, and ends everything.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let python = python(workspace)?;
    let played = demo::play(workspace)?;
    let official = workspace.root.join("tests/official");
    let mut command = Command::new(python);
    command.args(["-m", "schemathesis.cli", "--config-file"]).arg(official.join("schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", played.url));
    command.arg("--header").arg(format!("Authorization: Bearer {}", played.key));
    command.args(["--phases", "coverage,fuzzing,stateful", "--checks", "all", "--continue-on-failure"]);
    command.args(["--max-examples", &options.examples.to_string()]);
    if let Some(seed) = &options.seed {
        command.args(["--seed", seed]);
    }
    command.args(&options.arguments);
    command.current_dir(&workspace.target).env("PYTHONPATH", &official).env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    let checked = process::Running::start("schemathesis", &mut command)?.wait()?;
    played.end()?;
    Ok(if checked.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The Python that has the tool; made the first time.
fn python(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = workspace.target.join("schemathesis");
    let python = home.join("bin/python");
    let mut ask = Command::new(&python);
    ask.args(["-c", "import schemathesis"]).stdout(Stdio::null()).stderr(Stdio::null());
    if ask.status().is_ok_and(|status| status.success()) {
        return Ok(python);
    }
    say("making a Python for schemathesis");
    let mut make = Command::new("python3");
    process::run("making a Python for schemathesis", make.args(["-m", "venv"]).arg(&home))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOL]);
    process::run("installing schemathesis", &mut install)?;
    Ok(python)
}
