//! What the README says about each connector is what its manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::Table;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The manifest of every connector, by its folder's path from the root.
fn manifests() -> BTreeMap<String, Table> {
    let mut found = BTreeMap::new();
    for area in ["plugins", "declarative/connectors"] {
        for folder in std::fs::read_dir(root().join(area)).unwrap().map(|entry| entry.unwrap().path()) {
            if folder.join("plugin.toml").is_file() {
                let path = format!("{area}/{}", folder.file_name().unwrap().to_str().unwrap());
                found.insert(path.clone(), read(&format!("{path}/plugin.toml")).parse().unwrap());
            }
        }
    }
    assert!(found.len() > 15, "{} connectors", found.len());
    found
}

/// The names in a table of a manifest.
fn names(manifest: &Table, table: &str) -> BTreeSet<String> {
    manifest.get(table).and_then(|table| table.as_table()).into_iter().flat_map(Table::keys).cloned().collect()
}

/// What a page says in place of the names, where a connector has a stream for every entity.
const EVERY: [&str; 2] = ["one for every entity", "每个实体一个"];

/// How many entities a connector may bring.
fn bringable() -> usize {
    renmen_schema::EntityKind::ALL.iter().filter(|kind| !kind.is_gateway_only()).count()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is wrong with the table of a page. `yes`: the page's word for it.
fn wrong_rows(
    page: &str,
    yes: &str,
    manifests: &BTreeMap<String, Table>,
    exists: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, manifest) in manifests {
        let link = format!("]({path}/README.md) | ");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| [") && line.contains(&link)).collect();
        let [row] = rows[..] else {
            wrong.push(format!("{path} has {} rows", rows.len()));
            continue;
        };
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, streams, actions, events, proof] = cells[..] else {
            wrong.push(format!("{path}: {} cells", cells.len()));
            continue;
        };
        for (what, cell) in [("streams", streams), ("actions", actions)] {
            if EVERY.contains(&cell) && names(manifest, what).len() == bringable() {
                continue;
            }
            if quoted(cell) != names(manifest, what) {
                wrong.push(format!("{path}: its {what} are {:?}", names(manifest, what)));
            }
        }
        if (events == yes) != manifest.contains_key("webhook") {
            wrong.push(format!("{path}: webhooks"));
        }
        let missing = quoted(proof).into_iter().filter(|name| name.contains('/') && !exists(name));
        wrong.extend(missing.map(|name| format!("{path}: there is not any {name}")));
    }
    wrong
}

#[test]
fn the_readmes_list_every_connector_with_what_its_manifest_says() {
    let exists = |path: &str| root().join(path).is_file();
    for (page, yes) in [("README.md", "yes"), ("README.zh-CN.md", "有")] {
        let wrong = wrong_rows(&read(page), yes, &manifests(), &exists);
        assert!(wrong.is_empty(), "{page}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_row_that_differs_from_its_manifest_is_found() {
    let manifests = BTreeMap::from([
        ("plugins/a".to_owned(), "[streams.jobs]\n[actions.\"note.add\"]\n[webhook]\n".parse().unwrap()),
        ("plugins/b".to_owned(), "[streams.jobs]\n".parse().unwrap()),
    ]);
    let good = "| [A](plugins/a/README.md) | `jobs` | `note.add` | yes | x `tests/a.rs` |\n| [B](plugins/b/README.md) | `jobs` | — | — | y |\n";
    let wrong = |page: &str| wrong_rows(page, "yes", &manifests, &|path| path == "tests/a.rs");
    assert_eq!(wrong(good), Vec::<String>::new());
    let faults = [("`jobs` | `note", "`job` | `note"), ("`note.add`", "—"), ("yes", "—"), ("tests/a", "tests/b")];
    for (from, to) in faults.into_iter().chain([("| [B](plugins/b/README.md) ", "")]) {
        assert_eq!(wrong(&good.replacen(from, to, 1)).len(), 1, "{from} -> {to}");
    }
}
