//! The contract's promise: what was built for a released text of the line still runs.
//!
//! Besides the released texts of the line the promise is tried with earlier releases that are made up: the current text without
//! something that a later release may add.

use std::path::{Path, PathBuf};

use renmen_plugin_host::{CONTRACT, componentize};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata, semver_check};
use wit_parser::{ManglingAndAbi, PackageId, Resolve};

use crate::harness::host;
use crate::modules::manifest;

const WORLDS: [&str; 3] = ["imports", "source-connector", "full-connector"];

fn wit_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("plugin-sdk/wit")
}

fn current() -> String {
    std::fs::read_to_string(wit_folder().join("connector.wit")).unwrap()
}

/// Every released text of the line by its version. The folder is not there while nothing was released.
fn released() -> Vec<(String, String)> {
    let Ok(folders) = std::fs::read_dir(wit_folder().join("released")) else { return Vec::new() };
    let text = |folder: std::fs::DirEntry| {
        let version = folder.file_name().into_string().unwrap();
        (version, std::fs::read_to_string(folder.path().join("connector.wit")).unwrap())
    };
    folders.map(|folder| text(folder.unwrap())).collect()
}

/// The line's first release as it would be, had the current text gained since what a release may gain: a function of the host,
/// and an interface that a connector may import.
fn earlier() -> Vec<(String, String)> {
    let without = |begin: &str, end: &str| {
        let text = current();
        let from = text.find(begin).unwrap_or_else(|| panic!("the text has no `{begin}`"));
        let to = from + text[from..].find(end).unwrap() + end.len();
        format!("{}{}", &text[..from], &text[to..])
    };
    let version = |name: &str| format!("{CONTRACT} without {name}");
    vec![
        (version("nothing"), current()),
        (version("send-all"), without("send-all:", ";")),
        (version("prefetch"), without("prefetch:", ";")),
        (version("verify"), without("verify:", ";")),
        (version("the import of log"), without("    import log;", "\n")),
    ]
}

/// Two texts of the same package cannot stand in one resolve: the older gets a version of its own, which the check ignores.
fn push(resolve: &mut Resolve, text: &str, version: &str) -> PackageId {
    let named = format!("package renmen:connector@{CONTRACT};");
    assert!(text.contains(&named), "the text is not of release {CONTRACT}");
    let text = text.replacen(&named, &format!("package renmen:connector@{version};"), 1);
    resolve.push_str("connector.wit", &text).unwrap()
}

fn compatible(old: &str, new: &str, world: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let old = push(&mut resolve, old, "0.0.1");
    let new = push(&mut resolve, new, "0.0.2");
    let old = resolve.select_world(&[old], Some(world)).unwrap();
    let new = resolve.select_world(&[new], Some(world)).unwrap();
    semver_check(resolve, old, new).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_current_contract_runs_what_was_built_for_every_earlier_one_of_its_line() {
    for (version, text) in released().into_iter().chain(earlier()) {
        for world in WORLDS {
            compatible(&text, &current(), world).unwrap_or_else(|why| panic!("{version} {world}: {why}"));
        }
    }
}

/// A text that went out is never edited again; one that did not go out has no copy that could be taken for a promise.
#[test]
fn a_release_is_either_frozen_word_by_word_or_said_not_to_be() {
    let policy = std::fs::read_to_string(wit_folder().join("VERSIONING.md")).unwrap();
    let open = policy.contains(&format!("`{CONTRACT}` is not frozen"));
    match released().iter().find(|(version, _)| version == CONTRACT) {
        Some((_, text)) => {
            assert_eq!(*text, current(), "a frozen text was edited");
            assert!(!open, "VERSIONING.md says that {CONTRACT} is not frozen, and released/ has it");
        }
        None => {
            assert!(open, "released/ has no text of {CONTRACT}, and VERSIONING.md does not say that it is not frozen");
        }
    }
}

#[test]
fn the_check_finds_each_kind_of_break() {
    let current = current();
    for (what, from, to) in [
        ("a new field", "external-id: string,", "external-id: string, extra: u32,"),
        ("a new case", "enum coverage {", "enum coverage { nothing,"),
        ("a new parameter", "send: func(request: request)", "send: func(request: request, again: bool)"),
        ("a new function to export", "pull: func(", "count: func() -> u32;\n    pull: func("),
    ] {
        let changed = current.replacen(from, to, 1);
        assert_ne!(changed, current, "{what}: the text to change is gone");
        assert!(compatible(&current, &changed, "source-connector").is_err(), "{what} was not found");
    }
}

#[test]
fn a_new_function_of_the_host_is_no_break() {
    let current = current();
    let changed = current.replacen("now-ms: func() -> s64;", "now-ms: func() -> s64;\n    zone: func() -> string;", 1);
    assert_ne!(changed, current);
    assert_eq!(compatible(&current, &changed, "source-connector"), Ok(()));
}

#[tokio::test]
async fn a_component_of_every_earlier_contract_of_the_line_loads() {
    for (version, text) in released().into_iter().chain(earlier()) {
        for world in ["source-connector", "full-connector"] {
            let mut resolve = Resolve::default();
            let package = resolve.push_str("connector.wit", &text).unwrap();
            let id = resolve.select_world(&[package], Some(world)).unwrap();
            let mut module = dummy_module(&resolve, id, ManglingAndAbi::Standard32);
            embed_component_metadata(&mut module, &resolve, id, StringEncoding::UTF8).unwrap();
            let writes = "[actions]\nwrite = { description = \"Writes\" }\n[webhook]\ndescription = \"Tells\"\n";
            let more = if world == "full-connector" { writes } else { "" };
            let component = componentize(&module, &format!("{}{more}", manifest("1.0.0"))).unwrap();
            let loaded = host().load_bytes(component, None).await;
            assert!(loaded.is_ok(), "{version} {world}: {}", loaded.err().unwrap());
        }
    }
}
