//! The connector against `fixtures/`, natively: no gateway, no vendor account.

use renmen_plugin::schema::{EntityKind, canonicalize};
use renmen_plugin::testing::{Host, Run, assert_snapshot};
use renmen_plugin::{Coverage, Pull};
use @crate@::@type@;
use serde_json::{Value, json};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/records.json");

fn config() -> Value {
    json!({ "base_url": "https://hr.example/v1" })
}

fn run() -> Run {
    let host = Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    host.pull_all::<@type@>(&config(), "employees", None).unwrap()
}

/// `RENMEN_UPDATE_SNAPSHOTS=1 cargo test` writes the file again; read the difference before you commit it.
#[test]
fn the_fixtures_become_the_records_of_the_snapshot() {
    let run = run();
    assert!(run.rejects.is_empty(), "{:?}", run.rejects);
    assert_eq!((run.total, run.coverage), (Some(3), Coverage::Everything));
    assert_snapshot(SNAPSHOT, &run.records);
}

#[test]
fn the_gateway_takes_every_record() {
    for record in run().records {
        let taken = canonicalize(EntityKind::Employee, &record.payload);
        assert!(taken.is_ok(), "{}: {:?}", record.pointer, taken.err());
    }
}

fn answer(ids: &[&str]) -> String {
    let row = |id: &&str| {
        json!({ "id": id, "displayName": "A", "status": "active", "updatedAt": "2026-01-01T00:00:00Z" })
    };
    json!({ "data": ids.iter().map(row).collect::<Vec<_>>(), "total": 3 }).to_string()
}

#[test]
fn a_list_that_shifts_while_it_is_read_is_read_from_its_beginning() {
    let url = "https://hr.example/v1/employees?offset=";
    // Employee 1 goes after the first page: what was the third is the second now.
    let host = Host::new()
        .answer("GET", &format!("{url}0&limit=2"), 200, answer(&["1", "2"]))
        .answer("GET", &format!("{url}1&limit=3"), 200, answer(&["3"]))
        .answer("GET", &format!("{url}0&limit=2"), 200, answer(&["2", "3"]))
        .answer("GET", &format!("{url}1&limit=3"), 200, answer(&["3"]));
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let pull = Pull { stream: "employees".into(), cursor, only: Vec::new(), max_records: 2 };
        let page = host.pull::<@type@>(&config(), pull).unwrap();
        seen.extend(page.records.iter().map(|record| record.external_id.clone()));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "2", "3"]);
}
