//! The example, run natively against scripted answers.
#![allow(clippy::unwrap_used)]

use example_staff_api::StaffApi;
use renmen_plugin::schema::{EntityKind, canonicalize};
use renmen_plugin::testing::Host;
use serde_json::{Value, json};

fn row(id: u32, second: u32) -> Value {
    json!({
        "id": format!("emp-{id}"), "employeeNumber": format!("E{id}"), "firstName": "Wei", "lastName": "Wang",
        "displayName": "Wei \"W\" Wang", "workEmail": "wei@example.test", "mobile": "+8613800000000",
        "department": {"id": "dept-1", "name": "Finance"}, "jobTitle": "Analyst", "managerId": null, "location": "Shanghai",
        "employmentType": "full_time", "status": "sabbatical", "hireDate": "2020-02-29",
        "salary": {"amount": 61234.5, "currency": "CNY"},
        "createdAt": "2024-01-01T00:00:00Z", "updatedAt": format!("2024-01-01T00:00:{second:02}Z"),
    })
}

fn answer(rows: &[Value], next: Option<&str>) -> String {
    json!({ "data": rows, "next_cursor": next }).to_string()
}

const FIRST: &str = "https://hr.example/v1/employees?limit=1000";

#[test]
fn a_run_reads_every_page_and_ends_with_canonical_records() {
    let second = "https://hr.example/v1/employees?limit=1000&updated_since=2024-01-01T00%3A00%3A02Z";
    let host = Host::new().answer("GET", FIRST, 200, answer(&[row(1, 1), row(2, 2)], Some("2"))).answer(
        "GET",
        second,
        200,
        answer(&[row(2, 2), row(3, 2)], None),
    );
    let run = host.pull_all::<StaffApi>(&json!({"base_url": "https://hr.example/v1"}), "employees", None).unwrap();
    let ids: Vec<_> = run.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!(ids, ["emp-1", "emp-2", "emp-3"]);
    assert_eq!(run.records[0].updated_at_ms, Some(1_704_067_201_000));
    let canonical = canonicalize(EntityKind::Employee, &run.records[0].payload).unwrap();
    assert_eq!(canonical, run.records[0].payload, "what is sent already is canonical");
}

#[test]
fn every_field_of_the_vendor_arrives() {
    let page = example_staff_api::map(answer(&[row(7, 1)], None).into()).unwrap();
    let body: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    let expected = [
        ("/person/names/formatted", "Wei \"W\" Wang"),
        ("/person/emails/0/address", "wei@example.test"),
        ("/person/phones/0/number", "+8613800000000"),
        ("/number", "E7"),
        ("/work/org_unit/external/value", "dept-1"),
        ("/work/org_unit_name", "Finance"),
        ("/work/status/code", "OTHER"),
        ("/work/status/raw", "sabbatical"),
        ("/work/kind/code", "FULL_TIME"),
        ("/work/hire_date", "2020-02-29"),
        ("/ext/staff_api/salary_amount/value", "61234.5"),
        ("/ext/staff_api/salary_currency/value", "CNY"),
        ("/ext/staff_api/created_at/value", "2024-01-01T00:00:00.000Z"),
    ];
    for (pointer, value) in expected {
        assert_eq!(body.pointer(pointer).and_then(Value::as_str), Some(value), "{pointer}");
    }
}

#[test]
fn a_date_that_does_not_exist_costs_its_record_only() {
    let mut bad = row(2, 1);
    bad["hireDate"] = json!("2023-02-29");
    let page = example_staff_api::map(answer(&[row(1, 1), bad, row(3, 1)], None).into()).unwrap();
    assert_eq!((page.records.len(), page.rejects.len()), (2, 1));
    assert_eq!(page.rejects[0].external_id.as_deref(), Some("emp-2"));
    assert!(page.rejects[0].reason.starts_with("hireDate: "), "{}", page.rejects[0].reason);
}

#[test]
fn a_vendor_that_throttles_is_told_with_its_wait() {
    let throttled =
        renmen_plugin::http::Response::from_parts(429, vec![("Retry-After".into(), "2".into())], Vec::new());
    let host = Host::new().answer_with("GET", FIRST, throttled);
    let failure =
        host.pull_all::<StaffApi>(&json!({"base_url": "https://hr.example/v1"}), "employees", None).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after_ms), (renmen_plugin::FailureKind::RateLimited, Some(2000)));
}

#[test]
fn the_manifest_contradicts_nothing() {
    let manifest = renmen_plugin::schema::manifest::Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert_eq!(manifest.check(), []);
}
