//! The libraries that are built in, and the texts of their licences: who ships the binary must ship these.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

/// A third-party library.
pub(super) struct Library {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression, as its author wrote it.
    pub(super) licence: Option<String>,
    /// Its sources.
    pub(super) folder: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// None: an ordinary dependency; else of tests or of build scripts.
    kind: Option<String>,
}

impl Library {
    /// Of everything that the gateway's binary is made of, in the order of names.
    pub(super) fn built_in(workspace: &Workspace, target: &str) -> anyhow::Result<Vec<Self>> {
        let mut ask = workspace.cargo();
        ask.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", target]);
        let metadata: Metadata =
            serde_json::from_str(&process::output("cargo metadata", &mut ask)?).context("cargo metadata")?;
        Self::reached(&metadata)
    }

    fn reached(metadata: &Metadata) -> anyhow::Result<Vec<Self>> {
        let nodes: BTreeMap<&str, &Node> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let gateway = metadata.packages.iter().find(|package| package.name == "renmen" && package.source.is_none());
        let gateway = gateway.context("no package is named renmen")?;
        let (mut open, mut seen) = (vec![gateway.id.as_str()], BTreeSet::from([gateway.id.as_str()]));
        while let Some(node) = open.pop().and_then(|id| nodes.get(id)) {
            let ordinary = node.deps.iter().filter(|d| d.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            open.extend(ordinary.map(|dependency| dependency.pkg.as_str()).filter(|id| seen.insert(id)));
        }
        let foreign =
            metadata.packages.iter().filter(|package| package.source.is_some() && seen.contains(package.id.as_str()));
        let mut libraries: Vec<Self> = foreign
            .map(|package| Self {
                name: package.name.clone(),
                version: package.version.clone(),
                licence: package.license.clone(),
                folder: package.manifest_path.parent().unwrap_or(Path::new("")).to_owned(),
            })
            .collect();
        libraries.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        Ok(libraries)
    }

    /// As package URLs name it.
    pub(super) fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    fn texts(&self) -> anyhow::Result<Vec<String>> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.folder)
            .with_context(|| self.folder.display().to_string())?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file() && is_licence(&path.file_name().unwrap_or_default().to_string_lossy()))
            .collect();
        files.sort();
        files.iter().map(|path| fs::read_to_string(path).with_context(|| path.display().to_string())).collect()
    }
}

fn is_licence(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"].iter().any(|begin| name.starts_with(begin))
}

/// Every text once, with the libraries that it is of; those without a text of their own with what they declare.
pub(super) fn of(libraries: &[Library]) -> anyhow::Result<String> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for library in libraries {
        let name = format!("{} {}", library.name, library.version);
        let texts = library.texts()?;
        if texts.is_empty() {
            let declared = library.licence.as_deref().unwrap_or("no licence");
            by_text.entry(format!("Declared, without a text: {declared}\n")).or_default().push(name.clone());
        }
        for text in texts {
            by_text.entry(text.replace("\r\n", "\n").trim().to_owned() + "\n").or_default().push(name.clone());
        }
    }
    let mut all = String::from("Renmen contains the following libraries, under these licences.\n");
    for (text, names) in &by_text {
        let _ = write!(all, "\n{}\n{}\n\n{text}", "=".repeat(100), names.join(", "));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_built_in_is_found_and_what_only_tests_need_is_not() {
        let package = |name: &str, source: Option<&str>| serde_json::json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source, "manifest_path": format!("/{name}/Cargo.toml") });
        let dependency =
            |pkg: &str, kind: Option<&str>| serde_json::json!({ "pkg": pkg, "dep_kinds": [{ "kind": kind }] });
        let metadata = serde_json::json!({
            "packages": [package("renmen", None), package("ours", None), package("a", Some("registry")), package("b", Some("registry"))],
            "resolve": { "nodes": [
                { "id": "renmen", "deps": [dependency("ours", None), dependency("b", Some("dev"))] },
                { "id": "ours", "deps": [dependency("a", None)] },
                { "id": "a", "deps": [] },
                { "id": "b", "deps": [] },
            ] },
        });
        let found = Library::reached(&serde_json::from_value(metadata).unwrap()).unwrap();
        assert_eq!(found.iter().map(Library::reference).collect::<Vec<_>>(), ["pkg:cargo/a@1.0.0"]);
    }

    #[test]
    fn licences_are_known_by_their_names() {
        for name in ["LICENSE", "LICENSE-MIT", "license.txt", "COPYING", "NOTICE.md", "UNLICENSE"] {
            assert!(is_licence(name), "{name}");
        }
        for name in ["README.md", "lib.rs", "relicense"] {
            assert!(!is_licence(name), "{name}");
        }
    }
}
