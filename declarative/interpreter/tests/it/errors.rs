//! What the vendor's answers mean that are not good.

use renmen_plugin::http::Response;
use renmen_plugin::testing::Host;
use renmen_plugin::{FailureKind, Source as _};

use crate::world::{Declared, config, map, pull_all, staff};

const URL: &str = "https://hr.example/v1/staff";

fn mapping() -> String {
    let rules = r#"
[[api.errors]]
when = { "/errcode" = [88, "90018"] }
is = "rate-limited"
wait = "30s"

[[api.errors]]
when = { "/errcode" = 60011 }
is = "not-granted"
message = "give the app the permission"

[[api.errors]]
status = [404]
is = "empty"
"#;
    let text = staff("request = { path = '/staff' }\nitems = '/data'") + rules;
    text.replacen("[api]", "[api]\nok = { '/errcode' = 0 }\ncode = '/errcode'", 1)
}

#[test]
fn the_body_decides_and_then_the_status() {
    map(&mapping());
    for (status, body, kind, code, wait) in [
        (200, r#"{"errcode":88}"#, FailureKind::RateLimited, Some("88"), Some(30_000)),
        (200, r#"{"errcode":"90018"}"#, FailureKind::RateLimited, Some("90018"), Some(30_000)),
        (400, r#"{"errcode":60011}"#, FailureKind::NotGranted, Some("60011"), None),
        (200, r#"{"errcode":7,"errmsg":"Canary"}"#, FailureKind::UpstreamChanged, Some("7"), None),
        (200, r#"{"data":[]}"#, FailureKind::UpstreamChanged, None, None),
        (200, r#"{"errcode":0,"data":{}}"#, FailureKind::UpstreamChanged, None, None),
        (200, r#"{"errcode":0}"#, FailureKind::UpstreamChanged, None, None),
        (200, "<html>Canary</html>", FailureKind::UpstreamChanged, None, None),
        (200, r#"{"errcode":0,"data":["#, FailureKind::UpstreamUnavailable, None, None),
        (401, "{}", FailureKind::AuthRequired, Some("401"), None),
        (403, "Canary", FailureKind::NotGranted, Some("403"), None),
        (503, "", FailureKind::UpstreamUnavailable, Some("503"), None),
    ] {
        let failure = pull_all(&Host::new().answer("GET", URL, status, body), "staff", None).unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_deref(), failure.retry_after_ms),
            (kind, code, wait),
            "{status} {body}"
        );
        assert!(!failure.message.contains("Canary"), "{failure}");
    }
}

#[test]
fn the_vendors_own_wait_counts_above_ours() {
    map(&mapping());
    let slow = Response::from_parts(200, vec![("retry-after".into(), "7".into())], br#"{"errcode":88}"#.to_vec());
    let failure = pull_all(&Host::new().answer_with("GET", URL, slow), "staff", None).unwrap_err();
    assert_eq!(failure.retry_after_ms, Some(7_000));
    let bare = Response::from_parts(429, vec![("retry-after".into(), "9".into())], Vec::new());
    let failure = pull_all(&Host::new().answer_with("GET", URL, bare), "staff", None).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::RateLimited, Some(9_000)));
}

#[test]
fn an_answer_that_means_nothing_is_there_is_an_empty_list() {
    map(&mapping());
    let run = pull_all(&Host::new().answer("GET", URL, 404, "no such page"), "staff", None).unwrap();
    assert_eq!((run.records.len(), run.pages), (0, 1));
}

#[test]
fn no_failure_reject_or_log_line_quotes_an_answer() {
    map(&mapping());
    let host = Host::new().answer("GET", URL, 200, r#"{"errcode":0,"data":[{"id":"1","name":"A"}]}"#);
    assert!(host.assert_quotes_nothing::<crate::world::Declared>(&crate::world::config(), &["staff"]) > 10);
}

/// Rows are lists, and so is an error: one row whose first cell is an object. Or the object comes bare.
const CELLS: &str = r#"
[api]
base = "{config/base_url}"
ok = { "/0/0/Result" = "", "/Result" = "" }
code = ["/0/0/Result/MsgCode", "/Result/MsgCode"]

[[api.errors]]
when = { "/0/0/Result/MsgCode" = [1, 2] }
is = "auth-required"

[[api.errors]]
when = { "/Result/MsgCode" = [1, 2] }
is = "auth-required"

[streams.staff]
request = { path = "/staff" }
[[streams.staff.records]]
entity = "employee"
id = "/0"
fields = { "/person/names/formatted" = "/1" }
"#;

#[test]
fn rows_may_be_lists_and_an_error_a_cell_of_the_first_one() {
    map(CELLS);
    let run = pull_all(&Host::new().answer("GET", URL, 200, r#"[["1","A"],[2,"B"]]"#), "staff", None).unwrap();
    let found: Vec<_> =
        run.records.iter().map(|record| (record.external_id.as_str(), record.pointer.as_str())).collect();
    assert_eq!(found, [("1", "/0"), ("2", "/1")]);
    assert_eq!(pull_all(&Host::new().answer("GET", URL, 200, "[]"), "staff", None).unwrap().records.len(), 0);
    for (body, kind, code) in [
        (r#"[[{"Result":{"MsgCode":1}}]]"#, FailureKind::AuthRequired, "1"),
        (r#"{"Result":{"MsgCode":2}}"#, FailureKind::AuthRequired, "2"),
        (r#"[[{"Result":{"MsgCode":4}}]]"#, FailureKind::UpstreamChanged, "4"),
        (r#"{"Result":{"MsgCode":4}}"#, FailureKind::UpstreamChanged, "4"),
    ] {
        let failure = pull_all(&Host::new().answer("GET", URL, 200, body), "staff", None).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)), "{body}");
    }
}

#[test]
fn a_list_that_the_vendor_does_not_have_fails_its_run_and_not_the_check() {
    map(&staff("request = { path = '/staff' }\nitems = '/data'").replacen(
        "[streams",
        "[[api.errors]]\nstatus = [404]\nis = 'gone'\n\n[streams",
        1,
    ));
    let host = || Host::new().answer("GET", "https://hr.example/v1/staff", 404, "{}");
    assert_eq!(pull_all(&host(), "staff", None).unwrap_err().kind, FailureKind::BadConfig);
    let findings = host().run(|| Declared::probe(config())).unwrap();
    assert!(findings[0].ok && findings[0].message.contains("leave the stream out"), "{findings:?}");
}
