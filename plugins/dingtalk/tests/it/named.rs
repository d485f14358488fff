//! Records that are read by id, after an event.

use connector_dingtalk::DingTalk;
use renmen_plugin::testing::Host;
use renmen_plugin::{Coverage, FailureKind, Page, Pull};
use serde_json::{Value, json};

use crate::config;

fn named(host: &Host, stream: &str, only: &[&str]) -> Page {
    let only = only.iter().map(ToString::to_string).collect();
    let pull = Pull { stream: stream.into(), only, max_records: 100, ..Pull::default() };
    let page = host.pull::<DingTalk>(&config(), pull).unwrap();
    assert_eq!(
        (page.has_more, page.next.as_deref(), page.coverage),
        (false, None, Coverage::Changes),
        "the cursor is left alone"
    );
    page
}

fn old(path: &str) -> String {
    format!("https://oapi.dingtalk.test{path}")
}

#[test]
fn members_are_read_one_by_one_and_who_is_not_there_is_gone() {
    let there =
        json!({ "errcode": 0, "result": { "userid": "u1", "name": "赵晓明", "active": true, "dept_id_list": [100] } });
    let bad = json!({ "errcode": 0, "result": { "userid": "u3" } });
    let url = old("/topapi/v2/user/get");
    let host = Host::new()
        .answer("POST", &url, 200, there.to_string())
        .answer("POST", &url, 200, r#"{"errcode":60121,"errmsg":"找不到该用户"}"#)
        .answer("POST", &url, 200, bad.to_string());
    let page = named(&host, "users", &["u1", "u2", "u3"]);
    let told: Vec<(&str, bool, u32)> =
        page.records.iter().map(|r| (r.external_id.as_str(), r.deleted, r.exchange)).collect();
    assert_eq!(told, [("u1", false, 0), ("u2", true, 1)]);
    assert_eq!(page.rejects.len(), 1);
    assert!(page.rejects[0].reason.contains("name") && page.rejects[0].external_id.as_deref() == Some("u3"));
    assert_eq!(host.requests().len(), 3);
}

#[test]
fn a_fault_is_no_deletion() {
    for answer in
        [r#"{"errcode":60011,"errmsg":"x"}"#, r#"{"errcode":90002,"errmsg":"x"}"#, r#"{"errcode":-1,"errmsg":"x"}"#]
    {
        let host = Host::new().answer("POST", &old("/topapi/v2/user/get"), 200, answer);
        let pull = Pull { stream: "users".into(), only: vec!["u1".into()], max_records: 10, ..Pull::default() };
        assert!(host.pull::<DingTalk>(&config(), pull).is_err(), "{answer}");
    }
}

#[test]
fn departments_are_read_one_by_one_and_a_removed_one_is_gone() {
    let url = old("/topapi/v2/department/get");
    let host = Host::new()
        .answer("POST", &url, 200, r#"{"errcode":0,"result":{"dept_id":100,"name":"研发部","parent_id":1}}"#)
        .answer("POST", &url, 200, r#"{"errcode":60003,"errmsg":"部门不存在"}"#);
    let page = named(&host, "departments", &["100", "101"]);
    let told: Vec<(&str, bool)> = page.records.iter().map(|r| (r.external_id.as_str(), r.deleted)).collect();
    assert_eq!(told, [("100", false), ("101", true)]);
    let strange = Pull { stream: "departments".into(), only: vec!["x".into()], ..Pull::default() };
    assert_eq!(host.pull::<DingTalk>(&config(), strange).unwrap_err().kind, FailureKind::InvalidInput);
}

#[test]
fn the_roster_and_the_leavers_are_read_for_just_those_people() {
    let fields = json!({ "result": [{ "userId": "u1", "fieldDataList": [
        { "fieldCode": "sys01-employeeStatus", "fieldValueList": [{ "value": "3", "label": "正式" }] } ] }] });
    let host =
        Host::new().answer("POST", "https://api.dingtalk.test/v1.0/hrm/rosters/lists/query", 200, fields.to_string());
    let page = named(&host, "roster", &["u1", "gone"]);
    let entities: Vec<&str> = page.records.iter().map(|r| r.entity.as_str()).collect();
    assert_eq!((entities, host.requests().len()), (vec!["employment", "assignment"], 1));
    let asked: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!((&asked["appAgentId"], &asked["userIdList"]), (&json!(7), &json!(["u1", "gone"])));

    let url = "https://api.dingtalk.test/v1.0/hrm/employees/dimissionInfos?userIdList=%5B%22u1%22%5D";
    let left = json!({ "result": [{ "userId": "u1", "lastWorkDay": 1_769_788_800_000_i64, "voluntaryReason": ["家庭原因"] }] });
    let page = named(&Host::new().answer("GET", url, 200, left.to_string()), "leavers", &["u1"]);
    let employment: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    assert_eq!(employment["status"]["code"], "TERMINATED");
    assert!(page.records[1].deleted && page.records[1].entity == "assignment");
}
