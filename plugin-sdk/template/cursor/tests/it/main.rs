//! The connector against `fixtures/`, natively: no gateway, no vendor account.

use renmen_plugin::schema::{EntityKind, canonicalize};
use renmen_plugin::testing::{Host, Run, assert_snapshot};
use @crate@::@type@;
use serde_json::json;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/records.json");

/// The host's clock stands at 2026-01-01T00:00Z. `Host::at_ms` moves it where fixtures are newer: a time ahead of it counts as a
/// mistake of the vendor's.
fn run() -> Run {
    let host = Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    host.pull_all::<@type@>(&json!({ "base_url": "https://hr.example/v1" }), "employees", None).unwrap()
}

/// `RENMEN_UPDATE_SNAPSHOTS=1 cargo test` rewrites the file; read the difference before you commit it.
#[test]
fn the_fixtures_become_the_records_of_the_snapshot() {
    let run = run();
    assert!(run.rejects.is_empty(), "{:?}", run.rejects);
    assert_snapshot(SNAPSHOT, &run.records);
}

#[test]
fn the_gateway_takes_every_record() {
    for record in run().records {
        let taken = canonicalize(EntityKind::Employee, &record.payload);
        assert!(taken.is_ok(), "{}: {:?}", record.pointer, taken.err());
    }
}

#[test]
fn a_date_that_does_not_exist_costs_its_own_record_only() {
    let row = |id: &str, hired: &str| {
        json!({ "id": id, "displayName": "A", "status": "active", "hireDate": hired, "updatedAt": "2026-01-01T00:00:00Z" })
    };
    let body = json!({ "data": [row("1", "2023-02-29"), row("2", "2024-02-29")], "next_cursor": null });
    let host = Host::new().answer("GET", "https://hr.example/v1/employees?limit=1000", 200, body.to_string());
    let run = host.pull_all::<@type@>(&json!({ "base_url": "https://hr.example/v1" }), "employees", None).unwrap();
    assert_eq!((run.records.len(), run.rejects.len()), (1, 1));
    assert!(run.rejects[0].reason.starts_with("hireDate: "), "{}", run.rejects[0].reason);
}
