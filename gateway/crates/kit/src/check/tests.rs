#![allow(clippy::unwrap_used)]
use std::fs;

use super::*;
use crate::scaffold::{PluginName, Scaffold, Shape};

/// The template, with one file changed.
async fn codes(file: &str, from: &str, to: &str) -> Vec<(Level, &'static str, String)> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("acme-hr");
    Scaffold { name: PluginName::new("acme-hr").unwrap(), shape: Shape::Cursor, folder: folder.clone(), sdk: None }
        .write()
        .unwrap();
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let checked = check(&folder).await.unwrap();
    checked.lints.into_iter().map(|lint| (lint.level, lint.code, format!("{}: {}", lint.place, lint.message))).collect()
}

async fn assert_found(file: &str, from: &str, to: &str, level: Level, code: &str, told: &[&str]) {
    let found = codes(file, from, to).await;
    let lint =
        found.iter().find(|(l, c, text)| *l == level && *c == code && told.iter().all(|part| text.contains(part)));
    assert!(lint.is_some(), "{code} {told:?}: {found:?}");
}

#[tokio::test]
async fn the_template_lacks_only_its_build_and_the_vendors_rate() {
    let found = codes("plugin.toml", "", "").await;
    let codes: Vec<_> = found.iter().map(|(_, code, _)| *code).collect();
    assert_eq!(codes, ["no_rate", "not_built"], "{found:?}");
}

#[tokio::test]
async fn what_a_gateway_would_refuse_is_an_error_with_its_line() {
    for (file, from, to, code, told) in [
        ("plugin.toml", "[http]", "[htp]", "manifest", &["plugin.toml:", "did you mean `http`"][..]),
        (
            "plugin.toml",
            "entities = [\"employee\"]",
            "entities = [\"worker\"]",
            "manifest",
            &["plugin.toml:10:", "`worker` is not an entity"],
        ),
        (
            "plugin.toml",
            "contract = \"0.2.0\"",
            "contract = \"0.9.0\"",
            "contract",
            &["plugin.toml:6:", "renmen plugin sdk"],
        ),
        (
            "plugin.toml",
            "[slots.api_key]\n",
            "[slots.api_key]\nseal = { scheme = \"hmac-sha256\", use = \"sign\" }\n",
            "manifest",
            &["a slot with an auth recipe is never sealed"],
        ),
        (
            "fixtures/employees.http.json",
            "\"url\"",
            "\"uri\"",
            "fixture",
            &["employees.http.json:3:", "unknown field `uri`"],
        ),
        ("fixtures/employees.http.json", "\"GET\"", "\"POST\"", "method", &["sends POST"]),
        ("plugin.toml", "\"{base_url}\"", "\"https://api.acme.example\"", "host", &["does not name"]),
        ("plugin.toml", "\"{base_url}\"", "\"https://*.github.io\"", "manifest", &["names of strangers"]),
    ] {
        assert_found(file, from, to, Level::Error, code, told).await;
    }
}

#[tokio::test]
async fn what_is_asked_for_and_never_used_is_a_warning() {
    for (file, from, to, code, told) in [
        (
            "plugin.toml",
            "[\"{base_url}\"]",
            "[\"{base_url}\", \"https://other.acme.example\"]",
            "unused_host",
            &["https://other.acme.example"][..],
        ),
        (
            "plugin.toml",
            "[slots.api_key]",
            "methods = [\"GET\", \"DELETE\"]\n[slots.api_key]",
            "unused_method",
            &["DELETE"],
        ),
        (
            "plugin.toml",
            "[http]",
            "[streams.units]\ndescription = \"\"\nentities = [\"org_unit\"]\n[http]",
            "no_fixture",
            &["units.http.json"],
        ),
        (
            "plugin.toml",
            "[http]",
            "[streams.units]\ndescription = \"\"\nentities = [\"org_unit\"]\n[http]",
            "no_lineage",
            &["[lineage.org_unit]"],
        ),
        ("plugin.toml", "additionalProperties = false\n", "", "open_config", &["mistyped"]),
        ("plugin.toml", "[http]", "[slots.x]\ndescription = \"x\"\n[http]", "idle_slot", &["`auth = …`", "`seal = …`"]),
        (
            "plugin.toml",
            "[http]",
            "[slots.x]\ndescription = \"x\"\nseal = { scheme = \"sha1-sorted\", use = \"host\" }\n[http]",
            "idle_slot",
            &["[webhook.proof] does not name it"],
        ),
        ("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"", "two_versions", &["0.2.0"]),
        (
            "fixtures/employees.http.json",
            "zhao@example.test",
            "zhao@corp.cn",
            "personal",
            &["employees.http.json:", "mail address"],
        ),
        ("fixtures/employees.http.json", "+8619900000001", "+8613912345678", "personal", &["phone number"]),
    ] {
        assert_found(file, from, to, Level::Warning, code, told).await;
    }
}

/// The template with a component in it that was written an hour after everything else, but for one file.
async fn codes_with_newer(file: &str) -> Vec<(&'static str, String)> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("acme-hr");
    Scaffold { name: PluginName::new("acme-hr").unwrap(), shape: Shape::Cursor, folder: folder.clone(), sdk: None }
        .write()
        .unwrap();
    let now = std::time::SystemTime::now();
    for (name, hours) in [("acme-hr.wasm", 1), (file, 2)] {
        let at = now + std::time::Duration::from_secs(hours * 3600);
        let opened = fs::File::options().create(true).append(true).open(folder.join(name)).unwrap();
        opened.set_modified(at).unwrap();
    }
    let checked = check(&folder).await.unwrap();
    checked.lints.into_iter().filter(|lint| lint.code == "stale").map(|lint| (lint.code, lint.place)).collect()
}

#[tokio::test]
async fn a_source_that_is_newer_than_the_component_is_named() {
    for file in ["src/record.rs", "Cargo.toml", "sdk/renmen-plugin/src/lib.rs"] {
        let found = codes_with_newer(file).await;
        assert!(matches!(found.as_slice(), [(_, place)] if place.ends_with(file)), "{file}: {found:?}");
    }
    for file in ["tests/it/main.rs", "fixtures/employees.http.json", "README.md"] {
        assert_eq!(codes_with_newer(file).await, [], "{file} is not in the component");
    }
}

#[tokio::test]
async fn what_is_no_component_is_an_error_and_what_is_not_there_a_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.wasm");
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let checked = check(&file).await.unwrap();
    assert!(!checked.passed() && checked.lints[0].message.contains("core module"), "{:?}", checked.lints);
    assert!(matches!(check(dir.path()).await, Err(KitError::Usage(_))));
}
