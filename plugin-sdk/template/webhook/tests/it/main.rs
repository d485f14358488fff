//! What deliveries mean, natively. Their signatures are the gateway's: `[webhook.proof]` in plugin.toml.

use renmen_plugin::schema::{EntityKind, canonicalize};
use renmen_plugin::testing::Host;
use renmen_plugin::{Delivery, FailureKind, Outcome, Pull};
use @crate@::@type@;
use serde_json::{Value, json};

fn config() -> Value {
    json!({ "base_url": "https://hr.example/v1" })
}

fn row(id: &str) -> Value {
    json!({ "id": id, "displayName": "A", "status": "active", "updatedAt": "2026-01-01T00:00:00Z" })
}

fn received(kind: &str, data: &Value) -> Outcome {
    let body = json!({ "id": "evt-1", "type": kind, "data": data }).to_string().into_bytes();
    let delivery = Delivery { method: "POST".into(), body, ..Delivery::default() };
    Host::new().receive::<@type@>(&config(), delivery).unwrap()
}

#[test]
fn an_event_that_carries_an_employee_becomes_a_record_and_a_bad_one_a_reject() {
    let mut bad = row("2");
    bad["hireDate"] = "2023-02-29".into();
    let outcome = received("employee.updated", &json!([row("1"), bad]));
    assert_eq!(outcome.delivery_id.as_deref(), Some("evt-1"));
    assert_eq!((outcome.records.len(), outcome.rejects.len()), (1, 1));
    assert!(canonicalize(EntityKind::Employee, &outcome.records[0].payload).is_ok());
    assert!(outcome.rejects[0].reason.starts_with("hireDate: "), "{}", outcome.rejects[0].reason);
}

#[test]
fn a_deleted_employee_is_reported_as_gone() {
    let outcome = received("employee.deleted", &json!([{ "id": "1" }]));
    assert!(outcome.records[0].deleted && outcome.records[0].external_id == "1");
}

#[test]
fn what_is_only_announced_is_read_and_one_that_is_not_found_is_gone() {
    let outcome = received("employee.changed", &json!([{ "id": "1" }, { "id": "2" }]));
    assert!(outcome.records.is_empty());
    let only = outcome.refresh[0].only.clone();
    assert_eq!(only, ["1", "2"]);
    let answer = |rows: Value| json!({ "data": rows }).to_string();
    let host = Host::new()
        .answer("GET", "https://hr.example/v1/employees?id=1", 200, answer(json!([row("1")])))
        .answer("GET", "https://hr.example/v1/employees?id=2", 200, answer(json!([])));
    let pull = Pull { stream: "employees".into(), only, max_records: 100, ..Pull::default() };
    let page = host.pull::<@type@>(&config(), pull).unwrap();
    let gone: Vec<bool> = page.records.iter().map(|record| record.deleted).collect();
    assert_eq!(gone, [false, true]);
}

#[test]
fn an_unknown_event_is_accepted_and_a_broken_one_refused() {
    assert_eq!(received("invoice.paid", &json!([])).answer.status, 200);
    let delivery = Delivery { method: "POST".into(), body: b"{".to_vec(), ..Delivery::default() };
    let failure = Host::new().receive::<@type@>(&config(), delivery).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
}

#[test]
fn the_list_is_read_on_schedule_too() {
    let host = Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let run = host.pull_all::<@type@>(&config(), "employees", None).unwrap();
    assert_eq!((run.records.len(), run.rejects.len()), (3, 0));
}
