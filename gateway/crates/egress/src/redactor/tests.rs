#![allow(clippy::unwrap_used)]
use super::*;
use crate::secrecy::parts;

const SECRET: &str = "canary-4711+/ä-9f3e77a1";

fn slot(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

fn redactor() -> Redactor {
    with(SECRET, &[])
}

fn with(secret: &str, public: &[&str]) -> Redactor {
    let public: Vec<String> = public.iter().map(ToString::to_string).collect();
    Redactor::new([(slot("app"), parts(secret, None, &public).unwrap())].into(), Account::of("redactor")).unwrap()
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

fn told(redactor: &Redactor, request: &Request) -> String {
    redactor.check_outgoing(request).unwrap_err().to_string()
}

#[test]
fn a_secret_in_any_part_of_a_request_is_refused_by_slot_f14() {
    let redactor = redactor();
    assert!(redactor.check_outgoing(&request("https://a.test/?q=canary", "canary", "fine, 4711")).is_ok());
    let percent = "https://a.test/%63anary-4711%2b%2F%c3%A4%2D9f3e77a1";
    for (place, request) in [
        ("URL", request(percent, "", "")),
        ("header", request("https://a.test/", &format!("x {SECRET} y"), "")),
        ("body", request("https://a.test/", "", &format!("{{\"a\":\"{SECRET}\"}}"))),
        (
            "header",
            Request {
                headers: vec![("x-canary4711-9f3e77a1".into(), "1".into())],
                ..request("https://a.test/", "", "")
            },
        ),
        ("method", Request { method: SECRET.into(), ..request("https://a.test/", "", "") }),
    ] {
        let error = told(&redactor, &request);
        assert!(error.contains(&format!("the {place} carries the secret of slot `app`")), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn a_member_that_looks_like_an_identifier_is_refused_with_what_to_write() {
    let secret = r#"{"client_id":"ding-7GqLwPz0RkTn","client_secret":"7f3a9c21-kTz9qW2x"}"#;
    let closed = with(secret, &[]);
    let id = request("https://a.test/?app=ding-7GqLwPz0RkTn", "", "");
    let error = told(&closed, &id);
    assert!(error.contains("`client_id`") && error.contains(r#"public = ["client_id"]"#), "{error}");
    let error = told(&closed, &request("https://a.test/?app=7f3a9c21-kTz9qW2x", "", ""));
    assert!(error.contains("`client_secret`") && !error.contains("public"), "{error}");
    let open = with(secret, &["client_id"]);
    assert!(open.check_outgoing(&id).is_ok());
    assert!(open.check_outgoing(&request("https://a.test/?app=7f3a9c21-kTz9qW2x", "", "")).is_err());
}

#[test]
fn a_clean_answer_is_not_copied() {
    let body = Bytes::from(vec![b'x'; 10_000]);
    let address = body.as_ptr();
    assert_eq!(redactor().redact_answer(body).as_ptr(), address);
}

#[tokio::test]
async fn a_long_answer_is_looked_through_to_its_end() {
    for length in [1_000, AT_ONCE_MAX - 20, AT_ONCE_MAX + 20, 3 * AT_ONCE_MAX] {
        let mut body = vec![b' '; length];
        body.extend_from_slice(SECRET.as_bytes());
        let redactor = Arc::new(redactor());
        let aside = redactor.redact_answer_aside(body.clone().into()).await;
        let clean = redactor.redact_answer(body.into());
        assert!(clean.ends_with(b" [redacted]") && clean.len() == length + 10, "{length}");
        assert_eq!(clean, aside);
    }
}

#[test]
fn a_header_of_an_answer_loses_a_secret_in_its_value_and_goes_with_one_in_its_name() {
    let redactor = redactor();
    let header = |name: &str, value: &str| redactor.redact_header(name.into(), value.into());
    assert_eq!(header("x-echo", &format!("a {SECRET} b")), Some(("x-echo".into(), "a [redacted] b".into())));
    assert_eq!(header("x-total", "7"), Some(("x-total".into(), "7".into())));
    assert_eq!(header("x-canary-4711-9f3e77a1", "7"), None);
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

#[test]
fn what_was_found_is_counted_by_place_and_member() {
    let redactor = with(r#"{"client_id":"ding-7GqLwPz0RkTn","client_secret":"7f3a9c21-kTz9qW2x"}"#, &[]);
    for _ in 0..2 {
        redactor.redact_answer(Bytes::from_static(br#"{"app":"ding-7GqLwPz0RkTn"}"#));
    }
    assert!(redactor.find(b"7f3a9c21-kTz9qW2x").is_some());
    let seen: Vec<_> = redactor.sightings().into_iter().map(|s| (s.found.member.unwrap(), s.place, s.times)).collect();
    assert_eq!(
        seen,
        [("client_id".into(), SightingPlace::Answer, 2), ("client_secret".into(), SightingPlace::Output, 1)]
    );
}
