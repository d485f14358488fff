//! Events through both doors.

use connector_dingtalk::{Config, DingTalk};
use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome, Refresh, Webhook};
use serde_json::{Value, json};

fn config() -> Config {
    serde_json::from_value(crate::config()).unwrap()
}

/// A callback as the gateway hands it over: proved and opened.
fn called_back(event: &Value) -> Result<Outcome, Failure> {
    let delivery = Delivery {
        method: "POST".into(),
        path_and_query: "?msg_signature=00&timestamp=1&nonce=n".into(),
        body: br#"{"encrypt":"AAAA"}"#.to_vec(),
        received_at_ms: NOW_MS,
        opened: Some(event.to_string().into_bytes()),
        ..Delivery::default()
    };
    Host::new().run(|| DingTalk::receive(config(), delivery))
}

fn streamed(kind: &str, data: &str) -> Result<Outcome, Failure> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let delivery = Delivery {
        method: "STREAM".into(),
        headers: vec![header("eventType", kind), header("eventId", "e-1"), header("messageId", "m-1")],
        body: data.into(),
        ..Delivery::default()
    };
    Host::new().run(|| DingTalk::receive(config(), delivery))
}

fn refresh(stream: &str, only: &[&str]) -> Refresh {
    Refresh { stream: stream.into(), only: only.iter().map(ToString::to_string).collect() }
}

#[test]
fn a_callback_is_answered_with_a_success_for_the_gateway_to_seal() {
    let outcome = called_back(&json!({ "EventType": "check_url" })).unwrap();
    assert_eq!((outcome.refresh.len(), outcome.answer.status), (0, 200));
    assert_eq!((outcome.answer.body.as_slice(), outcome.answer.sealed), (&b"success"[..], true));
}

#[test]
fn what_the_gateway_did_not_open_is_no_event() {
    for method in ["POST", "GET"] {
        let delivery = Delivery {
            method: method.into(),
            body: json!({ "EventType": "user_modify_org", "userId": ["u1"] }).to_string().into(),
            ..Delivery::default()
        };
        let failure = Host::new().run(|| DingTalk::receive(config(), delivery)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{method}");
    }
}

#[test]
fn callbacks_are_proved_and_answered_by_the_gateway_as_the_manifest_says() {
    let manifest = renmen_schema::manifest::Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert_eq!(manifest.check(), []);
    let webhook = manifest.webhook.unwrap();
    assert!(webhook.proof.is_some_and(|proof| proof.open.is_some()) && webhook.answer.is_some());
}

#[test]
fn each_event_reads_exactly_those_whom_it_names_through_either_door() {
    let cases = [
        (
            "user_add_org",
            json!({ "userId": ["u2", "u1", "u1"], "timeStamp": "1" }),
            vec![refresh("users", &["u1", "u2"])],
        ),
        ("user_modify_org", json!({ "userid": "u1", "name": "x" }), vec![refresh("users", &["u1"])]),
        ("user_leave_org", json!({ "userId": "u1" }), vec![refresh("users", &["u1"]), refresh("leavers", &["u1"])]),
        ("org_dept_create", json!({ "deptId": [432_825_033] }), vec![refresh("departments", &["432825033"])]),
        ("org_dept_modify", json!({ "id": 100, "name": "x" }), vec![refresh("departments", &["100"])]),
        (
            // 08:30 and 20:30 of 30 December in China: before noon it may be the end of a shift of the day before.
            "attendance_check_record",
            json!({ "dataList": [
                { "userId": "u1", "checkTime": 1_767_054_600_000_i64, "locationResult": "Normal" },
                { "userId": "u2", "checkTime": 1_767_097_800_000_i64 },
            ] }),
            vec![refresh("attendance", &["u1:2025-12-29", "u1:2025-12-30", "u2:2025-12-30"])],
        ),
        ("hrm_user_record_change", json!({ "staffId": "u1" }), vec![refresh("roster", &["u1"])]),
        ("hrm_mdm_user_change", json!({ "staffId": "u1", "changeType": 3 }), vec![refresh("roster", &["u1"])]),
        ("hrm_mdm_user_change", json!({ "staffId": "u1" }), vec![refresh("roster", &["u1"])]),
        (
            "bpms_instance_change",
            json!({ "processInstanceId": "p-1", "type": "finish" }),
            vec![refresh("approvals", &["p-1"])],
        ),
        ("bpms_task_change", json!({ "processInstanceId": "p-1", "taskId": 7 }), vec![refresh("approvals", &["p-1"])]),
        ("calendar_event_change", json!({ "unionIdList": ["x"] }), vec![]),
    ];
    for (kind, data, wanted) in cases {
        assert_eq!(streamed(kind, &data.to_string()).unwrap().refresh, wanted, "{kind} by Stream");
        let mut flat = data;
        flat["EventType"] = kind.into();
        flat["eventId"] = "e-1".into();
        let outcome = called_back(&flat).unwrap();
        assert_eq!((outcome.refresh, outcome.delivery_id.as_deref()), (wanted, Some("e-1")), "{kind} by callback");
    }
}

#[test]
fn an_event_that_somebody_left_reads_the_leaver_and_not_the_roster() {
    for change in [json!(4), json!("4")] {
        let data = json!({ "staffId": "u1", "changeType": change });
        let wanted = vec![refresh("leavers", &["u1"])];
        assert_eq!(streamed("hrm_mdm_user_change", &data.to_string()).unwrap().refresh, wanted);
        let mut flat = data;
        flat["EventType"] = "hrm_mdm_user_change".into();
        assert_eq!(called_back(&flat).unwrap().refresh, wanted);
    }
}

#[test]
fn an_event_of_the_old_kind_is_known_again_by_type_business_and_time() {
    let event = json!({ "EventType": "check_url", "EventTime": 5, "BizId": "b" });
    assert_eq!(called_back(&event).unwrap().delivery_id.as_deref(), Some("check_url/b/5"));
    assert_eq!(called_back(&json!({ "EventType": "check_url" })).unwrap().delivery_id, None);
}

#[test]
fn a_frame_is_answered_with_success_and_known_by_its_event() {
    let outcome = streamed("user_add_org", r#"{"userId":["u1"]}"#).unwrap();
    assert_eq!(outcome.delivery_id.as_deref(), Some("e-1"));
    let answer: Value = serde_json::from_slice(&outcome.answer.body).unwrap();
    assert_eq!((&answer["status"], outcome.answer.sealed), (&json!("SUCCESS"), false));
}

#[test]
fn an_event_that_names_nobody_or_is_none_is_refused_without_its_values() {
    for data in ["{}", r#"{"userId":[]}"#, r#"{"userId":{"name":"Alice"}}"#, r#"["Alice"]"#, "Alice"] {
        let failure = streamed("user_add_org", data).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{data}");
        assert!(!failure.message.contains("Alice"), "{failure}");
    }
    let many: Vec<String> = (0..1_001).map(|n| format!("u{n}")).collect();
    assert!(streamed("user_add_org", &json!({ "userId": many }).to_string()).is_err());
    assert!(streamed("user_add_org", &json!({ "userId": many[..1_000] }).to_string()).is_ok());
}
