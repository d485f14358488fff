//! Modules of a crate know each other one way: none uses another that uses it, however long the way round. A parent and its
//! child may, because the child's names are the parent's.
//!
//! Read from the sources: paths that begin with `crate::` or `super::`, without comments and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crates in which there is no circle, and none may come.
const OPENED: &[&str] = &[
    "gateway/crates/api",
    "gateway/crates/egress",
    "gateway/crates/flow",
    "gateway/crates/insight",
    "gateway/crates/identity",
    "gateway/crates/kit",
    "gateway/crates/origin",
    "gateway/crates/people",
    "gateway/crates/plugin-host",
    "gateway/crates/receiver",
    "gateway/crates/store",
    "gateway/crates/sync",
    "gateway/crates/turns",
    "gateway/crates/vault",
    "plugin-sdk",
];

type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_know_each_other_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    for place in OPENED {
        let modules = modules(&root.join(place).join("src"));
        assert!(!modules.is_empty(), "{place} has no sources");
        let graph = graph(&modules);
        assert_eq!(circles(&graph), Vec::<Vec<String>>::new(), "circles in {place}");
    }
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let crate_of = |files: &[(&str, &str)]| {
        let modules = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        circles(&graph(&modules))
    };
    let three = [
        ("", "mod a; mod b; mod c; pub use c::Third;"),
        ("a", "use crate::{b::{self, Second}, other};"),
        ("b", "fn f() { let x = crate::Third; }"),
        ("c", "use super::a;"),
    ];
    assert_eq!(crate_of(&three), [["a", "b", "c"]]);
    let one_way =
        [("", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", "// use crate::a;\n#[cfg(test)] use crate::a::A;")];
    assert!(crate_of(&one_way).is_empty());
    let family = [("", "mod a;"), ("a", "mod b; use b::B;"), ("a::b", "use super::A; use crate::a::C;")];
    assert!(crate_of(&family).is_empty());
}

/// Module → its text without comments and tests. The root is the empty name.
fn modules(src: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(src).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = name.strip_suffix(".rs")
                && !name.ends_with("tests")
                && !name.starts_with("bin/")
            {
                let name = name.strip_suffix("/mod").unwrap_or(name);
                let name = if name == "lib" { "" } else { name };
                found.insert(name.replace('/', "::"), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn graph(modules: &BTreeMap<String, String>) -> Graph {
    let root = modules.get("").map(|text| code(text)).unwrap_or_default();
    // What the root hands out by name: `pub use guard::Guard;`.
    let handed: BTreeMap<String, String> = root
        .split(';')
        .filter_map(|item| item.rsplit_once("use ").map(|(_, path)| path.trim().to_owned()))
        .flat_map(|path| expand(&path))
        .filter_map(|path| {
            let module = longest_module(&path, modules)?;
            Some((path.last()?.clone(), module))
        })
        .collect();
    let edges = |(name, text): (&String, &String)| {
        let parent = name.rsplit_once("::").map_or("", |(parent, _)| parent);
        let text = code(text);
        let used = paths(&text).into_iter().filter_map(|(from_parent, path)| {
            let base = if from_parent { parent } else { "" };
            let whole: Vec<String> =
                base.split("::").filter(|part| !part.is_empty()).map(str::to_owned).chain(path).collect();
            longest_module(&whole, modules).or_else(|| handed.get(whole.first()?).cloned())
        });
        (name.clone(), used.filter(|other| other != name && !is_family(name, other)).collect())
    };
    modules.iter().filter(|(name, _)| !name.is_empty()).map(edges).collect()
}

/// The text without comments, up to its tests.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    shipped.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_family(one: &str, other: &str) -> bool {
    let is_under = |child: &str, parent: &str| child.strip_prefix(parent).is_some_and(|rest| rest.starts_with("::"));
    is_under(one, other) || is_under(other, one)
}

/// The module that a path leads into: the longest beginning that is one.
fn longest_module(path: &[String], modules: &BTreeMap<String, String>) -> Option<String> {
    (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|name| modules.contains_key(name))
}

/// Every path that begins with `crate::` (false) or `super::` (true), without that beginning.
fn paths(code: &str) -> Vec<(bool, Vec<String>)> {
    let mut found = Vec::new();
    for (begin, from_parent) in [("crate::", false), ("super::", true)] {
        for (at, _) in code.match_indices(begin) {
            let before = code[..at].chars().next_back();
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':' && c != '$') {
                found.extend(expand(&code[at + begin.len()..]).into_iter().map(|path| (from_parent, path)));
            }
        }
    }
    found
}

/// `a::{b, c::D}` at the beginning of a text as `a::b` and `a::c::D`.
fn expand(text: &str) -> Vec<Vec<String>> {
    let mut at = text;
    let mut path = Vec::new();
    loop {
        at = at.trim_start();
        if let Some(group) = at.strip_prefix('{') {
            let inner = items(group).into_iter().flat_map(expand);
            return inner.map(|rest| path.iter().cloned().chain(rest).collect()).collect();
        }
        let length = at.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(at.len());
        if length > 0 && &at[..length] != "self" {
            path.push(at[..length].to_owned());
        }
        match at[length..].strip_prefix("::") {
            Some(rest) => at = rest,
            None => return vec![path],
        }
    }
}

/// What stands between the commas of a group, up to its end.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&group[begin..at]);
                return found;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// Groups of modules each of which reaches all others.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|from| (from, reachable(from, graph))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, reached) in &reach {
        let circle: Vec<String> = reached
            .iter()
            .filter(|to| reach.get(**to).is_some_and(|back| back.contains(from)))
            .map(|to| (*to).clone())
            .collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'g>(from: &'g String, graph: &'g Graph) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for to in graph.get(module).into_iter().flatten() {
            if reached.insert(to) {
                next.push(to);
            }
        }
    }
    reached
}
