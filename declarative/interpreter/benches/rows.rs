//! A page of 1,000 employees: by the interpreter, and by the same mapping in Rust (`plugin-sdk/examples/staff-api`), natively and over the same
//! bytes. Prints the best of several rounds of each, in microseconds a record, and what the one costs of the other.
//! `cargo bench -p renmen-declarative --bench rows`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use renmen_declarative::language::Document;
use renmen_plugin::Pull;
use renmen_plugin::testing::Host;
use serde_json::{Value, json};

const ROWS: u32 = 1_000;
const ROUNDS: u32 = 60;
const URL: &str = "https://hr.example/v1/employees?limit=1000";

const MAPPING: &str = include_str!("staff.toml");

fn main() {
    let body = body();
    let checked = renmen_declarative::author::read(MAPPING, None).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let config = json!({ "base_url": "https://hr.example/v1" });
    let ask = Pull { stream: "employees".into(), max_records: ROWS, ..Pull::default() };
    let rust = best(|| {
        let host = Host::new().answer("GET", URL, 200, body.clone());
        let started = Instant::now();
        let page = host.pull::<example_staff_api::StaffApi>(&config, ask.clone()).unwrap();
        (started.elapsed(), page)
    });
    let declared = best(|| {
        let host = Host::new().answer("GET", URL, 200, body.clone());
        let started = Instant::now();
        // As in the component: the mapping is read in each call.
        let document: Document = serde_json::from_slice(&checked.embedded).unwrap();
        let page = host.run(|| renmen_declarative::pull(&document, &config, &ask)).unwrap();
        (started.elapsed(), page)
    });
    same(&rust.1, &declared.1);
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(ROWS);
    println!("in Rust       {:6.3} µs a record", micros(rust.0));
    println!("interpreted   {:6.3} µs a record", micros(declared.0));
    println!("the one costs {:6.2} times the other", declared.0.as_secs_f64() / rust.0.as_secs_f64());
}

fn best(mut round: impl FnMut() -> (Duration, renmen_plugin::Page)) -> (Duration, renmen_plugin::Page) {
    (0..ROUNDS).map(|_| round()).min_by_key(|(time, _)| *time).unwrap()
}

/// Both must have made the same records.
fn same(one: &renmen_plugin::Page, other: &renmen_plugin::Page) {
    assert_eq!((one.records.len(), other.records.len()), (ROWS as usize, ROWS as usize));
    for (one, other) in one.records.iter().zip(&other.records) {
        let body = |payload: &[u8]| serde_json::from_slice::<Value>(payload).unwrap();
        assert_eq!(body(&one.payload), body(&other.payload), "{}", one.pointer);
        assert_eq!((&one.external_id, one.updated_at_ms), (&other.external_id, other.updated_at_ms));
    }
}

fn body() -> Vec<u8> {
    let row = |number: u32| {
        json!({
            "id": format!("emp-{number}"), "employeeNumber": format!("E{number:05}"), "firstName": "Wei", "lastName": "Example",
            "displayName": format!("Wei Example {number}"), "workEmail": format!("wei{number}@example.test"), "mobile": "+8619900000001",
            "department": { "id": "dept-1", "name": "Finance" }, "jobTitle": "Analyst", "managerId": "emp-0", "location": "Shanghai",
            "employmentType": "full_time", "status": "active", "hireDate": "2020-02-29",
            "salary": { "amount": 61234.5, "currency": "CNY" }, "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-01-01T00:00:00Z",
        })
    };
    json!({ "data": (0..ROWS).map(row).collect::<Vec<_>>(), "next_cursor": null }).to_string().into_bytes()
}
