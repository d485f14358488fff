//! What a vendor sends of its own accord.

use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Delivery, FailureKind, Refresh};
use serde_json::{Value, json};

use crate::world::{Declared, body, config, map};

const MAPPING: &str = r#"
[api]
base = "{config/base_url}"

[streams.staff]
request = { path = "/staff" }
lookup = { request = { path = "/staff/{id}" } }
[[streams.staff.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }

[webhook]
signature = { slot = "hook", at = "{header/x-signature}", prefix = "sha256=", encoding = "hex", signed = ["{header/x-time}", ".{body}"], time = "{header/x-time}", unit = "s" }
id = "{/event_id}"

[[webhook.events]]
when = { "/type" = "ping" }
answer = { challenge = "ok" }

[[webhook.events]]
when = { "/type" = "changed" }
refresh = "staff"
ids = ["/ids"]

[[webhook.events]]
when = { "/type" = "whole" }
item = "/staff"
[[webhook.events.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }
"#;

/// The signature is made of the parts: time and body, as the mapping says.
fn host() -> Host {
    Host::new().on_seal(|call| Ok(call.parts.concat()))
}

fn delivery(body: &Value, time: i64) -> Delivery {
    let body = body.to_string();
    let signature: String = format!("{time}.{body}").bytes().map(|byte| format!("{byte:02x}")).collect();
    Delivery {
        method: "POST".into(),
        headers: vec![("X-Signature".into(), format!("sha256={signature}")), ("X-Time".into(), time.to_string())],
        body: body.into_bytes(),
        received_at_ms: NOW_MS,
        ..Delivery::default()
    }
}

fn receive(event: &Value) -> Result<renmen_plugin::Outcome, renmen_plugin::Failure> {
    map(MAPPING);
    host().receive::<Declared>(&config(), delivery(event, NOW_MS / 1000))
}

#[test]
fn an_event_leads_to_what_is_to_be_read_or_brings_it() {
    let outcome = receive(&json!({ "event_id": 5, "type": "changed", "ids": ["1", 2] })).unwrap();
    assert_eq!(outcome.refresh, [Refresh { stream: "staff".into(), only: vec!["1".into(), "2".into()] }]);
    assert_eq!(outcome.delivery_id.as_deref(), Some("5"));
    let outcome = receive(&json!({ "event_id": "6", "type": "whole", "staff": { "id": "7", "name": "A" } })).unwrap();
    assert_eq!((outcome.records[0].pointer.as_str(), outcome.records[0].exchange), ("/staff", 0));
    assert_eq!(body(&outcome.records[0]), json!({ "person": { "names": { "formatted": "A" } } }));
    let outcome = receive(&json!({ "type": "ping" })).unwrap();
    assert_eq!(outcome.answer.body, br#"{"challenge":"ok"}"#);
    let outcome = receive(&json!({ "type": "unheard of" })).unwrap();
    assert_eq!((outcome.answer.status, outcome.refresh.len(), outcome.records.len()), (200, 0, 0));
}

#[test]
fn a_delivery_that_is_not_proved_is_refused_and_nothing_of_it_is_kept() {
    map(MAPPING);
    let good = delivery(&json!({ "type": "ping" }), NOW_MS / 1000);
    let mut forged = good.clone();
    forged.body = br#"{"type":"whole"}"#.to_vec();
    let mut bare = good.clone();
    bare.headers.clear();
    let mut odd = good.clone();
    odd.headers[0].1 = "sha1=00".into();
    let old = delivery(&json!({ "type": "ping" }), NOW_MS / 1000 - 3600);
    for (what, bad) in [("forged", forged), ("bare", bare), ("odd", odd), ("old", old)] {
        let failure = host().receive::<Declared>(&config(), bad).unwrap_err();
        assert_eq!(failure.kind, FailureKind::AuthRequired, "{what}");
    }
    assert!(host().receive::<Declared>(&config(), good).is_ok());
}

#[test]
fn a_proved_delivery_of_no_use_is_told_so() {
    let failure = receive(&json!({ "type": "changed" })).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
    map(MAPPING);
    let mut text = delivery(&json!({}), NOW_MS / 1000);
    text.body = b"Canary".to_vec();
    let signature: String = format!("{}.Canary", NOW_MS / 1000).bytes().map(|byte| format!("{byte:02x}")).collect();
    text.headers[0].1 = format!("sha256={signature}");
    let failure = host().receive::<Declared>(&config(), text).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
    assert!(!failure.message.contains("Canary"));
}
