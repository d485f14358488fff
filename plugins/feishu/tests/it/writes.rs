//! Actions: what is looked at, what is written, and what twice the same does.

use connector_feishu::Feishu;
use renmen_plugin::testing::Host;
use renmen_plugin::{Action, Failure, FailureKind, Receipt};
use serde_json::{Value, json};

use crate::{BASE, config};

const APPLICATION: &str =
    r#"{"code":0,"data":{"application":{"id":"9","job_id":"7","talent_id":"8","active_status":1}}}"#;
const JOB: &str = r#"{"code":0,"data":{"job":{"id":"7","title":"高级会计"}}}"#;
const NOTHING: &str = r#"{"code":0,"data":{"has_more":false}}"#;

fn push(host: &Host, name: &str, input: &Value) -> Result<Receipt, Failure> {
    let action = Action {
        name: name.into(),
        idempotency_key: "key-1".into(),
        attempt: 1,
        input: input.to_string().into_bytes(),
    };
    host.push::<Feishu>(&config(), action)
}

fn interview() -> Value {
    json!({
        "application_id": "9",
        "interview_id": "iv-1",
        "status": "COMPLETED",
        "started_at": "2026-01-01T01:00:00Z",
        "ended_at": "2026-01-01T01:30:00Z",
        "conclusion": "REVIEW",
        "overall": { "value": "82.5", "min": "0", "max": "100", "scale": "RAW" },
        "dimensions": [{ "title": "沟通", "score": { "value": "4", "min": "0", "max": "5", "scale": "STARS" }, "explanation": "清楚" }],
        "summary": "表达清晰。",
        "report_url": "https://vendor.example/r/1"
    })
}

fn reads(host: Host) -> Host {
    host.answer("GET", &format!("{BASE}/open-apis/hire/v1/applications/9?user_id_type=open_id"), 200, APPLICATION)
        .answer(
            "GET",
            &format!("{BASE}/open-apis/hire/v1/jobs/7?user_id_type=open_id&department_id_type=open_department_id"),
            200,
            JOB,
        )
}

fn applications_url() -> String {
    format!("{BASE}/open-apis/hire/v1/external_applications?talent_id=8&page_size=20")
}

fn interviews_url(application: &str) -> String {
    format!(
        "{BASE}/open-apis/hire/v1/external_interviews/batch_query?external_application_id={application}&page_size=20"
    )
}

/// What Hire has after the first write.
fn written(assessments: &Value) -> Host {
    let application = json!({ "code": 0, "data": { "items": [
        { "id": "e0", "talent_id": "8", "job_title": "高级会计", "resume_source": "拉勾" },
        { "id": "e1", "talent_id": "8", "job_title": "高级会计", "resume_source": "AI 面试" }
    ] } });
    let interview = json!({ "code": 0, "data": { "items": [{
        "id": "x1", "external_application_id": "e1", "participate_status": 2,
        "begin_time": 1_767_229_200_000_i64, "end_time": 1_767_231_000_000_i64, "interview_assessments": assessments
    }] } });
    reads(Host::new()).answer("GET", &applications_url(), 200, application.to_string()).answer(
        "POST",
        &interviews_url("e1"),
        200,
        interview.to_string(),
    )
}

fn assessment(conclusion: i64) -> Value {
    json!([{
        "id": "a1", "username": "AI 面试官", "conclusion": conclusion,
        "content": "表达清晰。\n报告：https://vendor.example/r/1",
        "assessment_dimension_list": [
            { "assessment_type": 1, "title": "综合得分", "score": 83 },
            { "assessment_type": 1, "title": "沟通", "description": "清楚", "score": 80 },
            { "assessment_type": 3, "title": "系统编号", "content": "renmen/9/iv-1" }
        ]
    }])
}

#[test]
fn the_first_write_makes_application_and_interview_with_its_assessment_at_once() {
    let made = json!({ "code": 0, "data": { "external_interview": {
        "id": "x1", "external_application_id": "e1", "interview_assessments": [{ "id": "a1" }]
    } } });
    let host = reads(Host::new())
        .answer("GET", &applications_url(), 200, NOTHING)
        .answer(
            "POST",
            &format!("{BASE}/open-apis/hire/v1/external_applications"),
            200,
            r#"{"code":0,"data":{"external_application":{"id":"e1","talent_id":"8"}}}"#,
        )
        .answer("POST", &interviews_url("e1"), 200, NOTHING)
        .answer("POST", &format!("{BASE}/open-apis/hire/v1/external_interviews"), 200, made.to_string());
    let receipt = push(&host, "ai_interview.upsert", &interview()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("x1"), true));
    assert_eq!(
        Value::Object(receipt.detail),
        json!({ "external_application_id": "e1", "external_interview_id": "x1",
                "external_interview_assessment_id": "a1", "outcome": "created" })
    );
    let bodies: Vec<Value> =
        [3, 5].into_iter().map(|n| serde_json::from_slice(&host.request_body(n).unwrap()).unwrap()).collect();
    insta::assert_json_snapshot!(bodies);
}

#[test]
fn the_same_again_writes_nothing() {
    let host = written(&assessment(3));
    let receipt = push(&host, "ai_interview.upsert", &interview()).unwrap();
    assert_eq!((receipt.reference.as_deref(), &receipt.detail["outcome"]), (Some("x1"), &json!("unchanged")));
    assert_eq!(host.requests().len(), 4, "four reads: {:?}", host.requests());
}

#[test]
fn a_corrected_result_changes_the_assessment_in_its_place() {
    let url = format!("{BASE}/open-apis/hire/v1/external_interview_assessments/a1");
    let host = written(&assessment(1)).answer("PATCH", &url, 200, r#"{"code":0,"data":{}}"#);
    let receipt = push(&host, "ai_interview.upsert", &interview()).unwrap();
    assert_eq!(receipt.detail["outcome"], "updated");
    let body: Value = serde_json::from_slice(&host.request_body(4).unwrap()).unwrap();
    assert_eq!((body["conclusion"].as_i64(), body.get("id")), (Some(3), None));
}

#[test]
fn what_is_good_and_what_is_not_stands_in_what_people_read() {
    let mut said = interview();
    said["strengths"] = json!(["表达清晰", "逻辑好"]);
    said["weaknesses"] = json!(["案例不够具体"]);
    said["overall"] = Value::Null;
    let url = format!("{BASE}/open-apis/hire/v1/external_interview_assessments/a1");
    let host = written(&assessment(3)).answer("PATCH", &url, 200, r#"{"code":0,"data":{}}"#);
    assert_eq!(push(&host, "ai_interview.upsert", &said).unwrap().detail["outcome"], "updated");
    let body: Value = serde_json::from_slice(&host.request_body(4).unwrap()).unwrap();
    let content = "表达清晰。\n优势：表达清晰；逻辑好\n不足：案例不够具体\n报告：https://vendor.example/r/1";
    assert_eq!(body["content"], content);
    assert_eq!(body["assessment_dimension_list"][0]["title"], "沟通", "without a score as a whole");
}

#[test]
fn an_interview_that_was_moved_is_put_and_nothing_else() {
    let mut moved = interview();
    moved["ended_at"] = json!("2026-01-01T01:45:00Z");
    let url = format!("{BASE}/open-apis/hire/v1/external_interviews/x1");
    let host = written(&assessment(3)).answer("PUT", &url, 200, r#"{"code":0,"data":{}}"#);
    assert_eq!(push(&host, "ai_interview.upsert", &moved).unwrap().detail["outcome"], "updated");
    assert_eq!(host.requests().len(), 5);
}

#[test]
fn an_interview_of_another_order_is_not_taken_for_this_one() {
    let mut other = assessment(3);
    other[0]["assessment_dimension_list"][2]["content"] = json!("renmen/9/iv-0");
    let made = r#"{"code":0,"data":{"external_interview":{"id":"x2"}}}"#;
    let host = written(&other).answer("POST", &format!("{BASE}/open-apis/hire/v1/external_interviews"), 200, made);
    assert_eq!(push(&host, "ai_interview.upsert", &interview()).unwrap().reference.as_deref(), Some("x2"));
}

#[test]
fn what_the_vendor_refuses_waits_for_nobody_and_what_passes_is_tried_again() {
    let create = format!("{BASE}/open-apis/hire/v1/external_applications");
    let host = |status: u16, body: &str| {
        reads(Host::new()).answer("GET", &applications_url(), 200, NOTHING).answer("POST", &create, status, body)
    };
    for (status, body, kind) in [
        (400, r#"{"code":1002002,"msg":"x"}"#, FailureKind::InvalidInput),
        (500, r#"{"code":1002001,"msg":"x"}"#, FailureKind::UpstreamUnavailable),
        (429, r#"{"code":99991400,"msg":"x"}"#, FailureKind::RateLimited),
        (400, r#"{"code":99991672,"msg":"x"}"#, FailureKind::NotGranted),
    ] {
        let failure = push(&host(status, body), "ai_interview.upsert", &interview()).unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
    }
}

#[test]
fn input_that_is_none_is_refused_before_anything_is_sent() {
    let host = Host::new();
    let mut bad = interview();
    bad["overall"]["value"] = json!("182");
    for (name, input) in [
        ("ai_interview.upsert", json!({ "application_id": "9" })),
        ("ai_interview.upsert", bad),
        ("candidate.note", json!({ "content": "x", "colour": "red" })),
        ("message.send", json!({ "receive_id_type": "email", "receive_id": "a@example.test" })),
        ("candidate.delete", json!({})),
    ] {
        assert_eq!(push(&host, name, &input).unwrap_err().kind, FailureKind::InvalidInput, "{name}");
    }
    assert!(host.requests().is_empty());
}

#[test]
fn an_application_that_hire_does_not_have_is_told() {
    let url = format!("{BASE}/open-apis/hire/v1/applications/9?user_id_type=open_id");
    let host = Host::new().answer("GET", &url, 500, r#"{"code":1002054,"msg":"application not exist"}"#);
    for (name, input) in [("ai_interview.upsert", interview()), ("candidate.note", note())] {
        let failure = push(&host, name, &input).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput);
        assert!(failure.message.contains("application_id"), "{failure}");
    }
}

fn note() -> Value {
    json!({ "application_id": "9", "content": "面试官已确认。", "private": true })
}

#[test]
fn a_note_is_written_once() {
    let list = format!("{BASE}/open-apis/hire/v1/notes?talent_id=8&page_size=200");
    let create = format!("{BASE}/open-apis/hire/v1/notes");
    let host = reads(Host::new())
        .answer(
            "GET",
            &list,
            200,
            r#"{"code":0,"data":{"items":[{"id":"1","application_id":"3","content":"面试官已确认。"}]}}"#,
        )
        .answer("POST", &create, 200, r#"{"code":0,"data":{"note":{"id":"2"}}}"#);
    assert_eq!(push(&host, "candidate.note", &note()).unwrap().reference.as_deref(), Some("2"));
    let body: Value = serde_json::from_slice(&host.request_body(2).unwrap()).unwrap();
    assert_eq!(body, json!({ "talent_id": "8", "application_id": "9", "content": "面试官已确认。", "privacy": 1 }));

    let there = r#"{"code":0,"data":{"items":[{"id":"2","application_id":"9","content":"面试官已确认。"}]}}"#;
    let host = reads(Host::new()).answer("GET", &list, 200, there);
    assert_eq!(push(&host, "candidate.note", &note()).unwrap().detail["outcome"], "unchanged");
}

#[test]
fn a_message_carries_the_key_by_which_the_vendor_knows_a_repetition() {
    let url = format!("{BASE}/open-apis/im/v1/messages?receive_id_type=email");
    let host = Host::new().answer("POST", &url, 200, r#"{"code":0,"data":{"message_id":"om_1"}}"#);
    let input = json!({ "receive_id_type": "email", "receive_id": "hr@example.test", "text": "请复核\n边界案例" });
    assert_eq!(push(&host, "message.send", &input).unwrap().reference.as_deref(), Some("om_1"));
    let body: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!(
        body,
        json!({ "receive_id": "hr@example.test", "msg_type": "text", "uuid": "key-1",
                "content": "{\"text\":\"请复核\\n边界案例\"}" })
    );
}

#[test]
fn a_message_may_be_as_long_as_the_vendor_takes_and_no_longer() {
    let url = format!("{BASE}/open-apis/im/v1/messages?receive_id_type=chat_id");
    let host = Host::new().answer("POST", &url, 200, r#"{"code":0,"data":{"message_id":"om_1"}}"#);
    let frame = json!({ "text": "" }).to_string().len();
    let text =
        |bytes: usize| json!({ "receive_id_type": "chat_id", "receive_id": "oc_1", "text": "a".repeat(bytes - frame) });
    assert!(push(&host, "message.send", &text(150 << 10)).is_ok());
    let failure = push(&host, "message.send", &text((150 << 10) + 1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
}
