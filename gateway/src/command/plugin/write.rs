//! `renmen plugin new`, `sdk` and `build`: from nothing to a component.

use std::path::{Path, PathBuf};

use renmen_kit::build::Build;
use renmen_kit::scaffold::{PluginName, Scaffold, write_sdk};
use serde_json::json;

use super::{describe, document};
use crate::exit::Outcome;
use crate::output::Output;

/// Writes a connector.
pub(super) fn new(out: Output, name: &str, dir: Option<&Path>, sdk: Option<&Path>) -> anyhow::Result<Outcome> {
    let name = PluginName::new(name)?;
    let folder = dir.map_or_else(|| PathBuf::from(name.as_str()), Path::to_owned);
    let scaffold = Scaffold { name, folder: folder.clone(), sdk: sdk.map(Path::to_owned) };
    let written = scaffold.write()?;
    if out.json {
        out.document(&json!({ "folder": folder, "files": written }))?;
    } else {
        for file in &written {
            out.say(&format!("  {}", file.display()));
        }
        out.say(&format!("\nNext:\n  cd {}\n  cargo test\n  renmen plugin build", folder.display()));
    }
    Ok(Outcome::Done)
}

/// Replaces a connector's SDK.
pub(super) fn sdk(out: Output, dir: &Path) -> anyhow::Result<Outcome> {
    let sdk = write_sdk(dir)?;
    if out.json {
        out.document(&json!({ "sdk": sdk }))?;
    } else {
        out.say(&format!(
            "{} is the SDK of this release now: run `cargo test`, then `renmen plugin build`",
            sdk.display()
        ));
    }
    Ok(Outcome::Done)
}

/// Compiles it and makes its component.
pub(super) fn build(out: Output, build: &Build) -> anyhow::Result<Outcome> {
    let built = build.run()?;
    if out.json {
        let mut told = document(&built.inspection);
        told["file"] = json!(built.path);
        out.document(&told)?;
    } else {
        out.say(&format!("{}\n\n{}", describe(&built.inspection), built.path.display()));
    }
    Ok(Outcome::Done)
}
