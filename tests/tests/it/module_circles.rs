//! No module of these crates knows another that knows it in turn, directly or by way of others: each can be read, and changed, after
//! those below it. What a parent and its own children know of each other does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's path within its crate.
type Name = Vec<String>;

fn names(path: &str) -> Name {
    path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The modules below a crate's `src`, each without comments and tests.
fn modules(src: &Path) -> BTreeMap<Name, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(src).unwrap().to_str().unwrap();
            let Some(stem) = relative.strip_suffix(".rs") else { continue };
            let name = names(&stem.strip_suffix("/mod").unwrap_or(stem).replace('/', "::"));
            if !["lib", "main", "tests"].contains(&name.last().unwrap().as_str()) {
                found.insert(name, code(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Everything that a module names by a path of its crate.
fn named(module: &Name, code: &str) -> Vec<Name> {
    let mut all = Vec::new();
    for (keyword, from) in [("crate::", &[][..]), ("super::", &module[..module.len() - 1])] {
        for (at, _) in code.match_indices(keyword) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c)) {
                continue;
            }
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let rest = &code[at + keyword.len()..];
            let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
            let base: Name = from.iter().cloned().chain(names(&rest[..end])).collect();
            if let Some(group) = rest[end..].strip_prefix('{') {
                let group = group.split(';').next().unwrap_or_default();
                let items = group.split(|c| !is_path(c)).filter(|item| !item.is_empty());
                all.extend(items.map(|item| base.iter().cloned().chain(names(item)).collect::<Name>()));
            }
            all.push(base);
        }
    }
    all
}

/// The modules that lie on circles; empty when there are none.
fn circles(modules: &BTreeMap<Name, String>) -> Vec<String> {
    let mut edges: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for (module, code) in modules {
        let known = named(module, code).into_iter().filter_map(|path| {
            let longest = (1..=path.len()).rev().find_map(|length| modules.get_key_value(&path[..length]));
            longest.map(|(name, _)| name)
        });
        edges.insert(module, known.filter(|other| !other.starts_with(module) && !module.starts_with(other)).collect());
    }
    // What knows nobody any more, and what nobody knows any more, is on no circle.
    loop {
        let known: BTreeSet<&Name> = edges.values().flatten().copied().collect();
        let free: Vec<&Name> =
            edges.iter().filter(|(name, to)| to.is_empty() || !known.contains(*name)).map(|(name, _)| *name).collect();
        if free.is_empty() {
            return edges.keys().map(|name| name.join("::")).collect();
        }
        for name in free {
            edges.remove(name);
            edges.values_mut().for_each(|to| {
                to.remove(name);
            });
        }
    }
}

#[test]
fn the_modules_of_these_crates_form_no_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["flow", "receiver", "api"] {
        let modules = modules(&root.join("gateway/crates").join(name).join("src"));
        assert!(modules.len() > 10, "the sources of {name} were not found");
        assert_eq!(circles(&modules), Vec::<String>::new(), "modules of {name} that know each other in a circle");
    }
}

#[test]
fn a_circle_is_found_however_its_paths_are_written() {
    let of =
        |sources: &[(&str, &str)]| circles(&sources.iter().map(|(name, source)| (names(name), code(source))).collect());
    let tree = [("a", "use crate::b::B;"), ("b", "use crate::c::{C, d::D};"), ("c", ""), ("c::d", "use super::C;")];
    assert_eq!(of(&tree), [""; 0]);
    assert_eq!(of(&[("a", "use crate::b::B;"), ("b", "fn f() -> crate::a::A {}")]), ["a", "b"]);
    assert_eq!(of(&[("m::a", "use super::b::B;"), ("m::b", "use crate::{m::a::A, x};"), ("m", "")]), ["m::a", "m::b"]);
    assert_eq!(
        of(&[("a", "use crate::b;"), ("b", "use crate::c;"), ("c", "use crate::a;"), ("d", "use crate::a;")]),
        ["a", "b", "c"]
    );
    assert_eq!(of(&[("a", "use crate::b;"), ("b", "// crate::a\n#[cfg(test)]\nmod t { use crate::a; }")]), [""; 0]);
}
