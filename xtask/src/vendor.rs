//! `cargo xtask vendor`: the sources of every crate that a build needs, for a machine without a network.
//!
//! The folder is proved before it is handed over: cargo must find every locked crate in it, and build from it, with an empty home and
//! without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::workspace::Workspace;
use crate::{process, say};

/// Where the configuration lies in the folder: `cargo --config vendor/config.toml …`.
const CONFIG: &str = "config.toml";

/// What is built to prove the folder: few crates, among them one with build script and one with procedural macros.
const PROOF: &str = "renmen-schema";

/// Where the sources go.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Directory of the sources, relative to the workspace. What it holds is replaced.
    #[arg(long, default_value = "vendor")]
    dir: PathBuf,
}

/// Fetches, writes the configuration, proves both.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let mut vendor = workspace.cargo();
    vendor.args(["vendor", "--locked", "--quiet"]).arg(&options.dir);
    // What it prints is not wanted: a quiet run leaves the configuration out, and another names every crate.
    process::output("cargo vendor", &mut vendor)?;
    let path = options.dir.join(CONFIG);
    fs::write(workspace.root.join(&path), config(&options.dir)).with_context(|| path.display().to_string())?;
    prove(workspace, &path)?;
    let shown = path.display();
    say(&format!("build without a network: cargo --config {shown} build --offline --locked --release --bin renmen"));
    Ok(ExitCode::SUCCESS)
}

/// Every locked crate comes from the one registry: a test of the workspace keeps other sources out.
fn config(sources: &Path) -> String {
    let directory = toml::Value::String(sources.display().to_string());
    format!("[source.crates-io]\nreplace-with = \"vendored\"\n\n[source.vendored]\ndirectory = {directory}\n")
}

fn prove(workspace: &Workspace, config: &Path) -> anyhow::Result<()> {
    let home = tempfile::tempdir().context("a temporary directory")?;
    let alone = |arguments: &[&str]| {
        let mut command = workspace.cargo();
        command.arg("--config").arg(config).args(arguments).args(["--offline", "--locked"]);
        command.env("CARGO_HOME", home.path()).env("CARGO_TARGET_DIR", home.path().join("target"));
        command
    };
    let mut metadata: Command = alone(&["metadata", "--format-version", "1"]);
    process::output("finding every crate in the vendored sources", &mut metadata)?;
    let mut check = alone(&["check", "--quiet", "-p", PROOF]);
    process::run("building from the vendored sources", &mut check)
}
