//! Every connector is a folder of the same form: who knows one finds the way in all of them. What is missing, and what has a name of its own,
//! is told by its path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use renmen_kit::scaffold::{PluginName, Scaffold, Shape};

/// What every connector has. A name that ends with `/` is a folder that holds something.
const ALL: [&str; 4] = ["README.md", "plugin.toml", "conformance.toml", "fixtures/"];
/// What those in Rust have besides.
const RUST: [&str; 3] = ["Cargo.toml", "src/lib.rs", "tests/it/main.rs"];
/// What those without code have besides.
const DECLARED: [&str; 2] = ["mapping.toml", "fixtures/records.json"];
/// What may stand next to all that. What is made in the folder is in no release.
const MAY: [&str; 8] = [".gitignore", "Cargo.lock", "benches", "rust-toolchain.toml", "sdk", "src", "target", "tests"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// What a connector's folder lacks, and what has no place in it.
fn faults(folder: &Path) -> Vec<String> {
    let has = |name: &str| match name.strip_suffix('/') {
        Some(name) => std::fs::read_dir(folder.join(name)).is_ok_and(|mut entries| entries.next().is_some()),
        None => folder.join(name).is_file(),
    };
    let own: &[&str] = if has("mapping.toml") { &DECLARED } else { &RUST };
    let expected: Vec<&str> = ALL.iter().chain(own).copied().collect();
    let shown = |name: &str| folder.join(name).strip_prefix(root()).unwrap_or(&folder.join(name)).display().to_string();
    let mut faults: Vec<String> =
        expected.iter().filter(|name| !has(name)).map(|name| format!("{} is missing", shown(name))).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known =
            expected.iter().any(|known| known.split('/').next() == Some(name.as_str())) || MAY.contains(&name.as_str());
        let made = name.ends_with(".wasm") || name.ends_with(".minisig");
        if !known && !made {
            faults.push(format!("{} has a name that no other connector has", shown(&name)));
        }
    }
    let fixtures = std::fs::read_dir(folder.join("fixtures")).into_iter().flatten();
    let names: Vec<String> = fixtures.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    if has("mapping.toml") && !names.iter().any(|name| name.ends_with(".http.json")) {
        faults.push(format!("{} is missing", shown("fixtures/*.http.json")));
    }
    faults
}

#[test]
fn every_connector_has_the_same_folders_and_files() {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::from([root().join("plugin-sdk/examples/staff-api")]);
    for area in ["plugins", "declarative/connectors"] {
        folders.extend(std::fs::read_dir(root().join(area)).unwrap().map(|entry| entry.unwrap().path()));
    }
    assert!(folders.len() >= 8, "the connectors are elsewhere: {folders:?}");
    let found: Vec<String> = folders.iter().flat_map(|folder| faults(folder)).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_plugin_new_writes_is_of_that_form() {
    for shape in [Shape::Cursor, Shape::Offset, Shape::Webhook, Shape::Declarative] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("acme-hr");
        Scaffold { name: PluginName::new("acme-hr").unwrap(), shape, folder: folder.clone(), sdk: None }
            .write()
            .unwrap();
        assert_eq!(faults(&folder), Vec::<String>::new(), "{shape:?}");
    }
}

#[test]
fn what_is_missing_and_what_is_strange_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["README.md", "plugin.toml", "mapping.toml", "extra.py"] {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    std::fs::create_dir(dir.path().join("fixtures")).unwrap();
    let found = faults(dir.path()).join("\n");
    for wanted in [
        "conformance.toml is missing",
        "fixtures/ is missing",
        "fixtures/records.json is missing",
        "extra.py has a name",
    ] {
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
    assert!(!found.contains("Cargo.toml"), "{found}");
}
