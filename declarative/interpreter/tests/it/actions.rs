//! What is written, once.

use renmen_plugin::testing::Host;
use renmen_plugin::{Action, FailureKind};
use serde_json::{Value, json};

use crate::world::{Declared, config, map};

const URL: &str = "https://hr.example/v1/notes";

const MAPPING: &str = r#"
[api]
base = "{config/base_url}"
slot = "key"

[actions."note.write"]
request = { path = "/notes", headers = { "idempotency-key" = "{key}" }, json = { candidate = "{input/candidate}", text = "{input/text}", tags = "{input/tags}" } }
before = { request = { path = "/notes", query = { candidate = "{input/candidate}" } }, items = "/data", when = { "/text" = "{input/text}" }, reference = "/id" }
reference = "/note/id"
detail = { at = "/note/at" }
confirmed = { "/note/state" = ["done", ""] }

[actions."note.result"]
request = { path = "/notes/{input/reference}" }
confirmed = { "/state" = "done" }

[actions."note.form"]
request = { path = "/form", form = { text = "{input/text}", none = "{input/none}" } }
"#;

fn action(name: &str, input: &Value) -> Action {
    Action { name: name.into(), idempotency_key: "k1".into(), attempt: 1, input: input.to_string().into_bytes() }
}

fn listing() -> String {
    format!("{URL}?candidate=c1")
}

#[test]
fn a_write_sends_what_it_has_and_the_receipt_is_found_by_pointer() {
    map(MAPPING);
    let host = Host::new().answer("GET", &listing(), 200, r#"{"data":[{"id":"n0","text":"other"}]}"#).answer(
        "POST",
        URL,
        201,
        r#"{"note":{"id":17,"at":"now","state":"queued"}}"#,
    );
    let input = json!({ "candidate": "c1", "text": "hello" });
    let receipt = host.push::<Declared>(&config(), action("note.write", &input)).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("17"), false));
    assert_eq!(receipt.detail["at"], "now");
    let sent: Value = serde_json::from_slice(&host.request_body(1).unwrap()).unwrap();
    assert_eq!(sent, json!({ "candidate": "c1", "text": "hello" }));
}

#[test]
fn what_is_there_already_is_not_written_again() {
    map(MAPPING);
    let host = Host::new().answer("GET", &listing(), 200, r#"{"data":[{"id":"n0","text":"hello"}]}"#);
    let input = json!({ "candidate": "c1", "text": "hello" });
    let receipt = host.push::<Declared>(&config(), action("note.write", &input)).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed, host.requests().len()), (Some("n0"), true, 1));
}

#[test]
fn a_later_look_confirms_and_an_empty_answer_is_a_receipt() {
    map(MAPPING);
    let url = format!("{URL}/17");
    for (state, confirmed) in [("queued", false), ("done", true)] {
        let host = Host::new().answer("GET", &url, 200, json!({ "state": state }).to_string());
        let receipt = host
            .push::<Declared>(&config(), action("note.result", &json!({ "reference": "17", "detail": {} })))
            .unwrap();
        assert_eq!(receipt.confirmed, confirmed);
    }
    let host = Host::new().answer("POST", "https://hr.example/v1/form", 204, "");
    let receipt = host.push::<Declared>(&config(), action("note.form", &json!({ "text": "a b&c=张" }))).unwrap();
    assert!(receipt.confirmed);
    assert_eq!(host.request_body(0).unwrap(), b"text=a%20b%26c%3D%E5%BC%A0");
}

#[test]
fn an_action_that_is_not_mapped_or_is_refused_is_a_failure() {
    map(MAPPING);
    let unknown = Host::new().push::<Declared>(&config(), action("note.erase", &json!({}))).unwrap_err();
    assert_eq!(unknown.kind, FailureKind::InvalidInput);
    let host = Host::new().answer("GET", &listing(), 200, "{}").answer("POST", URL, 403, "{}");
    let refused =
        host.push::<Declared>(&config(), action("note.write", &json!({ "candidate": "c1", "text": "x" }))).unwrap_err();
    assert_eq!(refused.kind, FailureKind::NotGranted);
}

#[test]
fn a_refusal_in_the_body_that_no_rule_names_is_about_the_input_and_a_rule_says_otherwise() {
    let mapping = MAPPING.replacen(
        "[actions",
        "ok = { \"/code\" = 0 }\n\n[[api.errors]]\nwhen = { \"/code\" = 9 }\nis = \"rate-limited\"\n\n[actions",
        1,
    );
    map(&mapping);
    let url = "https://hr.example/v1/form";
    for (code, kind) in [(7, FailureKind::InvalidInput), (9, FailureKind::RateLimited)] {
        let host = Host::new().answer("POST", url, 200, json!({ "code": code }).to_string());
        let refused = host.push::<Declared>(&config(), action("note.form", &json!({ "text": "a" }))).unwrap_err();
        assert_eq!(refused.kind, kind, "{refused:?}");
    }
}
