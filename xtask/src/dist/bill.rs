//! The bill of materials: what the gateway's binary is made of, as CycloneDX 1.6 in JSON. Versions, licences and sources come from
//! cargo's own graph, hashes from the lock file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::licences::Library;
use crate::workspace::Workspace;

/// The document.
pub(super) fn of(workspace: &Workspace, libraries: &[Library]) -> anyhow::Result<String> {
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock")?;
    let hashes = hashes(&lock)?;
    serde_json::to_string_pretty(&document(libraries, &hashes)).map(|text| text + "\n").context("the bill of materials")
}

fn document(libraries: &[Library], hashes: &BTreeMap<(String, String), String>) -> Value {
    let components: Vec<Value> = libraries.iter().map(|library| component(library, hashes)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": "renmen", "name": "renmen", "version": version,
                "licenses": [{ "expression": "Apache-2.0" }],
            },
        },
        "components": components,
        "dependencies": [{
            "ref": "renmen",
            "dependsOn": libraries.iter().map(Library::reference).collect::<BTreeSet<_>>(),
        }],
    })
}

fn component(library: &Library, hashes: &BTreeMap<(String, String), String>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": library.reference(),
        "name": library.name,
        "version": library.version,
        "purl": library.reference(),
    });
    // CycloneDX takes SPDX expressions; an old way of writing "or" is a slash.
    if let Some(licence) = &library.licence {
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(hash) = hashes.get(&(library.name.clone(), library.version.clone())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": hash }]);
    }
    component
}

fn hashes(lock: &str) -> anyhow::Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock names no package")?;
    let text = |package: &toml::Value, key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    Ok(packages
        .iter()
        .filter_map(|package| Some(((text(package, "name")?, text(package, "version")?), text(package, "checksum")?)))
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_library_is_named_with_version_licence_and_hash() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"00ff\"\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        let library = Library {
            name: "a".into(),
            version: "1.0.0".into(),
            licence: Some("MIT/Apache-2.0".into()),
            folder: std::path::PathBuf::new(),
        };
        let bill = document(&[library], &hashes(lock).unwrap());
        let component = &bill["components"][0];
        assert_eq!(component["purl"], "pkg:cargo/a@1.0.0");
        assert_eq!(component["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(component["hashes"][0]["content"], "00ff");
        assert_eq!(bill["dependencies"][0]["dependsOn"][0], "pkg:cargo/a@1.0.0");
    }
}
