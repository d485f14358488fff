//! What the gateway is built from: licences, sources, bans and doubled versions as `deny.toml` has them, and no dependency that is
//! declared and not used. The same file is read by `cargo deny`, which also knows the advisories of today; these tests need neither
//! it nor a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The platform whose graph is looked at: the one that releases are made for first.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn metadata() -> Metadata {
    let options = ["--locked", "--filter-platform", PLATFORM].map(str::to_owned).to_vec();
    MetadataCommand::new()
        .current_dir(root())
        .features(CargoOpt::SomeFeatures(vec![]))
        .other_options(options)
        .exec()
        .unwrap()
}

fn policy() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

fn texts(policy: &toml::Table, section: &str, key: &str, member: Option<&str>) -> BTreeSet<String> {
    let list = policy[section][key].as_array().unwrap();
    let text = |item: &toml::Value| member.map_or(item.as_str(), |member| item[member].as_str()).unwrap().to_owned();
    list.iter().map(text).collect()
}

fn third_party(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.packages.iter().filter(|package| package.source.is_some())
}

/// Is a licence expression satisfied by licences that are allowed?
fn may_be_shipped(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let licensees: Vec<spdx::Licensee> = allowed.iter().map(|name| spdx::Licensee::parse(name).unwrap()).collect();
    spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|asked| licensees.iter().any(|licensee| licensee.satisfies(asked))))
}

#[test]
fn every_licence_is_one_that_may_be_shipped() {
    let (metadata, allowed) = (metadata(), texts(&policy(), "licenses", "allow", None));
    let refused: Vec<String> = third_party(&metadata)
        .filter(|package| !package.license.as_deref().is_some_and(|licence| may_be_shipped(licence, &allowed)))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
    assert!(third_party(&metadata).count() > 100, "the graph was not read");
}

#[test]
fn a_licence_that_binds_the_whole_product_is_refused() {
    let allowed = texts(&policy(), "licenses", "allow", None);
    for (expression, expected) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only", false),
        ("MIT AND LGPL-2.1-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("no licence", false),
    ] {
        assert_eq!(may_be_shipped(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn everything_comes_from_the_registry_and_nothing_is_banned() {
    let (metadata, banned) = (metadata(), texts(&policy(), "bans", "deny", Some("crate")));
    for package in third_party(&metadata) {
        let source = package.source.as_ref().unwrap();
        assert!(source.is_crates_io(), "{} comes from {source}", package.name);
        assert!(!banned.contains(package.name.as_str()), "{} is banned by deny.toml", package.name);
    }
}

/// The packages that the gateway's binary is made of, by name.
fn built_in(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let nodes: BTreeMap<&PackageId, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let gateway = metadata.packages.iter().find(|package| package.name.as_str() == "renmen").unwrap();
    let (mut open, mut seen) = (vec![&gateway.id], BTreeSet::from([&gateway.id]));
    while let Some(id) = open.pop() {
        let normal = nodes[id].deps.iter().filter(|d| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal));
        open.extend(normal.map(|dependency| &dependency.pkg).filter(|id| seen.insert(id)));
    }
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| seen.contains(&package.id)) {
        versions.entry(package.name.to_string()).or_default().insert(package.version.to_string());
    }
    versions
}

fn doubled(versions: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name.clone()).collect()
}

#[test]
fn no_library_is_built_in_twice_but_those_that_deny_toml_names_with_the_reason() {
    let named = texts(&policy(), "bans", "skip", Some("crate"));
    assert_eq!(
        doubled(&built_in(&metadata())),
        named,
        "left: built in twice; right: named in deny.toml under bans.skip"
    );
}

#[test]
fn a_doubled_version_is_found() {
    let versions = |of: &[&str]| of.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<_>>();
    let graph =
        BTreeMap::from([("a".to_owned(), versions(&["1.0.0", "2.0.0"])), ("b".to_owned(), versions(&["1.0.0"]))]);
    assert_eq!(doubled(&graph), BTreeSet::from(["a".to_owned()]));
}

/// Dependencies of a package that no source of it names. `text`: all sources of the package.
fn unused<'a>(declared: impl Iterator<Item = &'a str>, text: &str) -> Vec<String> {
    let named = |name: &str| {
        let word = name.replace('-', "_");
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.match_indices(&word)
            .any(|(at, _)| !text[..at].ends_with(inside) && !text[at + word.len()..].starts_with(inside))
    };
    declared.filter(|name| !named(name)).map(str::to_owned).collect()
}

/// Used where no source of the package names them.
const USED_ELSEWHERE: &[(&str, &str)] = &[
    // For the features that it switches on: the demo and the tests share what is built.
    ("renmen-tests", "tokio-rustls"),
    ("renmen-tests", "renmen-store"),
];

#[test]
fn every_declared_dependency_is_used() {
    let metadata = MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    let mut found = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().unwrap();
        let mut text = String::new();
        for part in ["src", "tests", "benches", "build.rs"] {
            read_all(folder.join(part).as_std_path(), &mut text);
        }
        let declared = package.dependencies.iter().map(|d| d.rename.as_deref().unwrap_or(&d.name));
        let excused = |name: &String| USED_ELSEWHERE.contains(&(package.name.as_str(), name.as_str()));
        found.extend(
            unused(declared, &text).into_iter().filter(|n| !excused(n)).map(|n| format!("{}: {n}", package.name)),
        );
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Every source below a path, with the files of other packages that it takes in by `#[path = "…"]`.
fn read_all(path: &Path, text: &mut String) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| read_all(&entry.unwrap().path(), text));
    } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
        let source = std::fs::read_to_string(path).unwrap();
        for taken in source.split("#[path = \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let other = path.parent().unwrap().join(taken);
            text.push_str(&std::fs::read_to_string(&other).unwrap_or_default());
        }
        text.push_str(&source);
    }
}

#[test]
fn a_dependency_that_no_source_names_is_found() {
    let declared = ["serde_json", "tower-http", "hex"];
    assert_eq!(unused(declared.into_iter(), "use serde_json::Value; tower_http::trace(); let hexed = 1;"), ["hex"]);
}
