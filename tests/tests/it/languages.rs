//! Connectors in other languages are held to the same conformance kit as those in Rust.
//!
//! `cargo xtask test --all` builds their components where Node and Python are installed; where they are not, the test
//! says so and tests nothing.

use std::process::Command;

use crate::harness::renmen;

#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
fn passes_the_kit(name: &str) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = renmen().ancestors().nth(2).unwrap().to_path_buf();
    let component = target.join("plugins").join(format!("{name}.wasm"));
    if !component.exists() {
        eprintln!("{} is not built: its language is missing here", component.display());
        return;
    }
    let mut kit = Command::new(renmen());
    kit.args(["plugin", "test"]).arg(&component);
    kit.arg("--fixtures").arg(root.join("plugin-sdk/examples").join(name));
    let done = kit.output().unwrap();
    let card = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{card}\n{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "needs Node: cargo xtask test --all"]
fn the_javascript_example_passes_the_conformance_kit() {
    passes_the_kit("staff-js");
}

#[test]
#[ignore = "needs Python: cargo xtask test --all"]
fn the_python_example_passes_the_conformance_kit() {
    passes_the_kit("staff-python");
}
