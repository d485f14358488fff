//! The fake gateway answers as it was told, and says so when it was not.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::seal;
use renmen_plugin::testing::Host;
use renmen_plugin::{Failure, FailureKind};
use serde_json::json;

fn fixtures() -> Host {
    Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

#[test]
fn recorded_exchanges_answer_by_method_url_and_body() {
    let host = fixtures();
    let staff = host.run(|| Request::get("https://hr.example/staff").query("page", 1).send()).unwrap();
    assert_eq!((staff.status(), staff.header("Content-Type")), (200, Some("application/json")));
    assert_eq!(staff.json::<serde_json::Value>().unwrap(), json!({"data": [{"id": 1}]}));
    let search = |q: &str| host.run(|| Request::post("https://hr.example/search").json(&json!({ "q": q })).send());
    assert_eq!(search("a").unwrap().ok().unwrap_err().retry_after_ms, Some(3000));
    assert_eq!(search("b").unwrap().body(), b"[]");
}

#[test]
fn a_request_that_nothing_answers_is_named() {
    let failure = fixtures().run(|| Request::get("https://hr.example/other").send()).unwrap_err();
    assert!(failure.message.contains("GET https://hr.example/other"), "{failure}");
}

#[test]
fn equal_requests_get_their_answers_in_order_and_then_the_last_one() {
    let host = Host::new().answer("GET", "https://a.example", 500, "").answer("GET", "https://a.example", 200, "");
    let status = || host.run(|| Request::get("https://a.example").send()).unwrap().status();
    assert_eq!([status(), status(), status()], [500, 200, 200]);
}

#[test]
fn exchanges_are_numbered_from_0_in_each_call() {
    let host = Host::new().answer("GET", "https://a.example", 200, "");
    let exchange = || Request::get("https://a.example").send().as_ref().map(Response::exchange).ok();
    assert_eq!(host.run(|| [exchange(), exchange()]), [Some(0), Some(1)]);
    assert_eq!(host.run(exchange), Some(0));
}

#[test]
fn a_scripted_failure_reaches_the_connector_as_it_is() {
    let host = Host::new().fail("GET", "https://a.example", Failure::not_granted("no").with_code("grant"));
    let failure = host.run(|| Request::get("https://a.example").send()).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::NotGranted, Some("grant")));
}

#[test]
fn seal_is_played_by_the_test_and_fails_without() {
    let parts = [b"bo".as_slice(), b"dy"];
    let without = Host::new().run(|| seal::sign("app", &parts)).unwrap_err();
    assert_eq!(without.kind, FailureKind::AuthRequired);
    let host = Host::new().on_seal(|call| {
        assert_eq!(call.slot, "app");
        Ok(call.parts.concat())
    });
    assert_eq!(host.run(|| seal::sign("app", &parts)).unwrap(), b"body");
    assert!(host.run(|| seal::verify("app", &parts, b"body")).unwrap());
    assert!(!host.run(|| seal::verify("app", &parts, b"other")).unwrap());
}

#[test]
fn outside_of_a_run_there_is_no_gateway() {
    let failure = Request::get("https://a.example").send().unwrap_err();
    assert!(failure.message.contains("testing::Host::run"), "{failure}");
}
