#![allow(clippy::unwrap_used)]
use super::*;

const SECRET: &str = "canary-4711+/ä";

fn slot(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

fn redactor() -> Redactor {
    Redactor::new([(slot("app"), Zeroizing::new(SECRET.to_owned()))]).unwrap()
}

fn request(url: &str, header: &str, body: &str) -> Request {
    Request {
        method: "POST".into(),
        url: url.into(),
        headers: vec![("x-note".into(), header.into())],
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
        slot: None,
    }
}

#[test]
fn a_secret_in_any_form_and_part_of_a_request_is_refused_by_slot_f14() {
    let redactor = redactor();
    assert!(redactor.check_outgoing(&request("https://a.test/?q=1", "fine", "fine")).is_ok());
    for form in forms(SECRET) {
        let form = String::from_utf8_lossy(&form).into_owned();
        for request in [
            request(&format!("https://a.test/{form}"), "", ""),
            request("https://a.test/", &format!("x {form} y"), ""),
            request("https://a.test/", "", &format!("{{\"a\":\"{form}\"}}")),
        ] {
            let error = redactor.check_outgoing(&request).unwrap_err().to_string();
            assert!(error.contains("`app`") && !error.contains("canary"), "{error}");
        }
    }
    let needless = "https://a.test/%63anary-4711%2b%2F%c3%A4";
    assert!(redactor.check_outgoing(&request(needless, "", "")).is_err());
}

#[test]
fn an_answer_loses_every_form_and_nothing_else_f14() {
    let redactor = redactor();
    for form in forms(SECRET) {
        let text = format!("before {} after", String::from_utf8_lossy(&form));
        assert_eq!(redactor.redact_text(text), "before [redacted] after");
    }
    assert_eq!(redactor.redact_text("nothing here".into()), "nothing here");
}

#[test]
fn a_clean_body_is_not_copied() {
    let body = Bytes::from(vec![b'x'; 10_000]);
    let address = body.as_ptr();
    assert_eq!(redactor().redact_body(body).as_ptr(), address);
}

#[test]
fn tokens_become_sensitive_when_they_are_learned_and_stay_so_for_a_while() {
    let redactor = redactor();
    assert_eq!(redactor.redact_text("token-000001".into()), "token-000001");
    for n in 1..=5 {
        redactor.learn(&slot("app"), &format!("token-00000{n}")).unwrap();
    }
    assert_eq!(redactor.redact_text("token-000005 token-000002".into()), "[redacted] [redacted]");
    assert_eq!(redactor.redact_text("token-000001".into()), "token-000001");
}
