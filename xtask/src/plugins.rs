//! Every connector of the workspace as a component: `target/plugins/NAME.wasm`, and their digests in `digests.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::workspace::{Connector, Workspace};
use crate::{process, say};

/// The target that connectors are compiled for: no WASI, nothing but the contract's own imports.
const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of connectors: optimised, without debug information.
const PROFILE: &str = "plugin";

/// `digests.toml`: what was built, from what.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Digests(BTreeMap<String, Built>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Built {
    /// The name of the component, in the same folder as this list.
    file: String,
    /// `sha256:…`: what connectors.toml pins.
    digest: String,
    /// Of module or mapping, manifest and the program that joined them: equal inputs are not joined again.
    inputs: String,
}

impl Digests {
    /// What is known of connectors that are not built now.
    fn others(&self, built: &[&Connector]) -> Self {
        let stays = |(name, _): &(&String, &Built)| !built.iter().any(|connector| connector.name == **name);
        Self(self.0.iter().filter(stays).map(|(name, known)| (name.clone(), known.clone())).collect())
    }
}

/// Builds connectors with one call of cargo, then makes a component of each that changed. Gives how many there are. What the list of
/// digests says of other connectors stays.
pub(crate) fn build(workspace: &Workspace, connectors: &[&Connector], gateway: &Path) -> anyhow::Result<usize> {
    if connectors.is_empty() {
        bail!("no workspace member is a connector (a cdylib with a plugin.toml next to its Cargo.toml)");
    }
    compile(workspace, connectors)?;
    let dir = workspace.plugins_dir();
    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let list = dir.join("digests.toml");
    let before = read_digests(&list);
    let mut now = before.others(connectors);
    let mut packed = 0;
    for connector in connectors {
        let module = workspace.target.join(TARGET).join(PROFILE).join(format!("{}.wasm", connector.library));
        // The gateway carries the module of those without code.
        let code = connector.mapping.as_ref().unwrap_or(&module);
        let inputs = inputs_of(code, &connector.manifest, gateway)?;
        let out = dir.join(format!("{}.wasm", connector.name));
        let digest = match before.0.get(&connector.name) {
            Some(known) if known.inputs == inputs && out.is_file() => known.digest.clone(),
            _ => {
                packed += 1;
                pack(gateway, connector, &module, &out)?
            }
        };
        let built = Built { file: format!("{}.wasm", connector.name), digest, inputs };
        if now.0.insert(connector.name.clone(), built).is_some() {
            bail!("two connectors are named `{}`", connector.name);
        }
    }
    let text = toml::to_string(&now).context("digests.toml")?;
    fs::write(&list, text).with_context(|| list.display().to_string())?;
    let count = connectors.len();
    say(&format!("{count} components in {} ({packed} rebuilt)", dir.display()));
    Ok(count)
}

fn compile(workspace: &Workspace, connectors: &[&Connector]) -> anyhow::Result<()> {
    let mut build = workspace.cargo();
    // A linter that stands in for the compiler would optimise less, and a connector's budgets are measured.
    build.env_remove("RUSTC_WORKSPACE_WRAPPER");
    build.args(["build", "--profile", PROFILE, "--lib", "--target", TARGET]);
    for connector in connectors.iter().filter(|connector| connector.mapping.is_none()) {
        build.args(["-p", &connector.package]);
    }
    process::run("building the connectors", &mut build)
}

/// Adds the target of connectors to the toolchain where it is absent. rustup does so by itself only together with the
/// toolchain: a toolchain that was there before this repository lacks the target, and the build would find out after ten minutes.
pub(crate) fn ensure_target(workspace: &Workspace) -> anyhow::Result<()> {
    if !target_is_missing(workspace) {
        return Ok(());
    }
    say(&format!("adding the Rust target {TARGET} to the toolchain"));
    let mut add = Command::new("rustup");
    add.current_dir(&workspace.root).args(["target", "add", TARGET]);
    process::run("rustup target add", &mut add).with_context(|| {
        format!("connectors need the Rust target {TARGET}: install it with your toolchain's own means")
    })
}

/// Is the standard library for the target absent?
fn target_is_missing(workspace: &Workspace) -> bool {
    let mut ask = Command::new("rustc");
    ask.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", TARGET]);
    process::output("rustc", &mut ask).is_ok_and(|dir| !PathBuf::from(dir.trim()).is_dir())
}

/// The digest that the gateway gave its component: of a connector without code it makes the whole, as for any author.
fn pack(gateway: &Path, connector: &Connector, module: &Path, out: &Path) -> anyhow::Result<String> {
    let (manifest, mut pack) = (&connector.manifest, Command::new(gateway));
    match &connector.mapping {
        None => {
            pack.args(["--json", "plugin", "pack", "--module"]).arg(module);
            pack.arg("--manifest").arg(manifest)
        }
        Some(mapping) => pack.args(["--json", "plugin", "build"]).arg(mapping.parent().unwrap_or(Path::new("."))),
    };
    pack.arg("--out").arg(out);
    let answer = process::output("renmen plugin", &mut pack).with_context(|| manifest.display().to_string())?;
    let answer: serde_json::Value = serde_json::from_str(&answer).context("the answer of renmen plugin")?;
    let digest = answer["digest"].as_str().context("renmen plugin told no digest")?;
    Ok(digest.to_owned())
}

/// If the list cannot be read, everything is built again.
fn read_digests(list: &Path) -> Digests {
    fs::read_to_string(list).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
}

/// Not a safe hash, and none is needed: it compares a build with the one before it. Of the gateway its size and time
/// stand for its content, which would take longer to read than making a component.
fn inputs_of(module: &Path, manifest: &Path, gateway: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in [module, manifest] {
        fs::read(path).with_context(|| path.display().to_string())?.hash(&mut hasher);
    }
    let program = fs::metadata(gateway).with_context(|| gateway.display().to_string())?;
    program.len().hash(&mut hasher);
    program.modified().context("the gateway's time")?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn inputs_differ_when_any_of_the_three_differs() {
        let dir = tempfile::tempdir().unwrap();
        let [module, manifest, gateway] = ["module", "manifest", "gateway"].map(|name| dir.path().join(name));
        for path in [&module, &manifest, &gateway] {
            fs::write(path, "a").unwrap();
        }
        let mut seen = vec![inputs_of(&module, &manifest, &gateway).unwrap()];
        assert_eq!(seen[0], inputs_of(&module, &manifest, &gateway).unwrap());
        for path in [&module, &manifest, &gateway] {
            fs::write(path, "bb").unwrap();
            seen.push(inputs_of(&module, &manifest, &gateway).unwrap());
        }
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn digests_are_read_as_written_and_a_torn_list_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("digests.toml");
        let built = Built { file: "a.wasm".into(), digest: "sha256:00".into(), inputs: "1".into() };
        fs::write(&list, toml::to_string(&Digests(BTreeMap::from([("a".to_owned(), built)]))).unwrap()).unwrap();
        assert_eq!(read_digests(&list).0["a"].digest, "sha256:00");
        fs::write(&list, "[a\nfile").unwrap();
        assert!(read_digests(&list).0.is_empty());
        assert!(read_digests(&dir.path().join("absent")).0.is_empty());
    }
}
