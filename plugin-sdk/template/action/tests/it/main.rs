//! The two actions, natively: no gateway, no vendor account.

use renmen_plugin::testing::Host;
use renmen_plugin::{Action, FailureKind, Receipt};
use @crate@::@type@;
use serde_json::{Value, json};

const NOTES: &str = "https://recruiting.example/v1/candidates/c%2F7/notes";

fn config() -> Value {
    json!({ "base_url": "https://recruiting.example/v1" })
}

fn action(name: &str, input: &Value) -> Action {
    let idempotency_key = "key-1".to_owned();
    Action { name: name.into(), idempotency_key, attempt: 1, input: input.to_string().into_bytes() }
}

fn note() -> Action {
    action("note.put", &json!({ "candidate": "c/7", "text": "Passed the second round" }))
}

fn state(state: &str) -> String {
    json!({ "id": "note-9", "state": state }).to_string()
}

#[test]
fn a_note_that_is_filed_is_confirmed_with_its_reference() {
    let host = Host::new().answer("POST", NOTES, 201, state("filed"));
    let receipt = host.push::<@type@>(&config(), note()).unwrap();
    assert_eq!(receipt, Receipt { reference: Some("note-9".into()), confirmed: true, ..Receipt::default() });
    let sent: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!(sent, json!({ "text": "Passed the second round" }));
}

#[test]
fn a_note_that_waits_is_looked_up_later() {
    let host = Host::new()
        .answer("POST", NOTES, 202, state("queued"))
        .answer("GET", "https://recruiting.example/v1/notes/note-9", 200, state("filed"));
    let receipt = host.push::<@type@>(&config(), note()).unwrap();
    assert!(!receipt.confirmed);
    let asked = action("note.status", &json!({ "reference": receipt.reference, "detail": receipt.detail }));
    assert!(host.push::<@type@>(&config(), asked).unwrap().confirmed);
}

#[test]
fn failures_say_whether_another_attempt_can_help() {
    for (status, body, kind) in [
        (404, String::new(), FailureKind::InvalidInput),
        (200, state("refused"), FailureKind::InvalidInput),
        (200, state("?"), FailureKind::UpstreamChanged),
        (429, String::new(), FailureKind::RateLimited),
        (503, String::new(), FailureKind::UpstreamUnavailable),
        (401, String::new(), FailureKind::AuthRequired),
    ] {
        let host = Host::new().answer("POST", NOTES, status, body);
        assert_eq!(host.push::<@type@>(&config(), note()).unwrap_err().kind, kind, "{status}");
    }
    let failure = Host::new().push::<@type@>(&config(), action("note.burn", &json!({}))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
}
