//! A made-up manifest becomes a connector that reads what Airbyte's own runtime reads.

mod folder;
mod many;
mod ours;
mod same;
mod theirs;
mod vendor;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use renmen_kit::airbyte::{Import, Imported};
use renmen_kit::scaffold::PluginName;

/// The made-up manifest.
pub(crate) const MANIFEST: &str = include_str!("manifest.yaml");

pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/airbyte").join(file)
}

/// Imports a text.
pub(crate) fn import(text: &str) -> Result<Imported, String> {
    let dir = tempfile::tempdir().unwrap();
    let manifest = dir.path().join("manifest.yaml");
    std::fs::write(&manifest, text).unwrap();
    let name = PluginName::new("acme").unwrap();
    let import = Import { manifest, name, auth: None, entities: BTreeMap::new() };
    let shown = dir.path().display().to_string();
    import.run().map_err(|error| error.to_string().replace(&shown, ""))
}
