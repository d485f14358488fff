//! No error repeats any of what the vendor sent.

use connector_feishu::Feishu;
use renmen_plugin::Delivery;
use renmen_plugin::testing::{Host, NOW_MS};
use serde_json::json;

use crate::{config, fixtures};

#[test]
fn no_failure_finding_reject_or_log_line_quotes_an_answer() {
    let streams = ["departments", "employees", "jobs", "candidates", "applications", "offers", "interviews"];
    let ways = fixtures().assert_quotes_nothing::<Feishu>(&config(), &streams);
    assert!(ways > 1_000, "{ways}");
}

#[test]
fn nor_an_event() {
    let opened =
        |plain| Delivery { method: "POST".into(), received_at_ms: NOW_MS, opened: Some(plain), ..Delivery::default() };
    for event in [
        json!({ "schema": "2.0", "header": { "event_id": "e", "event_type": "hire.application.deleted_v1", "create_time": "1" },
                "event": { "application_ids": ["1"], "operator": { "name": "x" } } }),
        json!({ "uuid": "u", "token": "t", "type": "event_callback", "event": { "type": "approval_instance", "status": "x" } }),
    ] {
        assert!(Host::new().assert_delivery_quotes_nothing::<Feishu>(&config(), &event, opened) > 30);
    }
}
