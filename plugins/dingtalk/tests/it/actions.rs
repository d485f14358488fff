//! Work notifications: what is sent, and what became of it.

use connector_dingtalk::{Config, DingTalk};
use renmen_plugin::testing::Host;
use renmen_plugin::{Action, Failure, FailureKind, Receipt, Sink};
use serde_json::{Value, json};

const SEND: &str = "https://oapi.dingtalk.test/topapi/message/corpconversation/asyncsend_v2";
const PROGRESS: &str = "https://oapi.dingtalk.test/topapi/message/corpconversation/getsendprogress";
const RESULT: &str = "https://oapi.dingtalk.test/topapi/message/corpconversation/getsendresult";
const DONE: &str = r#"{"errcode":0,"progress":{"progress_in_percent":100,"status":2}}"#;

fn config(extra: &Value) -> Config {
    let mut config =
        json!({ "api_url": "https://api.dingtalk.test", "oapi_url": "https://oapi.dingtalk.test", "agent_id": 7 });
    config.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(config).unwrap()
}

fn push(host: &Host, extra: &Value, name: &str, key: &str, input: &Value) -> Result<Receipt, Failure> {
    let action =
        Action { name: name.into(), idempotency_key: key.into(), attempt: 1, input: input.to_string().into_bytes() };
    host.run(|| DingTalk::push(config(extra), action))
}

fn taking() -> Host {
    Host::new().answer("POST", SEND, 200, r#"{"errcode":0,"task_id":256271667526}"#)
}

fn sent(host: &Host) -> Value {
    serde_json::from_slice(&host.request_body(host.requests().len() - 1).unwrap()).unwrap()
}

#[test]
fn a_message_is_sent_with_its_mark_and_never_taken_for_arrived() {
    let host = taking();
    let receipt =
        push(&host, &json!({}), "message.send", "k1", &json!({ "to": ["u1", "u2"], "text": "面试结果已出" })).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("256271667526"), false));
    let body = sent(&host);
    assert_eq!(
        (&body["agent_id"], &body["userid_list"], &body["to_all_user"]),
        (&json!(7), &json!("u1,u2"), &json!(false))
    );
    let text = body["msg"]["text"]["content"].as_str().unwrap();
    let mark = receipt.detail["mark"].as_str().unwrap();
    assert_eq!(text, format!("面试结果已出\n编号 {mark}"));
    assert_eq!(mark.len(), 10);
}

#[test]
fn the_same_action_sends_the_same_words_again_and_another_one_others() {
    let words = |key: &str, extra: &Value| {
        let host = taking();
        push(&host, extra, "message.send", key, &json!({ "to": ["u1"], "text": "x" })).unwrap();
        sent(&host)["msg"].to_string()
    };
    let (marked, bare) = (json!({}), json!({ "message_mark": false }));
    assert_eq!(words("k1", &marked), words("k1", &marked));
    assert_ne!(words("k1", &marked), words("k2", &marked));
    assert_eq!(words("k1", &bare), words("k2", &bare));
}

#[test]
fn each_kind_of_message_has_the_vendors_shape() {
    let bare = json!({ "message_mark": false });
    let shape = |input: Value| {
        let host = taking();
        push(&host, &bare, "message.send", "k", &input).map(|_| sent(&host)["msg"].clone())
    };
    let markdown = json!({ "to": ["u"], "kind": "markdown", "title": "T", "text": "**x**" });
    assert_eq!(
        shape(markdown).unwrap(),
        json!({ "msgtype": "markdown", "markdown": { "title": "T", "text": "**x**" } })
    );
    let link =
        json!({ "to": ["u"], "kind": "link", "title": "T", "text": "x", "url": "https://a.test", "picture": "@p" });
    let wanted = json!({ "messageUrl": "https://a.test", "picUrl": "@p", "title": "T", "text": "x" });
    assert_eq!(shape(link).unwrap(), json!({ "msgtype": "link", "link": wanted }));
    let card = json!({ "to": ["u"], "kind": "action_card", "title": "T", "text": "x", "button": "看", "url": "https://a.test" });
    let wanted = json!({ "title": "T", "markdown": "x", "single_title": "看", "single_url": "https://a.test" });
    assert_eq!(shape(card).unwrap()["action_card"], wanted);
    let several = json!({ "to": ["u"], "kind": "action_card", "text": "x", "buttons": [{ "title": "是", "url": "https://y.test" }] });
    assert_eq!(
        shape(several).unwrap()["action_card"]["btn_json_list"],
        json!([{ "title": "是", "action_url": "https://y.test" }])
    );
    for bad in [
        json!({ "to": ["u"], "kind": "markdown", "text": "x" }),
        json!({ "to": ["u"], "kind": "action_card", "text": "x" }),
        json!({ "to": ["u"], "kind": "voice", "text": "x" }),
        json!({ "to": ["u"], "text": "x", "all": true }),
        json!({ "to": [], "text": "x" }),
        json!({ "to": ["a,b"], "text": "x" }),
    ] {
        assert_eq!(shape(bad.clone()).unwrap_err().kind, FailureKind::InvalidInput, "{bad}");
    }
}

#[test]
fn the_vendors_sizes_are_kept_on_both_sides() {
    let bare = json!({ "message_mark": false });
    let try_text =
        |bytes: usize| push(&taking(), &bare, "message.send", "k", &json!({ "to": ["u"], "text": "x".repeat(bytes) }));
    let frame = json!({ "msgtype": "text", "text": { "content": "" } }).to_string().len();
    assert!(try_text(2_048 - frame).is_ok());
    assert!(try_text(2_049 - frame).unwrap_err().message.contains("2049 bytes"));
    let try_people = |n: usize| {
        let people: Vec<String> = (0..n).map(|n| format!("u{n}")).collect();
        push(&taking(), &bare, "message.send", "k", &json!({ "to": people, "text": "x" }))
    };
    assert!(try_people(100).is_ok() && try_people(101).is_err());
}

#[test]
fn without_an_agent_the_operator_is_told() {
    let failure =
        push(&taking(), &json!({ "agent_id": null }), "message.send", "k", &json!({ "to": ["u"], "text": "x" }))
            .unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadConfig);
    let failure = push(&taking(), &json!({}), "message.recall", "k", &json!({})).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
}

fn read_back(result: &Value, mark: Option<&str>) -> Result<Receipt, Failure> {
    let host = Host::new().answer("POST", PROGRESS, 200, DONE).answer(
        "POST",
        RESULT,
        200,
        json!({ "errcode": 0, "send_result": result }).to_string(),
    );
    let asked = json!({ "reference": "256271667526", "detail": { "task_id": 1, "recipients": 3, "mark": mark } });
    push(&host, &json!({}), "message.result", "k", &asked)
}

#[test]
fn a_result_says_who_got_it_and_who_was_left_out_and_why() {
    let result = json!({
        "read_user_id_list": ["u1"], "unread_user_id_list": ["u2"], "invalid_user_id_list": ["nobody"], "failed_user_id_list": [],
        "forbidden_user_id_list": ["u3"], "forbidden_list": [{ "code": "143105", "count": 500, "userid": "u3" }],
    });
    let receipt = read_back(&result, Some("M")).unwrap();
    assert!(receipt.confirmed);
    assert_eq!((&receipt.detail["reached"], &receipt.detail["read"]), (&json!(2), &json!(1)));
    assert_eq!(receipt.detail["over_a_limit"], json!([{ "user": "u3", "code": "143105" }]));
    assert_eq!(receipt.detail["unknown_users"], json!(["nobody"]));
}

#[test]
fn a_success_that_reached_nobody_is_found_out() {
    let over = json!({ "forbidden_user_id_list": ["u1"], "forbidden_list": [{ "code": "143105", "count": 500, "userid": "u1" }] });
    let failure = read_back(&over, Some("M")).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::InvalidInput, Some("143105")));
    assert!(!failure.message.contains("u1"), "{failure}");
    for nothing in [json!({}), json!({ "invalid_user_id_list": ["x"] }), json!({ "forbidden_user_id_list": ["u1"] })] {
        assert_eq!(read_back(&nothing, Some("M")).unwrap_err().kind, FailureKind::InvalidInput);
    }
}

#[test]
fn the_same_words_again_mean_arrived_under_a_mark_and_dropped_without_one() {
    let again = json!({ "forbidden_user_id_list": ["u1"], "forbidden_list": [{ "code": "143106", "count": 1, "userid": "u1" }] });
    let receipt = read_back(&again, Some("M")).unwrap();
    assert_eq!((&receipt.detail["reached"], &receipt.detail["by_an_earlier_attempt"]), (&json!(1), &json!(1)));
    assert_eq!(read_back(&again, None).unwrap_err().code.as_deref(), Some("143106"));
}

#[test]
fn a_task_under_way_is_not_confirmed_and_its_result_not_asked_for() {
    let host =
        Host::new().answer("POST", PROGRESS, 200, r#"{"errcode":0,"progress":{"progress_in_percent":40,"status":1}}"#);
    let receipt = push(&host, &json!({}), "message.result", "k", &json!({ "reference": "5", "detail": {} })).unwrap();
    assert_eq!((receipt.confirmed, &receipt.detail["percent"], host.requests().len()), (false, &json!(40), 1));
    assert!(push(&host, &json!({}), "message.result", "k", &json!({ "reference": "x" })).is_err());
}

#[test]
fn a_limit_of_the_whole_app_waits_a_minute() {
    let host = Host::new().answer("POST", SEND, 200, r#"{"errcode":143103,"errmsg":"x"}"#);
    let failure = push(&host, &json!({}), "message.send", "k", &json!({ "to": ["u"], "text": "x" })).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::RateLimited, Some(60_000)));
}
