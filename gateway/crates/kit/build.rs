//! Lists what `renmen plugin new` writes: the template, and the sources of the SDK as a workspace of their own, because an
//! author's machine has our binary and cargo, and nothing else of ours. Lines are picked out of the workspace's own
//! `Cargo.toml`, so that the copy cannot ask for other versions than those that were tested here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Sections of a package's manifest that an author's copy does without: its tests stay here.
const LEFT_OUT: [&str; 2] = ["[dev-dependencies]", "[[test]]"];

fn main() {
    // Asked when it runs: a folder that was moved is built from where it is now.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    let root = Path::new(&here).ancestors().nth(3).expect("three folders below the root").to_owned();
    let sdk = root.join("plugin-sdk");
    let mut copy: Vec<(String, PathBuf)> = Vec::new();
    for (name, folder) in [("renmen-plugin", sdk.clone()), ("renmen-schema", sdk.join("schema"))] {
        collect(&folder.join("src"), &format!("{name}/src"), &mut copy);
    }
    copy.push(("renmen-plugin/wit/connector.wit".into(), sdk.join("wit/connector.wit")));
    copy.push(("renmen-schema/README.md".into(), sdk.join("schema/README.md")));
    copy.push(("LICENSE".into(), root.join("LICENSE")));
    let mut template = Vec::new();
    collect(&sdk.join("template"), "", &mut template);

    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut text = String::new();
    let packages = [("renmen-plugin", sdk.join("Cargo.toml")), ("renmen-schema", sdk.join("schema/Cargo.toml"))];
    let mut needed = BTreeSet::new();
    let mut manifests = Vec::new();
    for (name, path) in packages {
        let manifest = without(&read(&path), &LEFT_OUT);
        needed.extend(inherited(&manifest));
        manifests.push((format!("{name}/Cargo.toml"), manifest));
    }
    manifests.push(("Cargo.toml".into(), workspace(&read(&root.join("Cargo.toml")), &needed)));
    text.push_str("/// Files of the SDK's copy: path, text.\npub(super) const SDK: &[(&str, &str)] = &[\n");
    for (path, manifest) in manifests {
        writeln!(text, "    ({path:?}, {manifest:?}),").expect("a string takes it");
    }
    list(&mut text, &copy);
    text.push_str("];\n/// Files of the template: path, text with places to fill.\npub(super) const TEMPLATE: &[(&str, &str)] = &[\n");
    list(&mut text, &template);
    text.push_str("];\n");
    let lock = root.join("Cargo.lock");
    watch(&lock);
    let toolchain = read(&root.join("rust-toolchain.toml"));
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).expect("rust-toolchain.toml names it");
    writeln!(text, "/// The compiler that the SDK was tested with.\npub(super) const TOOLCHAIN: &str = {channel};")
        .expect("a string takes it");
    writeln!(
        text,
        "/// The versions that the SDK was tested with.\npub(super) const LOCK: &str = include_str!({lock:?});"
    )
    .expect("a string takes it");
    fs::write(out.join("embedded.rs"), text).expect("OUT_DIR can be written");
    watch(&sdk);
}

fn list(text: &mut String, files: &[(String, PathBuf)]) {
    for (path, file) in files {
        writeln!(text, "    ({path:?}, include_str!({file:?})),").expect("a string takes it");
    }
}

/// Every file below a folder, in the order of the names.
fn collect(folder: &Path, under: &str, into: &mut Vec<(String, PathBuf)>) {
    watch(folder);
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        let name = if under.is_empty() { name.to_owned() } else { format!("{under}/{name}") };
        if path.is_dir() {
            collect(&path, &name, into);
        } else {
            into.push((name, path));
        }
    }
}

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

fn read(path: &Path) -> String {
    watch(path);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text without some of its sections.
fn without(text: &str, sections: &[&str]) -> String {
    let mut left_out = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            left_out = sections.contains(&line.trim());
        }
        if !left_out {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The dependencies whose version stands in the workspace: `serde.workspace = true`, `toml = { workspace = true, … }`.
fn inherited(manifest: &str) -> Vec<String> {
    let short = |line: &str| line.strip_suffix(".workspace = true").map(str::to_owned);
    let long = |line: &str| Some(line.split_once(" = { workspace = true")?.0.to_owned());
    manifest.lines().filter_map(|line| short(line).or_else(|| long(line))).collect()
}

/// A workspace of the two packages with the same versions and lints.
fn workspace(root: &str, needed: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "# The connector SDK as this release of Renmen has it. Written by `renmen plugin new`; `renmen plugin sdk` writes\n\
         # another release's. Nothing in here is yours to change.\n\n[workspace]\nresolver = \"3\"\nmembers = [\"renmen-plugin\", \"renmen-schema\"]\n",
    );
    let mut section = "";
    for line in root.lines() {
        if line.starts_with('[') {
            section = line.trim();
            if matches!(section, "[workspace.package]" | "[workspace.dependencies]")
                || section.starts_with("[workspace.lints")
            {
                text.push('\n');
                text.push_str(line);
                text.push('\n');
            }
            continue;
        }
        let name = line.split([' ', '=']).next().unwrap_or_default();
        let wanted = match section {
            _ if line.trim().is_empty() || line.starts_with('#') => false,
            "[workspace.dependencies]" => needed.contains(name),
            "[workspace.package]" => true,
            other => other.starts_with("[workspace.lints"),
        };
        if wanted {
            text.push_str(&match name {
                "renmen-schema" => "renmen-schema = { path = \"renmen-schema\" }".to_owned(),
                _ => line.to_owned(),
            });
            text.push('\n');
        }
    }
    text
}
