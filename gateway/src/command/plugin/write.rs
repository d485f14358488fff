//! `renmen plugin new`, `sdk`, `build` and `check`: from nothing to a component.

use std::path::{Path, PathBuf};

use renmen_kit::build::Build;
use renmen_kit::check::Level;
use renmen_kit::scaffold::{PluginName, Scaffold, Shape, write_sdk};
use renmen_schema::{Text, text};
use serde_json::json;

use super::{describe, document};
use crate::exit::Outcome;
use crate::output::Output;

/// Writes a connector.
pub(super) fn new(
    out: Output,
    name: &str,
    shape: Shape,
    dir: Option<&Path>,
    sdk: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let name = PluginName::new(name)?;
    let folder = dir.map_or_else(|| PathBuf::from(name.as_str()), Path::to_owned);
    let scaffold = Scaffold { name, shape, folder: folder.clone(), sdk: sdk.map(Path::to_owned) };
    let written = scaffold.write()?;
    if out.json {
        out.document(&json!({ "folder": folder, "files": written }))?;
    } else {
        for file in &written {
            out.say(Text::verbatim(format!("  {}", file.display())));
        }
        let test = if shape == Shape::Declarative { "renmen plugin test" } else { "cargo test" };
        out.say(text!(
            "\nNext:\n  cd {}\n  {test}\n  renmen plugin build",
            "\n接下来：\n  cd {}\n  {test}\n  renmen plugin build",
            folder.display()
        ));
    }
    Ok(Outcome::Done)
}

/// Replaces a connector's SDK.
pub(super) fn sdk(out: Output, dir: &Path) -> anyhow::Result<Outcome> {
    let sdk = write_sdk(dir)?;
    if out.json {
        out.document(&json!({ "sdk": sdk }))?;
    } else {
        out.say(text!(
            "{} is the SDK of this release now: run `cargo test`, then `renmen plugin build`",
            "{} 现为此版本的 SDK：请运行 `cargo test`，再运行 `renmen plugin build`",
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
        let sheet = describe::describe(&built.inspection);
        out.say(Text::rendered(|| format!("{sheet}\n\n{}", built.path.display())));
    }
    Ok(Outcome::Done)
}

/// Lints it.
pub(super) async fn check(out: Output, path: &Path, strict: bool) -> anyhow::Result<Outcome> {
    let checked = renmen_kit::check::check(path).await?;
    let rows = checked.lints.iter().map(|lint| {
        let level = if lint.level == Level::Error { "ERROR" } else { "warning" };
        vec![level.to_owned(), lint.code.to_owned(), lint.place.clone(), lint.message.clone()]
    });
    if out.json || !checked.lints.is_empty() {
        out.table(&["", "what", "where", "why, and what to do"], rows, &checked)?;
    }
    if let Some(digest) = &checked.digest {
        out.say(text!(
            "{digest} ({} bytes) imports {}",
            "{digest}（{} 字节）导入 {}",
            checked.bytes.unwrap_or(0),
            checked.imports.join(", ")
        ));
    }
    let passed = checked.passed() && (!strict || checked.lints.is_empty());
    out.say(if passed { text!("passed", "通过") } else { text!("FAILED", "未通过") });
    Ok(if passed { Outcome::Done } else { Outcome::Failed })
}
