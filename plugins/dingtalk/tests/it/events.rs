//! Events through both doors.

use connector_dingtalk::{Config, DingTalk};
use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome, Refresh, Webhook};
use serde_json::{Value, json};

use crate::keys::Keys;

/// Made up for these tests.
const KEYS: Keys = Keys { token: "t0kenForTests", aes: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" };
const OWNER: &str = "dingmadeupapp";

fn config(owner: &str) -> Config {
    serde_json::from_value(json!({
        "api_url": "https://api.dingtalk.test", "oapi_url": "https://oapi.dingtalk.test", "callback_owner": owner,
    }))
    .unwrap()
}

fn delivery(query: &str, body: &str, received_at_ms: i64) -> Delivery {
    Delivery {
        method: "POST".into(),
        path_and_query: query.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.into(),
        received_at_ms,
    }
}

fn receive(keys: Keys, owner: &str, delivery: Delivery) -> Result<Outcome, Failure> {
    keys.host().at_ms(delivery.received_at_ms).run(|| DingTalk::receive(config(owner), delivery))
}

fn called_back(event: &Value) -> Result<Outcome, Failure> {
    let (query, body) = KEYS.close(&event.to_string(), OWNER, &NOW_MS.to_string());
    receive(KEYS, OWNER, delivery(&query, &body, NOW_MS))
}

fn streamed(kind: &str, data: &str) -> Result<Outcome, Failure> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let delivery = Delivery {
        method: "STREAM".into(),
        headers: vec![header("eventType", kind), header("eventId", "e-1"), header("messageId", "m-1")],
        body: data.into(),
        ..Delivery::default()
    };
    Host::new().run(|| DingTalk::receive(config(OWNER), delivery))
}

fn refresh(stream: &str, only: &[&str]) -> Refresh {
    Refresh { stream: stream.into(), only: only.iter().map(ToString::to_string).collect() }
}

/// The vectors that the vendor publishes with its library: token, AES key, owner, time, nonce, signature, cipher text.
const PUBLISHED: [[&str; 7]; 2] = [
    [
        "123456",
        "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij",
        "suite4xxxxxxxxxxxxxxx",
        "1445827045067",
        "nEXhMP4r",
        "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0",
        "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ==",
    ],
    [
        "mryue",
        "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7",
        "ding6ccabc44d2c8d38b",
        "1608001896814",
        "WL4PK6yA",
        "03044561471240d4a14bb09372dfcfd4fd0e40cb",
        "0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
    ],
];

#[test]
fn the_published_callbacks_are_opened_and_answered_with_an_encrypted_success() {
    for [token, aes, owner, timestamp, nonce, signature, encrypt] in PUBLISHED {
        let keys = Keys { token, aes };
        let query = format!("?signature={signature}&timestamp={timestamp}&nonce={nonce}");
        let at_ms: i64 = timestamp.parse().unwrap();
        let body = json!({ "encrypt": encrypt }).to_string();
        let outcome = receive(keys, owner, delivery(&query, &body, at_ms + 1_000)).unwrap();
        assert_eq!((outcome.refresh.len(), outcome.answer.status), (0, 200));
        let answer: Value = serde_json::from_slice(&outcome.answer.body).unwrap();
        let part = |name: &str| answer[name].as_str().unwrap().to_owned();
        assert_eq!(keys.open(&part("encrypt"), owner), "success");
        assert_eq!(part("msg_signature"), keys.sign(&part("timeStamp"), &part("nonce"), &part("encrypt")));
    }
}

#[test]
fn what_the_vendor_did_not_sign_or_not_now_or_not_for_us_is_refused_and_says_why() {
    let event = json!({ "EventType": "check_url" }).to_string();
    let (query, body) = KEYS.close(&event, OWNER, &NOW_MS.to_string());
    assert!(receive(KEYS, OWNER, delivery(&query, &body, NOW_MS)).is_ok());
    let other = KEYS.close(&event, "dingsomebodyelse", &NOW_MS.to_string());
    let in_seconds = KEYS.close(&event, OWNER, &(NOW_MS / 1_000).to_string());
    assert!(receive(KEYS, OWNER, delivery(&in_seconds.0, &in_seconds.1, NOW_MS)).is_ok(), "seconds are seen too");
    for (query, body, received_at_ms, said) in [
        (query.replace("nonce=n0nce", "nonce=other"), body.clone(), NOW_MS, "signature is wrong"),
        (query.replace("msg_signature=", "msg_signature=zz"), body.clone(), NOW_MS, "no hexadecimal"),
        (query.replace("msg_signature=", "sign="), body.clone(), NOW_MS, "carries no `msg_signature`"),
        (query.clone(), body.clone(), NOW_MS + 301_000, "the delivery was signed"),
        (query.clone(), body.clone(), NOW_MS - 301_000, "the delivery was signed"),
        (other.0, other.1, NOW_MS, "another app"),
    ] {
        let failure = receive(KEYS, OWNER, delivery(&query, &body, received_at_ms)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::AuthRequired, "{failure}");
        assert!(failure.message.contains(said), "{said}: {failure}");
    }
    assert!(receive(KEYS, OWNER, delivery(&query, &body, NOW_MS + 300_000)).is_ok(), "the window's last second");
    let wrong_token = Keys { token: "another", ..KEYS };
    assert_eq!(
        receive(wrong_token, OWNER, delivery(&query, &body, NOW_MS)).unwrap_err().kind,
        FailureKind::AuthRequired
    );
}

#[test]
fn a_signed_text_of_another_key_is_refused_and_not_quoted() {
    let mine = Keys { aes: "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba", ..KEYS };
    let (query, body) = mine.close(r#"{"EventType":"check_url"}"#, OWNER, &NOW_MS.to_string());
    let failure = receive(KEYS, OWNER, delivery(&query, &body, NOW_MS)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::AuthRequired, "{failure}");
    assert!(failure.message.contains("callback_key"), "{failure}");
    for (method, body) in [("GET", "{}"), ("POST", "no json"), ("POST", "{}")] {
        let delivery = Delivery { method: method.into(), ..delivery(&query, body, NOW_MS) };
        assert_eq!(receive(KEYS, OWNER, delivery).unwrap_err().kind, FailureKind::InvalidInput, "{method} {body}");
    }
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
        ("hrm_user_record_change", json!({ "staffId": "u1" }), vec![refresh("roster", &["u1"])]),
        ("hrm_mdm_user_change", json!({ "staffId": "u1", "changeType": 4 }), vec![refresh("roster", &["u1"])]),
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
    assert_eq!(answer["status"], "SUCCESS");
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

#[test]
fn without_an_owner_or_a_key_the_operator_is_told_what_to_set() {
    let delivery = delivery("?msg_signature=00&timestamp=1&nonce=n", r#"{"encrypt":"AAAA"}"#, NOW_MS);
    let unset = Config { callback_owner: None, ..config(OWNER) };
    let failure = KEYS.host().run(|| DingTalk::receive(unset, delivery.clone())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadConfig);
    assert!(failure.message.contains("callback_owner"), "{failure}");
    let failure = Host::new().run(|| DingTalk::receive(config(OWNER), delivery)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::AuthRequired);
}
