//! Approvals: started once, and how they ended.

use connector_dingtalk::{Config, DingTalk};
use renmen_plugin::testing::{Host, NOW_MS, readable};
use renmen_plugin::{Action, Failure, FailureKind, Pull, Receipt, Sink};
use serde_json::{Value, json};

const START: &str = "https://api.dingtalk.test/v1.0/workflow/processInstances";
const FIND: &str = "https://api.dingtalk.test/v1.0/workflow/processes/instanceIds/query";
const RECORD: &str = "018f3c1e-0000-7000-8000-000000000001";

fn config() -> Value {
    json!({
        "api_url": "https://api.dingtalk.test", "oapi_url": "https://oapi.dingtalk.test", "agent_id": 7,
        "approval_processes": ["PROC-1", "PROC-2"], "approval_reference": "系统编号",
    })
}

fn get(id: &str) -> String {
    format!("{START}?processInstanceId={id}")
}

fn push(host: &Host, name: &str, key: &str, input: &Value) -> Result<Receipt, Failure> {
    let config: Config = serde_json::from_value(config()).unwrap();
    let action =
        Action { name: name.into(), idempotency_key: key.into(), attempt: 1, input: input.to_string().into_bytes() };
    host.run(|| DingTalk::push(config, action))
}

fn border_case() -> Value {
    json!({
        "originator": "hr1", "approvers": [["boss"], { "any": ["a", "b"] }], "cc": ["c"],
        "form": { "候选人": "A-17", "综合分": 71.5, "备注": null },
        "about": { "kind": "application", "id": RECORD },
    })
}

fn none_yet() -> Host {
    Host::new().answer("POST", FIND, 200, r#"{"result":{"list":[]},"success":true}"#)
}

fn body_of(host: &Host, index: usize) -> Value {
    serde_json::from_slice(&host.request_body(index).unwrap()).unwrap()
}

fn instance(status: &str, result: &str, reference: &str) -> String {
    json!({ "success": "true", "result": {
        "title": "x", "originatorUserId": "hr1", "status": status, "result": result, "createTime": "2026-01-05T08:30Z",
        "finishTime": (status != "RUNNING").then_some("2026-01-06T02:00Z"),
        "formComponentValues": [{ "id": "1", "name": "系统编号", "value": reference, "componentType": "TextField" }],
    } })
    .to_string()
}

#[test]
fn an_approval_is_started_with_its_form_its_approvers_and_what_it_is_about() {
    let host = none_yet().answer("POST", START, 200, r#"{"instanceId":"i-1"}"#);
    let receipt = push(&host, "approval.start", "k1", &border_case()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("i-1"), true));
    let looked = body_of(&host, 0);
    assert_eq!((&looked["processCode"], &looked["userIds"]), (&json!("PROC-1"), &json!(["hr1"])));
    assert_eq!(looked["startTime"], json!(NOW_MS - 172_800_000));
    let mut started = body_of(&host, 1);
    let fields = started["formComponentValues"].as_array_mut().unwrap();
    let ours = fields.pop().unwrap();
    assert!(ours["value"].as_str().unwrap().starts_with(&format!("application/{RECORD}#")), "{ours}");
    assert_eq!(
        fields.as_slice(),
        [json!({ "name": "候选人", "value": "A-17" }), json!({ "name": "综合分", "value": "71.5" })]
    );
    let approvers =
        json!([{ "actionType": "NONE", "userIds": ["boss"] }, { "actionType": "OR", "userIds": ["a", "b"] }]);
    assert_eq!(
        (&started["approvers"], &started["ccPosition"], &started["microappAgentId"]),
        (&approvers, &json!("START_FINISH"), &json!(7))
    );
}

#[test]
fn what_an_earlier_attempt_started_is_found_and_not_started_again() {
    let first = none_yet().answer("POST", START, 200, r#"{"instanceId":"i-1"}"#);
    push(&first, "approval.start", "k1", &border_case()).unwrap();
    let fields = body_of(&first, 1)["formComponentValues"].clone();
    let reference = fields.as_array().unwrap().last().unwrap()["value"].as_str().unwrap().to_owned();
    // The first page holds an instance that is not ours, and points to a next page.
    let again = || {
        Host::new()
            .answer("POST", FIND, 200, r#"{"result":{"list":["i-0"],"nextToken":"20"}}"#)
            .answer("POST", FIND, 200, r#"{"result":{"list":["i-1"],"nextToken":""}}"#)
            .answer("GET", &get("i-0"), 200, instance("RUNNING", "", "1234"))
            .answer("GET", &get("i-1"), 200, instance("RUNNING", "", &reference))
    };
    let host = again();
    let receipt = push(&host, "approval.start", "k1", &border_case()).unwrap();
    assert_eq!((receipt.reference.as_deref(), host.requests().len()), (Some("i-1"), 4));
    let other = again().answer("POST", START, 200, r#"{"instanceId":"i-2"}"#);
    let receipt = push(&other, "approval.start", "k2", &border_case()).unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("i-2"), "another action is another approval");
}

#[test]
fn too_many_to_look_through_starts_nothing() {
    let host = Host::new().answer("POST", FIND, 200, r#"{"result":{"list":[],"nextToken":20}}"#);
    assert_eq!(push(&host, "approval.start", "k", &border_case()).unwrap_err().kind, FailureKind::RateLimited);
    assert_eq!(host.requests().len(), 5);
}

#[test]
fn an_input_that_cannot_become_an_approval_is_refused_before_anything_is_sent() {
    let change = |pointer: &str, value: Value| {
        let mut input = border_case();
        *input.pointer_mut(pointer).unwrap() = value;
        input
    };
    for (input, place) in [
        (change("/about/id", json!("4711")), "/about"),
        (change("/about/kind", json!("person")), "/about"),
        (change("/approvers", json!([[]])), "/approvers"),
        (change("/approvers", json!([])), "/department"),
        (change("/approvers", json!(vec![["x"]; 21])), "/approvers"),
        (change("/cc", json!(vec!["x"; 51])), "/cc"),
        (change("/form", json!({ "系统编号": "x" })), "/form"),
    ] {
        let host = none_yet();
        let failure = push(&host, "approval.start", "k", &input).unwrap_err();
        assert_eq!((failure.kind, host.requests().len()), (FailureKind::InvalidInput, 0), "{failure}");
        assert!(failure.message.contains(place), "{place}: {failure}");
    }
    for good in [change("/approvers", json!(vec![["x"]; 20])), change("/about/id", json!("hire:4711"))] {
        let host = none_yet().answer("POST", START, 200, r#"{"instanceId":"i"}"#);
        assert!(push(&host, "approval.start", "k", &good).is_ok());
    }
}

#[test]
fn the_vendors_refusals_have_the_kind_that_decides_what_happens_next() {
    for (code, kind) in [
        ("processInstanceInvalidParameter", FailureKind::InvalidInput),
        ("formConverterError", FailureKind::InvalidInput),
        ("processCodeError", FailureKind::BadConfig),
        ("needAuth", FailureKind::NotGranted),
        ("autoflowLikeTriggerRateLimited", FailureKind::RateLimited),
        ("InvalidAuthentication", FailureKind::AuthRequired),
        ("somethingNew", FailureKind::UpstreamChanged),
    ] {
        let host = none_yet().answer("POST", START, 400, json!({ "code": code, "message": "x" }).to_string());
        let failure = push(&host, "approval.start", "k", &border_case()).unwrap_err();
        assert_eq!(failure.kind, kind, "{code}: {failure}");
    }
}

#[test]
fn an_approval_is_looked_at_until_it_has_ended() {
    let host = Host::new().answer("GET", &get("i-1"), 200, instance("RUNNING", "", "")).answer(
        "GET",
        &get("i-1"),
        200,
        instance("COMPLETED", "refuse", ""),
    );
    let asked = json!({ "reference": "i-1" });
    let running = push(&host, "approval.get", "k", &asked).unwrap();
    assert_eq!((running.confirmed, &running.detail["result"]), (false, &Value::Null));
    let ended = push(&host, "approval.get", "k", &asked).unwrap();
    assert_eq!((ended.confirmed, &ended.detail["result"]), (true, &json!("refuse")));
    let gone = Host::new().answer("GET", &get("i-1"), 400, r#"{"code":"processInstanceNotExist","message":"x"}"#);
    assert_eq!(push(&gone, "approval.get", "k", &asked).unwrap_err().kind, FailureKind::InvalidInput);
}

#[test]
fn an_approval_of_ours_is_two_steps_of_what_it_is_about() {
    let reference = format!("application/{RECORD}#ABCDEFGHJK");
    let host = Host::new()
        .answer("GET", &get("i-1"), 200, instance("COMPLETED", "agree", &reference))
        .answer("GET", &get("i-2"), 200, instance("COMPLETED", "agree", "请假"))
        .answer("GET", &get("i-3"), 400, r#"{"code":"processInstanceNotExist","message":"x"}"#)
        .answer("GET", &get("i-4"), 200, instance("TERMINATED", "", "offer/hire:4711#ABCDEFGHJK"))
        .answer("GET", &get("i-5"), 200, instance("COMPLETED", "maybe", &reference));
    let only = ["i-1:ended", "i-1", "i-2", "i-3", "i-4", "i-5"].map(str::to_owned).to_vec();
    let pull = Pull { stream: "approvals".into(), only, max_records: 100, ..Pull::default() };
    let page = host.pull::<DingTalk>(&config(), pull).unwrap();
    insta::assert_json_snapshot!(readable(&page.records));
    assert_eq!(page.rejects.len(), 1, "an end that is not known here");
    assert_eq!(host.requests().len(), 5, "one request an instance");
}

#[test]
fn the_stream_goes_form_by_form_and_page_by_page_over_the_last_days() {
    let reference = format!("application/{RECORD}#ABCDEFGHJK");
    let host = Host::new()
        .answer("POST", FIND, 200, r#"{"result":{"list":["i-1"],"nextToken":"20"}}"#)
        .answer("POST", FIND, 200, r#"{"result":{"list":["i-2"]}}"#)
        .answer("POST", FIND, 200, r#"{"result":{"list":[]}}"#)
        .answer("GET", &get("i-1"), 200, instance("RUNNING", "", &reference))
        .answer("GET", &get("i-2"), 200, instance("COMPLETED", "agree", &reference));
    let run = host.pull_all::<DingTalk>(&config(), "approvals", None).unwrap();
    let ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
    assert_eq!((ids, run.pages), (vec!["i-1:started", "i-2:started", "i-2:ended"], 3));
    let asked: Vec<Value> =
        (0..host.requests().len()).filter_map(|n| serde_json::from_slice(&host.request_body(n)?).ok()).collect();
    let place = |v: &Value| (v["processCode"].clone(), v["nextToken"].clone(), v["startTime"].clone());
    let since = json!(NOW_MS - 30 * 86_400_000);
    assert_eq!(
        asked.iter().map(place).collect::<Vec<_>>(),
        [
            (json!("PROC-1"), json!(0), since.clone()),
            (json!("PROC-1"), json!(20), since.clone()),
            (json!("PROC-2"), json!(0), since)
        ]
    );
}

#[test]
fn a_form_or_an_approval_that_cannot_be_read_is_told_and_the_others_come_in() {
    let reference = format!("application/{RECORD}#ABCDEFGHJK");
    let listed = r#"{"result":{"list":["i-1","i-2"]}}"#;
    // The list of the first form stands still, or is refused.
    for refused in [
        (200, r#"{"result":{"list":[],"nextToken":"0"}}"#.to_owned()),
        (400, json!({ "code": "invalidParameter", "message": "张三" }).to_string()),
    ] {
        let host = Host::new()
            .answer("POST", FIND, refused.0, refused.1)
            .answer("POST", FIND, 200, listed)
            .answer("GET", &get("i-1"), 400, json!({ "code": "somethingNew", "message": "张三" }).to_string())
            .answer("GET", &get("i-2"), 200, instance("RUNNING", "", &reference));
        let run = host.pull_all::<DingTalk>(&config(), "approvals", None).unwrap();
        let ids: Vec<&str> = run.records.iter().map(|r| r.external_id.as_str()).collect();
        let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.missing)).collect();
        assert_eq!(ids, ["i-2:started"]);
        assert_eq!(told, [("approvals of the form PROC-1", true), ("approval i-1", true)]);
        assert!(run.findings.iter().all(|f| !f.message.contains("张三")), "{:?}", run.findings);
    }
    for (code, kind) in
        [("noPermission", FailureKind::NotGranted), ("InvalidAuthentication", FailureKind::AuthRequired)]
    {
        let host = Host::new().answer("POST", FIND, 403, json!({ "code": code, "message": "x" }).to_string());
        let failure = host.pull_all::<DingTalk>(&config(), "approvals", None).unwrap_err();
        assert_eq!(failure.kind, kind, "what every form would meet fails the run");
    }
}
