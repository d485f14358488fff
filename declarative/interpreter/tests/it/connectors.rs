//! Every connector without code in the repository: its mapping is sound, and its fixtures become the records of its snapshot.

use std::path::{Path, PathBuf};

use renmen_declarative::author::read;
use renmen_plugin::testing::{Host, assert_snapshot};
use renmen_schema::manifest::Manifest;
use renmen_schema::types::Instant;
use renmen_schema::{EntityKind, canonicalize};
use serde_json::Value;

use crate::world::{Declared, embed, told};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 3, "the connectors are elsewhere");
    folders
}

/// How the fixtures of a connector are played: as `renmen plugin test` does it.
struct Played {
    config: Value,
    now_ms: i64,
    runs: u64,
}

impl Played {
    fn of(folder: &Path) -> Self {
        let table: toml::Table = text(folder, "conformance.toml").parse().unwrap();
        let said = |key: &str| table.get("fixtures").and_then(|fixtures| fixtures.get(key));
        let config = said("config").or(table.get("config")).map(toml::Value::to_string).unwrap_or_default();
        let config = config.replace("{source}", "https://vendor.example").replace("{canary}", "made-up");
        let config: toml::Table = format!("config = {config}").parse().unwrap();
        let now = said("now").and_then(toml::Value::as_str).unwrap_or("2026-01-01T00:00:00Z");
        Self {
            config: serde_json::to_value(&config["config"]).unwrap(),
            now_ms: Instant::parse(now).unwrap().epoch_ms(),
            runs: said("runs").and_then(toml::Value::as_integer).map_or(1, i64::unsigned_abs),
        }
    }
}

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", folder.display()))
}

#[test]
fn every_mapping_is_sound_short_and_says_what_its_manifest_says() {
    for folder in folders() {
        let (manifest, mapping) = (text(&folder, "plugin.toml"), text(&folder, "mapping.toml"));
        let manifest = Manifest::parse(&manifest).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let checked =
            read(&mapping, Some(&manifest)).unwrap_or_else(|wrong| panic!("{}\n{}", folder.display(), told(&wrong)));
        assert!(mapping.lines().count() <= 200, "{}: over 200 lines", folder.display());
        let whole = format!("{}\n{}", text(&folder, "plugin.toml"), checked.lineage);
        let faults = Manifest::parse(&whole).unwrap().check();
        assert!(faults.is_empty(), "{}: {faults:?}", folder.display());
        text(&folder, "README.md");
        text(&folder, "conformance.toml");
    }
}

#[test]
fn the_fixtures_become_the_records_of_the_snapshot() {
    for folder in folders() {
        let manifest = Manifest::parse(&text(&folder, "plugin.toml")).unwrap();
        embed(&read(&text(&folder, "mapping.toml"), Some(&manifest)).unwrap().embedded);
        let played = Played::of(&folder);
        let host = Host::new().fixtures(folder.join("fixtures")).at_ms(played.now_ms);
        let mut records = Vec::new();
        for stream in manifest.streams.keys() {
            let (before, mut cursor) = (records.len(), None);
            for _ in 0..played.runs {
                let run = host.pull_all::<Declared>(&played.config, stream.as_str(), cursor);
                let run = run.unwrap_or_else(|failure| panic!("{} {stream}: {failure}", folder.display()));
                assert_eq!(run.rejects, [], "{} {stream}", folder.display());
                records.extend(run.records);
                cursor = run.next;
            }
            assert!(records.len() > before, "{} {stream}: no records", folder.display());
        }
        for record in &records {
            let taken = canonicalize(EntityKind::from_name(&record.entity).unwrap(), &record.payload);
            assert!(record.deleted || taken.is_ok(), "{} {}: {taken:?}", folder.display(), record.pointer);
        }
        assert_snapshot(folder.join("fixtures/records.json"), &records);
    }
}
