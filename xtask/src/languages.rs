//! Connectors in other languages than Rust, made with the commands that their READMEs give: `target/plugins/staff-js.wasm`
//! and `staff-python.wasm`. Where Node or Python is missing, they are left out and it is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::workspace::Workspace;
use crate::{process, say};

/// The version that the examples were written with.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";

/// Makes what can be made here.
pub(crate) fn build(workspace: &Workspace, gateway: &Path) {
    for (name, needs, make) in [
        ("staff-js", ["node", "npm"], javascript as fn(&Example<'_>) -> anyhow::Result<()>),
        ("staff-python", ["python3", "python3"], python),
    ] {
        if let Some(missing) = needs.into_iter().find(|program| !is_there(program)) {
            say(&format!("{missing} is not there: the example {name} is neither built nor tested"));
            continue;
        }
        let example = Example::new(workspace, gateway, name);
        if let Err(error) = example.prepare().and_then(|()| make(&example)).and_then(|()| example.pack()) {
            say(&format!("{error:#}: the example {name} is not tested"));
            // A test that finds an old component would speak of another connector.
            let _gone = fs::remove_file(&example.plugin);
        }
    }
}

/// An example with a folder of its own below `target`, because its tools write next to its sources.
struct Example<'w> {
    name: &'static str,
    gateway: &'w Path,
    sources: PathBuf,
    wit: PathBuf,
    folder: PathBuf,
    plugin: PathBuf,
}

impl<'w> Example<'w> {
    fn new(workspace: &Workspace, gateway: &'w Path, name: &'static str) -> Self {
        Self {
            name,
            gateway,
            sources: workspace.root.join("plugin-sdk/examples").join(name),
            wit: workspace.root.join("plugin-sdk/wit/connector.wit"),
            folder: workspace.target.join("languages").join(name),
            plugin: workspace.plugins_dir().join(format!("{name}.wasm")),
        }
    }

    fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.component.wasm", self.name))
    }

    fn prepare(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        for entry in fs::read_dir(&self.sources).with_context(|| self.sources.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), self.folder.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).env("RENMEN_WIT", &self.wit);
        command
    }

    fn pack(&self) -> anyhow::Result<()> {
        let mut pack = Command::new(self.gateway);
        pack.args(["plugin", "pack", "--module"]).arg(self.component());
        pack.arg("--manifest").arg(self.folder.join("plugin.toml")).arg("--out").arg(&self.plugin);
        process::run("packing the component", &mut pack)
    }
}

fn javascript(example: &Example<'_>) -> anyhow::Result<()> {
    if !example.folder.join("node_modules/@bytecodealliance/componentize-js").is_dir() {
        let install = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run("installing componentize-js", &mut example.command("npm", &install))?;
    }
    process::run("building staff-js", &mut example.command("node", &["build.js"]))
}

fn python(example: &Example<'_>) -> anyhow::Result<()> {
    let home = example.folder.join(".venv");
    let tool = home.join("bin/componentize-py");
    if !tool.is_file() {
        let venv = ["-m", "venv", ".venv"];
        process::run("making a Python for componentize-py", &mut example.command("python3", &venv))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", COMPONENTIZE_PY];
        process::run("installing componentize-py", &mut example.command(home.join("bin/python"), &install))?;
    }
    let mut build = example.command(&tool, &["-w", "source-connector", "-d"]);
    build.arg(&example.wit).args(["componentize", "--stub-wasi", "connector", "-o"]).arg(example.component());
    process::run("building staff-python", &mut build)
}

fn is_there(program: &str) -> bool {
    let mut ask = Command::new(program);
    ask.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}
