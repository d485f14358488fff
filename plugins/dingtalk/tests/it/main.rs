//! The connector against recorded answers. Nothing here needs a gateway or an account.
#![allow(clippy::unwrap_used)]

mod actions;
mod approvals;
mod events;
mod named;

use connector_dingtalk::DingTalk;
use renmen_plugin::testing::{Host, Run, readable};
use renmen_plugin::{Coverage, FailureKind, Pull};
use serde_json::{Value, json};

fn config() -> Value {
    json!({ "api_url": "https://api.dingtalk.test", "oapi_url": "https://oapi.dingtalk.test" })
}

fn host() -> Host {
    Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

fn run(stream: &str) -> Run {
    host().pull_all::<DingTalk>(&config(), stream, None).unwrap()
}

fn pull(stream: &str, cursor: Option<&str>) -> Pull {
    Pull { stream: stream.into(), cursor: cursor.map(str::to_owned), max_records: Run::PAGE_RECORDS, ..Pull::default() }
}

#[test]
fn departments_are_walked_level_by_level_and_cover_everything() {
    let run = run("departments");
    let ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
    assert_eq!(ids, ["1", "100", "200"]);
    assert_eq!(run.coverage, Coverage::Everything);
    let root: Value = serde_json::from_slice(&run.records[0].payload).unwrap();
    assert_eq!(root["kind"]["code"], "COMPANY");
    assert_eq!(root.get("parent"), None);
}

#[test]
fn a_department_without_a_name_is_rejected_alone() {
    let rejects = run("departments").rejects;
    assert_eq!(rejects.len(), 1);
    assert_eq!((rejects[0].external_id.as_deref(), rejects[0].pointer.as_str()), (Some("101"), "/result/1"));
}

#[test]
fn members_keep_their_day_of_hiring_in_china_and_what_is_hidden_stays_unknown() {
    let run = run("users");
    insta::assert_json_snapshot!(readable(&run.records));
    assert_eq!(run.rejects.len(), 1, "a text where a day was expected is rejected alone");
    assert!(run.rejects[0].reason.contains("hired_date"), "{}", run.rejects[0].reason);
}

#[test]
fn the_roster_gives_employment_and_assignment_and_refuses_a_day_that_does_not_exist() {
    let run = run("roster");
    insta::assert_json_snapshot!(readable(&run.records));
    assert_eq!(run.rejects.len(), 1, "31 February");
    assert_eq!(run.rejects[0].external_id.as_deref(), Some("u2"));
}

#[test]
fn a_leaver_ends_the_employment_and_the_assignment_is_gone() {
    insta::assert_json_snapshot!(readable(&run("leavers").records));
}

#[test]
fn a_blocked_address_waits_five_minutes_whatever_shape_the_block_has() {
    let url = "https://oapi.dingtalk.test/topapi/v2/department/get";
    for body in ["<html>blocked</html>", r#"{"status":1111,"wait":5,"source":"x5","punish":"deny"}"#] {
        let host = Host::new().answer("POST", url, 200, body);
        let failure = host.pull::<DingTalk>(&config(), pull("departments", None)).unwrap_err();
        assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::RateLimited, Some(300_000)));
    }
}

#[test]
fn the_probe_names_what_is_not_permitted() {
    let denied = r#"{"errcode":60011,"errmsg":"x"}"#;
    let host =
        Host::new().answer("POST", "https://oapi.dingtalk.test/topapi/v2/department/listsub", 200, denied).answer(
            "GET",
            "https://api.dingtalk.test/v1.0/hrm/employees/dismissions?nextToken=0&maxResults=1",
            200,
            r#"{"userIdList":[],"hasMore":false}"#,
        );
    let findings = host.probe::<DingTalk>(&config()).unwrap();
    assert_eq!(findings.iter().map(|f| f.ok).collect::<Vec<_>>(), [false, true]);
    assert!(findings[0].message.contains("60011"), "{}", findings[0].message);
}

#[test]
fn the_manifest_contradicts_nothing() {
    let manifest = renmen_schema::manifest::Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert_eq!(manifest.check(), []);
}

#[test]
fn an_unknown_stream_and_a_strange_cursor_are_refused() {
    for asked in [pull("payroll", None), pull("roster", Some("x")), pull("users", Some("[]"))] {
        let failure = host().pull::<DingTalk>(&config(), asked).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput);
    }
}
