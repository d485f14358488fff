//! Builds the hostile plugin when its module is older than its sources, and makes a component of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use renmen_plugin_host::componentize;

const TARGET: &str = "wasm32-unknown-unknown";

/// The hostile plugin as a component.
pub(crate) fn hostile_component() -> Vec<u8> {
    componentize(&hostile_module(), &hostile_manifest()).unwrap()
}

/// Its `plugin.toml`.
pub(crate) fn hostile_manifest() -> String {
    std::fs::read_to_string(folder().join("plugin.toml")).unwrap()
}

/// Its code, built when it is older than its sources.
pub(crate) fn hostile_module() -> Vec<u8> {
    let root = root();
    let module = target_dir(root).join(TARGET).join("plugin/hostile_plugin.wasm");
    let sources = [folder().join("src"), folder().join("Cargo.toml"), root.join("plugin-sdk/wit/connector.wit")];
    if built_at(&module).is_none_or(|built| sources.iter().any(|source| newest(source) > built)) {
        build(root);
    }
    std::fs::read(module).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap()
}

fn folder() -> PathBuf {
    root().join("tests/plugins/hostile")
}

/// The tests' own folder for temporary files lies in the target folder.
fn target_dir(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned(),
    }
}

fn build(root: &Path) {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin", "--target", TARGET, "--package", "hostile-plugin"])
        .arg("--target-dir")
        .arg(target_dir(root))
        .current_dir(root)
        .status()
        .unwrap();
    assert!(status.success(), "the hostile plugin does not build; is the target there? `rustup target add {TARGET}`");
}

fn built_at(file: &Path) -> Option<SystemTime> {
    file.metadata().ok()?.modified().ok()
}

fn newest(path: &Path) -> SystemTime {
    if !path.is_dir() {
        return path.metadata().unwrap().modified().unwrap();
    }
    std::fs::read_dir(path).unwrap().map(|entry| newest(&entry.unwrap().path())).max().unwrap()
}
