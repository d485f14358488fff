//! No error repeats any of what the vendor sent.

use connector_dingtalk::DingTalk;
use renmen_plugin::Delivery;
use renmen_plugin::testing::{Host, NOW_MS};
use serde_json::json;

use crate::{config, host};

#[test]
fn no_failure_finding_reject_or_log_line_quotes_an_answer() {
    let ways = host().assert_quotes_nothing::<DingTalk>(&config(), &["departments", "users", "roster", "leavers"]);
    assert!(ways > 300, "{ways}");
}

#[test]
fn nor_an_event_through_either_door() {
    let event = json!({ "EventType": "user_modify_org", "EventTime": 1, "BizId": "b", "userId": ["u1"], "name": "x" });
    let opened =
        |plain| Delivery { method: "POST".into(), received_at_ms: NOW_MS, opened: Some(plain), ..Delivery::default() };
    assert!(Host::new().assert_delivery_quotes_nothing::<DingTalk>(&config(), &event, opened) > 30);
    let framed = |body| Delivery {
        method: "STREAM".into(),
        headers: vec![("eventType".into(), "user_modify_org".into())],
        body,
        ..Delivery::default()
    };
    assert!(Host::new().assert_delivery_quotes_nothing::<DingTalk>(&config(), &event, framed) > 30);
}
