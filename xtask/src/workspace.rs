//! What cargo knows about this workspace: where its target folder is, which packages are connectors.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;

use crate::process;

/// What the tests need: everything.
pub(crate) const EVERYTHING: &[&str] = &["build", "--workspace", "--lib", "--bins", "--tests"];
/// What the demo runs: the gateway and the simulators. Its features are those of [`EVERYTHING`] where it matters (the wasm compiler,
/// the HTTP stack), so that what the one has built the other does not build again: `tests/Cargo.toml` asks for them.
pub(crate) const DEMO: &[&str] = &["build", "-p", "renmen", "-p", "renmen-tests", "--bins"];

/// The part of `cargo metadata` that is needed here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Where the connectors without code are.
const DECLARED: &str = "declarative/connectors";

/// A connector: a workspace member that is a cdylib with a `plugin.toml` next to its `Cargo.toml`, or a folder with a `mapping.toml` and no
/// code: the gateway carries the module of all of those.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Connector {
    /// As in `plugin.toml`: the name of the component's file.
    pub(crate) name: String,
    /// As in `Cargo.toml`; empty without code.
    pub(crate) package: String,
    /// The library's name, which is that of the module's file; empty without code.
    pub(crate) library: String,
    /// `plugin.toml`.
    pub(crate) manifest: PathBuf,
    /// `mapping.toml`, of one without code.
    pub(crate) mapping: Option<PathBuf>,
}

/// This workspace.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) connectors: Vec<Connector>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // This file's own crate is a member; where the command was called from does not matter.
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let mut ask = Command::new(cargo());
        ask.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(manifest);
        let mut workspace = Self::read(&process::output("cargo metadata", &mut ask)?)?;
        workspace.connectors.extend(declared(&workspace.root.join(DECLARED))?);
        workspace.connectors.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(workspace)
    }

    fn read(metadata: &str) -> anyhow::Result<Self> {
        let metadata: Metadata = serde_json::from_str(metadata).context("cargo metadata")?;
        let connectors = metadata.packages.iter().filter_map(|package| connector(package).transpose());
        let mut connectors = connectors.collect::<anyhow::Result<Vec<_>>>()?;
        connectors.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory, connectors })
    }

    /// Cargo, called from the root as a person would call it. What `cargo run` tells this program of its own package is
    /// taken away: build scripts watch such variables (ring's does), and everything that depends on them would be
    /// rebuilt.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            let of_a_package = |name: &str| {
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            };
            if name.to_str().is_some_and(of_a_package) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Where components and their digests go.
    pub(crate) fn plugins_dir(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// A binary of the dev profile.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Builds the gateway and the simulators, and gives the gateway's path.
    pub(crate) fn build_gateway(&self) -> anyhow::Result<PathBuf> {
        process::run("building the gateway and the simulators", self.cargo().args(DEMO))?;
        Ok(self.binary("renmen"))
    }

    /// Every connector: those that are shipped, and those of tests and examples.
    pub(crate) fn all(&self) -> Vec<&Connector> {
        self.connectors.iter().collect()
    }

    /// The connectors that are shipped: those below `plugins/`, and those without code. The others are of tests and examples.
    pub(crate) fn shipped(&self) -> Vec<&Connector> {
        let folder = self.root.join("plugins");
        let shipped = |connector: &&Connector| connector.mapping.is_some() || connector.manifest.starts_with(&folder);
        self.connectors.iter().filter(shipped).collect()
    }
}

/// The cargo that called us, else the one in the path.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn connector(package: &Package) -> anyhow::Result<Option<Connector>> {
    let Some(library) = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
    else {
        return Ok(None);
    };
    let manifest = package.manifest_path.with_file_name("plugin.toml");
    if !manifest.is_file() {
        return Ok(None);
    }
    Ok(Some(Connector {
        name: name_in(&manifest)?,
        package: package.name.clone(),
        library: library.name.replace('-', "_"),
        manifest,
        mapping: None,
    }))
}

/// The connectors without code in a folder.
fn declared(folder: &Path) -> anyhow::Result<Vec<Connector>> {
    let mut connectors = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let (manifest, mapping) = {
            let path = entry.with_context(|| folder.display().to_string())?.path();
            (path.join("plugin.toml"), path.join("mapping.toml"))
        };
        if mapping.is_file() {
            connectors.push(Connector {
                name: name_in(&manifest)?,
                package: String::new(),
                library: String::new(),
                manifest,
                mapping: Some(mapping),
            });
        }
    }
    Ok(connectors)
}

/// The name in a `plugin.toml`.
fn name_in(manifest: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let table: toml::Table = toml::from_str(&text).with_context(|| manifest.display().to_string())?;
    let name = table.get("name").and_then(toml::Value::as_str);
    Ok(name.with_context(|| format!("{} has no `name`", manifest.display()))?.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_with_a_mapping_is_a_connector_without_a_package() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["with", "without"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("plugin.toml"), format!("name = \"{name}\"\n")).unwrap();
        }
        std::fs::write(dir.path().join("with/mapping.toml"), "").unwrap();
        let found = declared(dir.path()).unwrap();
        let told: Vec<_> = found.iter().map(|c| (c.name.as_str(), c.package.as_str(), c.mapping.is_some())).collect();
        assert_eq!(told, [("with", "", true)]);
    }

    #[test]
    fn a_cdylib_with_a_manifest_is_a_connector_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["one", "two", "three"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("one/plugin.toml"), "name = \"first\"\nversion = \"0.1.0\"\n").unwrap();
        std::fs::write(dir.path().join("three/plugin.toml"), "name = \"third\"\n").unwrap();
        let package = |name: &str, kind: &str| {
            serde_json::json!({
                "name": format!("connector-{name}"),
                "manifest_path": dir.path().join(name).join("Cargo.toml"),
                "targets": [{ "name": format!("connector-{name}"), "crate_types": [kind] }],
            })
        };
        let metadata = serde_json::json!({
            "packages": [package("one", "cdylib"), package("two", "cdylib"), package("three", "lib")],
            "workspace_root": "/w", "target_directory": "/w/target",
        });
        let workspace = Workspace::read(&metadata.to_string()).unwrap();
        let names: Vec<_> = workspace.connectors.iter().map(|c| (c.name.as_str(), c.library.as_str())).collect();
        assert_eq!(names, [("first", "connector_one")]);
    }
}
