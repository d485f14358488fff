//! `renmen plugin check`: what can be known to be wrong or wanting without running the connector against anything.
//!
//! An error is what a gateway would refuse; a warning is what an operator or a reader will miss. Each has its place and says
//! what to do.

mod built;
mod exchanges;
mod mapping;
mod sheet;
mod sources;

use std::path::{Path, PathBuf};

use renmen_plugin_host::Inspection;
use renmen_schema::manifest::Manifest;
use renmen_schema::text;
use serde::Serialize;

use crate::{KitError, component, declared};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A gateway refuses it.
    Error,
    /// It works, but it will cause trouble.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// How bad it is.
    pub level: Level,
    /// A stable word: `unused_host`.
    pub code: &'static str,
    /// File and line, or the key.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a check found.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// What was checked.
    pub path: PathBuf,
    /// Errors first.
    pub lints: Vec<Lint>,
    /// The component's digest, where one was looked at.
    pub digest: Option<String>,
    /// Its imports.
    pub imports: Vec<String>,
    /// Its size in bytes.
    pub bytes: Option<u64>,
}

impl Checked {
    /// Would a gateway take it?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.lints.iter().all(|lint| lint.level == Level::Warning)
    }
}

/// Where lints gather.
#[derive(Default)]
struct Lints(Vec<Lint>);

impl Lints {
    fn error(&mut self, code: &'static str, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Lint { level: Level::Error, code, place: place.into(), message: message.into() });
    }

    fn warning(&mut self, code: &'static str, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Lint { level: Level::Warning, code, place: place.into(), message: message.into() });
    }
}

/// Checks a connector's folder, with its fixtures and the component if it is built, or a component alone.
///
/// # Errors
/// [`KitError`] when there is nothing to check. What is wrong with a connector is a lint.
pub async fn check(path: &Path) -> Result<Checked, KitError> {
    let mut lints = Lints::default();
    let inspection = if path.is_dir() { folder(path, &mut lints).await? } else { file(path, &mut lints).await? };
    let Lints(mut lints) = lints;
    lints.sort_by_key(|lint| lint.level);
    Ok(Checked {
        path: path.to_owned(),
        lints,
        digest: inspection.as_ref().map(|found| found.digest.clone()),
        bytes: inspection.as_ref().map(|found| found.bytes),
        imports: inspection.map(|found| found.imports).unwrap_or_default(),
    })
}

async fn folder(folder: &Path, lints: &mut Lints) -> Result<Option<Inspection>, KitError> {
    let sheet = folder.join("plugin.toml");
    if !sheet.is_file() {
        let shown = folder.display();
        return Err(KitError::Usage(text!(
            "{shown} has no plugin.toml: name a connector's folder or a .wasm file",
            "{shown} 中没有 plugin.toml：请指定连接器目录或 .wasm 文件"
        )));
    }
    let text = component::read_text(&sheet)?;
    let manifest = match crate::manifest::parse(&sheet, &text) {
        Ok(manifest) => manifest,
        Err(wrong) => {
            lints.error("manifest", sheet.display().to_string(), wrong);
            return Ok(None);
        }
    };
    if declared::is_declared(folder) {
        return mapping::check(folder, &text, manifest, lints).await;
    }
    sheet::check(&manifest, &|key| sheet::place(&sheet, &text, key), lints);
    sheet::package(folder, &manifest, lints);
    exchanges::check(&folder.join("fixtures"), &manifest, exchanges::Named::ByStream, lints);
    let component = folder.join(format!("{}.wasm", manifest.name));
    if !component.is_file() {
        let hint = "it is not built, so its imports, size and slots were not looked at: run `renmen plugin build`";
        lints.warning("not_built", component.display().to_string(), hint);
        return Ok(None);
    }
    let inspection = built::check(&component, lints).await?;
    if inspection.as_ref().is_some_and(|found| found.manifest != manifest) {
        let hint = "it was built with a different plugin.toml than the one in its folder: run `renmen plugin build`";
        lints.warning("stale", component.display().to_string(), hint);
    }
    sources::check(folder, &component, lints);
    Ok(inspection)
}

async fn file(file: &Path, lints: &mut Lints) -> Result<Option<Inspection>, KitError> {
    let inspection = built::check(file, lints).await?;
    if let Some(found) = &inspection {
        sheet::check(&found.manifest, &|key| format!("{}: {key}", file.display()), lints);
    }
    Ok(inspection)
}

/// Origins of the manifest's hosts that name none by themselves: `{base_url}`.
fn is_open(host: &str) -> bool {
    host.starts_with('{')
}

fn methods(manifest: &Manifest) -> Vec<&str> {
    if manifest.http.methods.is_empty() {
        return vec!["GET"];
    }
    manifest.http.methods.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
