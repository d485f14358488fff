//! No error repeats any of what the vendor sent.

use connector_interview_vendor::InterviewVendor;
use renmen_plugin::testing::Host;
use serde_json::json;

use crate::receive::{host, signed_bytes};
use crate::{BASE, config, object};

#[test]
fn no_failure_finding_reject_or_log_line_quotes_an_answer() {
    let candidate = object(
        "c1",
        json!({ "name": "赵晓明", "phone": "+8619900000001", "external_id": "req-1",
                "expected_pay": { "min": "8000", "max": "10000", "currency": "CNY", "per": "MONTH" } }),
    );
    let result = object(
        "r1",
        json!({ "interview_id": "i1", "overall": { "value": "82.5", "min": "0", "max": "100" },
                "completed_at": "2026-03-02T01:30:00Z", "recommendation": "pass" }),
    );
    let host = [("candidates", candidate), ("results", result)].into_iter().fold(Host::new(), |host, (name, row)| {
        let body = json!({ "data": [row], "next_cursor": null }).to_string();
        host.answer("GET", &format!("{BASE}/{name}?limit=500"), 200, body)
    });
    let ways = host.assert_quotes_nothing::<InterviewVendor>(&config(), &["candidates", "results"]);
    assert!(ways > 80, "{ways}");
}

#[test]
fn nor_an_event() {
    let event = json!({ "type": "candidate.updated", "timestamp": "2026-03-02T01:30:00Z",
        "data": { "candidates": [object("c1", json!({ "name": "x" }))] }, "changed": { "results": ["r1"] } });
    let ways =
        host().assert_delivery_quotes_nothing::<InterviewVendor>(&config(), &event, |body| signed_bytes(body, 0));
    assert!(ways > 40, "{ways}");
}
