//! The connector against recorded answers. Nothing here needs a gateway or an account.
#![allow(clippy::unwrap_used)]

mod actions;
mod approvals;
mod attendance;
mod events;
mod kept;
mod leave;
mod named;

use connector_dingtalk::DingTalk;
use renmen_plugin::testing::{Host, Run, readable};
use renmen_plugin::{Coverage, FailureKind, Pull};
use serde_json::{Value, json};

fn config() -> Value {
    json!({ "api_url": "https://api.dingtalk.test", "oapi_url": "https://oapi.dingtalk.test", "agent_id": 7 })
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

/// A company whose root has three departments: 100, one of the home-school contacts, and 200, to which `refusal` is answered.
fn with_odd_departments(refusal: &str) -> Host {
    let url = |path: &str| format!("https://oapi.dingtalk.test{path}");
    let below = json!({ "errcode": 0, "result": [
        { "dept_id": 100, "name": "研发部", "parent_id": 1 }, { "dept_id": -7, "name": "家校通讯录", "parent_id": 1 },
        { "dept_id": 200, "name": "销售部", "parent_id": 1 } ] });
    let members = |id: &str| {
        json!({ "errcode": 0, "result": { "has_more": false, "list": [
            { "userid": id, "name": "x", "dept_id_list": [-7, 100] } ] } })
    };
    let (sub, list) = (url("/topapi/v2/department/listsub"), url("/topapi/v2/user/list"));
    let root = json!({ "errcode": 0, "result": { "dept_id": 1, "name": "示例科技" } });
    Host::new()
        .answer("POST", &url("/topapi/v2/department/get"), 200, root.to_string())
        .answer("POST", &sub, 200, below.to_string())
        .answer("POST", &sub, 200, r#"{"errcode":0,"result":[]}"#)
        .answer("POST", &sub, 200, refusal)
        .answer("POST", &list, 200, members("u1").to_string())
        .answer("POST", &list, 200, members("u2").to_string())
        .answer("POST", &list, 200, refusal)
}

#[test]
fn home_school_departments_are_left_out_and_counted_and_the_rest_covers_everything() {
    let host = with_odd_departments(r#"{"errcode":0,"result":[]}"#);
    let run = host.pull_all::<DingTalk>(&config(), "departments", None).unwrap();
    let ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
    assert_eq!((ids, run.coverage), (vec!["1", "100", "200"], Coverage::Everything));
    assert!(host.logs().iter().any(|(_, line)| line.contains("below zero are left out: 1 ")), "{:?}", host.logs());
}

#[test]
fn one_department_that_cannot_be_read_is_told_and_nothing_is_taken_for_deleted() {
    for refusal in [
        r#"{"errcode":60003,"errmsg":"部门不存在"}"#,
        r#"{"errcode":50004,"errmsg":"请求的部门id不在授权范围内"}"#,
        r#"{"errcode":88,"sub_code":"50004","errmsg":"x"}"#,
    ] {
        for (stream, wanted) in [("departments", vec!["1", "100", "200"]), ("users", vec!["u1", "u2"])] {
            let host = with_odd_departments(refusal);
            let run = host.pull_all::<DingTalk>(&config(), stream, None).unwrap();
            let mut ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
            ids.sort_unstable();
            assert_eq!((ids, run.coverage), (wanted, Coverage::Everything), "{stream}: {refusal}");
            let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.code.as_str(), f.missing)).collect();
            let code = if refusal.contains("60003") { "60003" } else { "50004" };
            // Of `users` its children and its members.
            let each = if stream == "users" { 2 } else { 1 };
            assert_eq!(told, vec![("department 200", code, true); each], "{stream}: {refusal}");
            let sent = (0..host.requests().len()).filter_map(|n| host.request_body(n));
            assert!(sent.into_iter().all(|body| !String::from_utf8_lossy(&body).contains("-7")), "{stream}");
        }
    }
}

#[test]
fn a_department_in_another_shape_is_told_too_and_what_it_half_gave_is_not_taken() {
    let half = r#"{"errcode":0,"result":{"list":[{"userid":"u9","name":"x"}],"has_more":true}}"#;
    let run = with_odd_departments(half).pull_all::<DingTalk>(&config(), "users", None).unwrap();
    let ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
    assert!(!ids.contains(&"u9") && ids.contains(&"u1") && ids.contains(&"u2"), "{ids:?}");
    assert!(run.findings.iter().all(|f| f.part == "department 200" && f.missing && f.code == "upstream-changed"));
    assert_eq!(run.findings.len(), 2, "its children and its members");
}

#[test]
fn what_every_department_would_meet_fails_the_page() {
    for (refusal, kind) in [
        (r#"{"errcode":60011,"errmsg":"x"}"#, FailureKind::NotGranted),
        (r#"{"errcode":90018,"errmsg":"x"}"#, FailureKind::RateLimited),
        (r#"{"errcode":40014,"errmsg":"x"}"#, FailureKind::AuthRequired),
        (r#"{"errcode":-1,"errmsg":"x"}"#, FailureKind::UpstreamUnavailable),
    ] {
        let failure = with_odd_departments(refusal).pull_all::<DingTalk>(&config(), "users", None).unwrap_err();
        assert_eq!(failure.kind, kind, "{refusal}");
    }
}

#[test]
fn a_root_that_cannot_be_read_fails_the_stream() {
    for (code, kind) in [("60003", FailureKind::UpstreamChanged), ("50004", FailureKind::NotGranted)] {
        let url = "https://oapi.dingtalk.test/topapi/v2/department/listsub";
        let host = Host::new().answer("POST", url, 200, format!(r#"{{"errcode":{code},"errmsg":"x"}}"#));
        assert_eq!(host.pull::<DingTalk>(&config(), pull("users", None)).unwrap_err().kind, kind, "{code}");
    }
}

#[test]
fn a_member_is_not_said_to_be_in_a_home_school_department() {
    let user = json!({ "userid": "u1", "name": "x", "dept_id_list": [-7, 100] });
    let employee = connector_dingtalk::map::employee(&serde_json::from_value(user).unwrap()).unwrap();
    let work = serde_json::to_value(employee.work.unwrap()).unwrap();
    assert_eq!(work["org_unit"]["external"]["value"], "100", "{work}");
    assert_eq!(work.get("other_org_units"), None, "{work}");
}

#[test]
fn members_keep_their_day_of_hiring_in_china_and_what_is_hidden_stays_unknown() {
    let run = run("users");
    insta::assert_json_snapshot!(readable(&run.records));
    assert_eq!(run.rejects.len(), 1, "a text where a day was expected is rejected alone");
    assert!(run.rejects[0].reason.contains("hired_date"), "{}", run.rejects[0].reason);
}

#[test]
fn whether_somebody_activated_dingtalk_says_nothing_of_their_employment() {
    for active in [json!(true), json!(false)] {
        let user = json!({ "userid": "u1", "name": "赵晓明", "active": active, "hired_date": 1_597_507_200_000_i64 });
        let employee = connector_dingtalk::map::employee(&serde_json::from_value(user).unwrap()).unwrap();
        let work = employee.work.unwrap();
        assert!(work.status.is_none() && work.hire_date.is_some(), "{active}");
    }
}

#[test]
fn the_roster_gives_employment_and_assignment_and_refuses_a_day_that_does_not_exist() {
    let run = run("roster");
    insta::assert_json_snapshot!(readable(&run.records));
    assert_eq!(run.rejects.len(), 1, "31 February");
    assert_eq!(run.rejects[0].external_id.as_deref(), Some("u2"));
}

#[test]
fn the_roster_is_not_asked_without_the_apps_agent_id_and_a_refused_one_is_named() {
    let mut config = config();
    config["agent_id"] = Value::Null;
    let host = Host::new();
    let failure = host.pull::<DingTalk>(&config, pull("roster", None)).unwrap_err();
    assert_eq!((failure.kind, host.requests().len()), (FailureKind::BadConfig, 0));
    assert!(failure.message.contains("agent_id"), "{failure}");
    let host = Host::new().answer(
        "POST",
        "https://api.dingtalk.test/v1.0/hrm/rosters/lists/query",
        400,
        r#"{"code":"invalidParameter","message":"x"}"#,
    );
    config["agent_id"] = json!(8);
    let asked = Pull { only: vec!["u1".into()], ..pull("roster", None) };
    let failure = host.pull::<DingTalk>(&config, asked).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadConfig);
    assert!(failure.message.contains("agent_id"), "{failure}");
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
fn the_manifest_keeps_below_twenty_calls_in_any_second() {
    let manifest = renmen_schema::manifest::Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let rate = manifest.rate.unwrap();
    let in_a_second = u64::from(rate.requests) * 1_000 / rate.per_ms + u64::from(rate.burst.unwrap_or(1));
    assert!(in_a_second < 20, "{in_a_second}");
}

#[test]
fn an_unknown_stream_and_a_strange_cursor_are_refused() {
    for asked in [pull("payroll", None), pull("roster", Some("x")), pull("users", Some("[]"))] {
        let failure = host().pull::<DingTalk>(&config(), asked).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput);
    }
}
