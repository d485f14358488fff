//! The invariants of docs/architecture.md, over `cargo metadata` and over the sources. Each scanner is shown a case that it
//! must refuse, so that it cannot pass by finding nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Package name → names of its direct, non-development dependencies.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let direct = package
                .dependencies
                .iter()
                .filter(|d| d.kind == cargo_metadata::DependencyKind::Normal)
                .map(|d| d.name.clone())
                .collect();
            (package.name.to_string(), direct)
        })
        .collect()
}

/// Every edge from a package outside `owners` to `library`.
fn edges_to(library: &str, owners: &[&str], graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    graph
        .iter()
        .filter(|(package, direct)| direct.contains(library) && !owners.contains(&package.as_str()))
        .map(|(package, _)| format!("{package} -> {library}"))
        .collect()
}

#[test]
fn only_its_owner_names_each_outside_library() {
    let graph = dependencies();
    for (library, owners) in [
        ("wasmtime", &["renmen-plugin-host"][..]),
        ("reqwest", &["renmen-egress"]),
        ("tokio-tungstenite", &["renmen-egress"]),
        ("lettre", &["renmen-egress"]),
        ("rusqlite", &["renmen-store"]),
        ("tokio-postgres", &["renmen-store"]),
        ("axum", &["renmen-api", "renmen-tests"]),
        ("statrs", &["renmen-insight"]),
        ("parquet", &["renmen-export", "renmen-tests"]),
    ] {
        assert_eq!(edges_to(library, owners, &graph), Vec::<String>::new(), "only {owners:?} may name {library}");
        assert!(
            graph.values().any(|direct| direct.contains(library)),
            "no crate names {library}: is this rule out of date?"
        );
    }
}

#[test]
fn an_edge_to_somebody_elses_library_is_found() {
    let graph = BTreeMap::from([("renmen-sync".to_owned(), BTreeSet::from(["wasmtime".to_owned()]))]);
    assert_eq!(edges_to("wasmtime", &["renmen-plugin-host"], &graph), ["renmen-sync -> wasmtime"]);
}

/// Which crate may know which, inside the gateway.
const ALLOWED: &[(&str, &[&str])] = &[
    ("renmen-schema", &[]),
    ("renmen-plugin", &["renmen-schema"]),
    ("renmen-vocabulary", &["renmen-schema"]),
    ("renmen-declarative", &["renmen-plugin", "renmen-schema", "renmen-vocabulary"]),
    ("renmen-clock", &[]),
    ("renmen-origin", &["renmen-schema"]),
    ("renmen-config", &["renmen-schema", "renmen-origin", "renmen-identity"]),
    ("renmen-vault", &["renmen-schema"]),
    ("renmen-store", &["renmen-schema"]),
    ("renmen-egress", &["renmen-clock", "renmen-schema", "renmen-origin", "renmen-turns", "renmen-vault"]),
    ("renmen-turns", &[]),
    ("renmen-plugin-host", &["renmen-schema", "renmen-egress", "renmen-turns"]),
    (
        "renmen-sync",
        &[
            "renmen-clock",
            "renmen-schema",
            "renmen-egress",
            "renmen-plugin-host",
            "renmen-seat",
            "renmen-store",
            "renmen-turns",
        ],
    ),
    ("renmen-flow", &["renmen-clock", "renmen-schema", "renmen-store", "renmen-turns"]),
    (
        "renmen-receiver",
        &["renmen-clock", "renmen-schema", "renmen-store", "renmen-vault", "renmen-egress", "renmen-flow"],
    ),
    ("renmen-interview", &["renmen-clock", "renmen-schema", "renmen-seat", "renmen-store"]),
    ("renmen-seat", &["renmen-clock", "renmen-schema", "renmen-store"]),
    ("renmen-records", &["renmen-schema", "renmen-store"]),
    ("renmen-insight", &["renmen-schema"]),
    ("renmen-analysis", &["renmen-clock", "renmen-schema", "renmen-store", "renmen-seat", "renmen-insight"]),
    ("renmen-export", &["renmen-schema", "renmen-store"]),
    ("renmen-identity", &["renmen-schema"]),
    ("renmen-ledger", &["renmen-flow", "renmen-schema", "renmen-store"]),
    ("renmen-people", &["renmen-clock", "renmen-schema", "renmen-seat", "renmen-store", "renmen-identity"]),
    (
        "renmen-api",
        &[
            "renmen-clock",
            "renmen-schema",
            "renmen-store",
            "renmen-records",
            "renmen-interview",
            "renmen-people",
            "renmen-analysis",
            "renmen-flow",
            "renmen-ledger",
            "renmen-receiver",
        ],
    ),
    ("renmen-misbehave", &[]),
    ("renmen-interpreter", &[]),
    (
        "renmen-kit",
        &[
            "renmen-clock",
            "renmen-schema",
            "renmen-vault",
            "renmen-egress",
            "renmen-plugin-host",
            "renmen-misbehave",
            "renmen-declarative",
            "renmen-interpreter",
            "renmen-plugin",
        ],
    ),
];

fn forbidden(package: &str, allowed: &[&str], direct: &BTreeSet<String>) -> Vec<String> {
    direct
        .iter()
        .filter(|d| d.starts_with("renmen") && !allowed.contains(&d.as_str()))
        .map(|d| format!("{package} -> {d}"))
        .collect()
}

#[test]
fn crates_know_only_whom_the_map_allows() {
    let graph = dependencies();
    for (package, allowed) in ALLOWED {
        assert_eq!(forbidden(package, allowed, &graph[*package]), Vec::<String>::new());
    }
    assert_eq!(
        unlisted(&graph),
        Vec::<String>::new(),
        "a crate that the map does not have: add it, with whom it may know"
    );
    for (package, direct) in
        graph.iter().filter(|(name, _)| name.starts_with("connector-") || name.starts_with("example-"))
    {
        assert_eq!(
            forbidden(package, &["renmen-plugin", "renmen-schema", "renmen-vocabulary"], direct),
            Vec::<String>::new()
        );
    }
}

/// Crates of the gateway and the SDK that no rule is about. The binary puts all of them together, and tests and examples stand
/// outside.
fn unlisted(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let listed = |name: &str| name == "renmen-tests" || ALLOWED.iter().any(|(package, _)| *package == name);
    graph.keys().filter(|name| name.starts_with("renmen-") && !listed(name)).cloned().collect()
}

#[test]
fn a_crate_without_a_rule_is_found() {
    let graph = ["renmen", "renmen-tests", "renmen-flow", "renmen-annex", "connector-a"]
        .map(|name| (name.to_owned(), BTreeSet::new()));
    assert_eq!(unlisted(&graph.into()), ["renmen-annex"]);
}

/// Everything in the workspace that a package links, however far below.
fn reached(package: &str, graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![package.to_owned()];
    while let Some(package) = next.pop() {
        for direct in graph.get(&package).into_iter().flatten() {
            if reached.insert(direct.clone()) {
                next.push(direct.clone());
            }
        }
    }
    reached
}

/// What a part must not know, it must not link either, not even by way of others.
const NEVER_REACHED: &[(&str, &[&str])] = &[
    (
        "renmen-flow",
        &["renmen-egress", "renmen-plugin-host", "renmen-vault", "renmen-receiver", "reqwest", "wasmtime", "axum"],
    ),
    ("renmen-receiver", &["renmen-plugin-host", "renmen-config", "renmen-api", "wasmtime", "axum"]),
    ("renmen-interview", &["renmen-egress", "renmen-plugin-host", "renmen-flow", "reqwest", "wasmtime", "axum"]),
    ("renmen-records", &["renmen-egress", "renmen-plugin-host", "reqwest", "wasmtime", "axum"]),
    ("renmen-insight", &["renmen-store", "renmen-clock", "reqwest", "wasmtime", "axum", "tokio", "rusqlite"]),
    ("renmen-analysis", &["renmen-config", "renmen-api", "renmen-plugin-host", "reqwest", "wasmtime", "axum"]),
    ("renmen-export", &["renmen-egress", "renmen-plugin-host", "renmen-config", "reqwest", "wasmtime", "axum"]),
    ("renmen-identity", &["renmen-store", "renmen-config", "tokio", "async-trait", "rusqlite", "reqwest", "axum"]),
    (
        "renmen-ledger",
        &["renmen-egress", "renmen-plugin-host", "renmen-config", "renmen-receiver", "reqwest", "wasmtime", "axum"],
    ),
    (
        "renmen-people",
        &["renmen-egress", "renmen-plugin-host", "renmen-config", "renmen-flow", "reqwest", "wasmtime", "axum"],
    ),
    ("renmen-store", &["renmen-egress", "renmen-plugin-host", "reqwest", "wasmtime", "axum"]),
    ("renmen-api", &["renmen-plugin-host", "renmen-sync", "renmen-config", "wasmtime"]),
];

#[test]
fn what_a_part_must_not_know_it_does_not_reach_by_way_of_others() {
    let graph = dependencies();
    for (package, never) in NEVER_REACHED {
        let reached = reached(package, &graph);
        assert!(reached.contains("renmen-schema"), "{package} reaches nothing: is this rule out of date?");
        let met: Vec<_> = never.iter().filter(|one| reached.contains(**one)).collect();
        assert!(met.is_empty(), "{package} reaches {met:?}");
    }
}

#[test]
fn what_is_reached_by_way_of_others_is_found() {
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let graph = BTreeMap::from([edge("flow", "receiver"), edge("receiver", "egress"), edge("egress", "reqwest")]);
    assert!(reached("flow", &graph).contains("reqwest"));
    assert!(reached("egress", &graph).len() == 1 && reached("reqwest", &graph).is_empty());
}

#[test]
fn a_forbidden_edge_inside_the_gateway_is_found() {
    let direct = BTreeSet::from(["renmen-store".to_owned(), "renmen-schema".to_owned()]);
    assert_eq!(forbidden("renmen-plugin-host", &["renmen-schema"], &direct), ["renmen-plugin-host -> renmen-store"]);
}

/// Names of the traits that a source declares in public.
fn public_traits(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub trait "))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
        .collect()
}

/// A trait of the API's own stands for something that it must not link (the sandbox), or that its tests cannot drive (the loop under
/// load, in a race, in every state that a page shows). What only repeats another crate's type is asked directly.
#[test]
fn the_api_asks_through_a_trait_only_where_it_hides_something() {
    let sources = rust_sources(&root().join("gateway/crates/api/src"));
    let mut ports: Vec<&str> = sources.iter().flat_map(|(_, text)| public_traits(text)).collect();
    ports.sort_unstable();
    assert_eq!(
        ports,
        ["Configuration", "Control", "Hooks", "Interviews"],
        "say in the trait's own words what it hides"
    );
    assert_eq!(public_traits("pub trait Mirror: Send {\n}\npub(crate) trait Own {}"), ["Mirror"]);
}

#[test]
fn the_schema_has_no_async_and_no_io() {
    let graph = dependencies();
    for banned in ["tokio", "futures-util", "async-trait", "reqwest", "rusqlite", "tempfile"] {
        assert!(!graph["renmen-schema"].contains(banned), "renmen-schema -> {banned}");
    }
    let sources = rust_sources(&root().join("plugin-sdk/schema/src"));
    for (path, text) in &sources {
        for banned in ["std::fs", "std::net", "async fn"] {
            assert!(!text.contains(banned), "{} contains `{banned}`", path.display());
        }
    }
    assert!(sources.len() > 5, "the schema's sources were not found");
}

fn rust_sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn has_sql(text: &str) -> bool {
    ["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM "].iter().any(|sql| text.contains(sql))
}

#[test]
fn only_the_store_writes_sql() {
    for area in ["gateway/src", "gateway/crates", "plugin-sdk/src"] {
        for (path, text) in rust_sources(&root().join(area)) {
            let in_store = path.starts_with(root().join("gateway/crates/store"));
            assert!(in_store || !has_sql(&text), "{} writes SQL", path.display());
        }
    }
    assert!(has_sql(concat!("let q = \"SELE", "CT 1\";")), "the scanner must find SQL");
}

/// What ships of a source file: without its own tests.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The first vendor that a text speaks of. The canonical codes of channels name products that people are reached by.
fn vendor_named(text: &str) -> Option<&'static str> {
    let text = text.replace("IM_DINGTALK", "").replace("IM_FEISHU", "");
    let text = text.replace("ImDingtalk", "").replace("ImFeishu", "").to_lowercase();
    ["dingtalk", "feishu", "x-lark", "larksuite", "x-ogw", "x-acs", "钉钉", "飞书"]
        .into_iter()
        .find(|word| text.contains(word))
}

/// One vendor is one plugin: the gateway and the SDK speak of none by name.
#[test]
fn no_vendor_is_named_outside_of_its_plugin() {
    let mut files = 0;
    for area in ["gateway", "plugin-sdk"] {
        for (path, text) in rust_sources(&root().join(area)) {
            let place = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            let is_test = ["/tests/", "/benches/", "/target/"].iter().any(|part| place.contains(part))
                || place.ends_with("tests.rs");
            if !is_test {
                files += 1;
                assert_eq!(vendor_named(shipped(&text)), None, "{place} speaks of a vendor by name");
            }
        }
    }
    assert!(files > 200, "the sources were not found");
    assert_eq!(vendor_named(shipped("fn a() {} // as DingTalk does\n#[cfg(test)]")), Some("dingtalk"));
    assert_eq!(vendor_named(shipped("fn a() {}\n#[cfg(test)]\nmod tests { /* feishu */ }")), None);
    assert_eq!(vendor_named("ImFeishu \"IM_FEISHU\""), None);
}

#[test]
fn the_root_holds_what_the_map_shows() {
    let expected: BTreeSet<&str> = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "README.zh-CN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "connectors.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "docs",
        "declarative",
        "plugin-sdk",
        "plugins",
        "gateway",
        "tests",
        "xtask",
    ]
    .into();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || name == "target" || expected.contains(name.as_str()), "`{name}` at the root");
    }
}

/// Half of the files under 150 lines: small files in reading order.
#[test]
fn files_stay_small_enough_to_read() {
    let mut sizes: Vec<usize> = ["gateway", "declarative", "plugin-sdk", "plugins", "xtask"]
        .iter()
        .flat_map(|area| rust_sources(&root().join(area)))
        .map(|(path, text)| {
            let lines = text.lines().count();
            assert!(lines <= 650, "{} has {lines} lines: split it", path.display());
            lines
        })
        .collect();
    sizes.sort_unstable();
    assert!(sizes[sizes.len() / 2] <= 150, "the median file has {} lines", sizes[sizes.len() / 2]);
}

/// A crate with `doctest = false` that has an example: rustdoc runs the examples of the others only, and an example
/// that is not run is a claim that no one checks.
fn unchecked_examples(manifest: &str, sources: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let fence = |line: &str| matches!(line.trim_start(), "/// ```" | "//! ```" | "/// ```rust" | "//! ```rust");
    let left_out = manifest.lines().any(|line| line == "doctest = false");
    let with_example = sources.iter().filter(|(_, text)| left_out && text.lines().any(fence));
    with_example.map(|(path, _)| path.clone()).collect()
}

#[test]
fn no_crate_whose_examples_are_not_run_has_any() {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    for package in &metadata.packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        let sources = rust_sources(&package.manifest_path.parent().unwrap().join("src").into_std_path_buf());
        assert_eq!(unchecked_examples(&manifest, &sources), Vec::<PathBuf>::new(), "remove `doctest = false`");
    }
}

#[test]
fn an_example_that_is_not_run_is_found() {
    let sources = [(PathBuf::from("lib.rs"), "/// Adds.\n/// ```\n/// add(1);\n/// ```\n".to_owned())];
    assert_eq!(unchecked_examples("[lib]\ndoctest = false\n", &sources).len(), 1);
    assert_eq!(unchecked_examples("[lib]\n", &sources).len(), 0);
}
