//! Text messages over a provider that is data.

use renmen_egress::SlotSpec;
use renmen_flow::{Destination as _, Identity};
use renmen_receiver::channel::{RESULT, SEND, SmsChannel, SmsError, SmsOptions, StatusOptions, Success};
use renmen_schema::FailureKind;
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{AuthRecipe, Placement};
use renmen_vault::Secret;
use serde_json::{Value, json};

use crate::http_receiver::{Act, Receiver};
use crate::mail::templates;
use crate::rig::{connect, push, spec};

fn options(receiver: &Receiver) -> SmsOptions {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    SmsOptions {
        method: "POST".into(),
        url: receiver.url("/send?lang={{ language | urlencode }}"),
        headers: vec![("content-type".into(), "application/json".into()), ("x-id".into(), "{{ id }}".into())],
        body: Some(r#"{"mobile": {{ to | tojson }}, "content": {{ text | tojson }}}"#.into()),
        slot: Some(SlotName::new("key").unwrap()),
        success: Success {
            status: vec![],
            pointer: Some("/code".into()),
            values: texts(&["0"]),
            refused: texts(&["2003"]),
        },
        reference: Some("/data/sid".into()),
        status: Some(StatusOptions {
            url: receiver.url("/messages/{{ reference | urlencode }}"),
            pointer: "/state".into(),
            delivered: texts(&["DELIVRD"]),
            failed: texts(&["UNDELIV"]),
        }),
        chars_max: 70,
        language: "zh".into(),
    }
}

fn made(receiver: &Receiver, options: SmsOptions) -> Result<SmsChannel, SmsError> {
    let mut spec = spec(&[receiver.url("")], &[]);
    let place = Placement::Header { name: "x-api-key".into(), prefix: String::new() };
    let secret = Some(Secret::new("not-a-real-key".into()));
    let auth = Some(AuthRecipe::Static { place });
    let slot = SlotSpec { secret, to: None, audience: vec![], auth, public: vec![], seal: None };
    spec.slots.insert(SlotName::new("key").unwrap(), slot);
    SmsChannel::new(connect(spec), templates(), options)
}

fn channel(receiver: &Receiver) -> SmsChannel {
    made(receiver, options(receiver)).unwrap()
}

fn message() -> Value {
    json!({ "to": "+8613800000000", "text": "您的\"面试\"即将开始" })
}

#[tokio::test]
async fn a_message_is_written_as_the_provider_wants_it_and_its_state_is_read_back() {
    let receiver = Receiver::start(&[
        Act::Answer(200, "", r#"{"code":0,"data":{"sid":"a/1"}}"#),
        Act::Answer(200, "", r#"{"state":"SENT"}"#),
        Act::Answer(200, "", r#"{"state":"DELIVRD"}"#),
        Act::Answer(200, "", r#"{"state":"UNDELIV"}"#),
    ])
    .await;
    let channel = channel(&receiver);
    let receipt = channel.push(push(SEND, &message())).await.unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("a/1"), false));
    let got = &receiver.got()[0];
    assert_eq!(got.line, "POST /send?lang=zh HTTP/1.1");
    assert_eq!((got.header("x-id"), got.header("x-api-key")), ("00112233445566778899aabbccddeeff", "not-a-real-key"));
    assert_eq!(got.json(), json!({ "mobile": "+8613800000000", "content": "您的\"面试\"即将开始" }));

    assert_eq!(channel.actions()[SEND].confirm.as_deref(), Some(RESULT));
    let asked = json!({ "reference": "a/1", "detail": {} });
    let state = channel.push(push(RESULT, &asked)).await.unwrap();
    assert_eq!((state.detail["state"].as_str(), state.confirmed), (Some("SENT"), false));
    assert!(channel.push(push(RESULT, &asked)).await.unwrap().confirmed);
    let failed = channel.push(push(RESULT, &asked)).await.unwrap_err();
    assert_eq!((failed.passes(), failed.code.as_deref()), (false, Some("UNDELIV")));
    assert_eq!(receiver.got()[1].line, "GET /messages/a%2F1 HTTP/1.1");
}

#[tokio::test]
async fn an_answer_that_does_not_say_yes_is_a_failure_even_with_status_200() {
    for (answer, kind) in [
        (Act::Answer(200, "", r#"{"code":1001,"msg":"+8613800000000"}"#), FailureKind::UpstreamUnavailable),
        (Act::Answer(200, "", r#"{"code":"2003"}"#), FailureKind::InvalidInput),
        (Act::Answer(200, "", "ok"), FailureKind::UpstreamUnavailable),
        (Act::Answer(401, "", ""), FailureKind::AuthRequired),
        (Act::Answer(429, "", ""), FailureKind::RateLimited),
        (Act::Answer(502, "", ""), FailureKind::UpstreamUnavailable),
    ] {
        let receiver = Receiver::start(&[answer]).await;
        let failure = channel(&receiver).push(push(SEND, &message())).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(!failure.message.contains("138"), "{failure}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_or_for_several_is_not_sent() {
    let receiver = Receiver::start(&[Act::Answer(200, "", r#"{"code":0}"#)]).await;
    let channel = channel(&receiver);
    let long = |n: usize| json!({ "to": "1", "text": "面".repeat(n) });
    assert!(channel.push(push(SEND, &long(70))).await.is_ok());
    let failure = channel.push(push(SEND, &long(71))).await.unwrap_err();
    assert!(failure.message.contains("chars_max") && !failure.passes(), "{failure}");
    let several = channel.push(push(SEND, &json!({ "to": ["1", "2"], "text": "x" }))).await.unwrap_err();
    assert!(!several.passes());
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_provider_that_cannot_work_is_refused_by_the_name_of_its_option() {
    let receiver = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let refused = |change: fn(&mut SmsOptions)| {
        let mut options = options(&receiver);
        change(&mut options);
        made(&receiver, options).err().unwrap().to_string()
    };
    assert!(refused(|o| o.url = "https://a.test/{{ phone }}".into()).starts_with("`url`: there is no `phone` here"));
    assert!(refused(|o| o.body = Some("{{ text".into())).starts_with("`body`: line 1"));
    assert!(refused(|o| o.headers = vec![("x".into(), "{{ reference }}".into())]).starts_with("`headers.x`"));
    assert!(refused(|o| o.success.pointer = Some("code".into())).starts_with("`success.pointer`"));
    assert!(refused(|o| o.reference = None).starts_with("`reference`"));
    assert!(made(&receiver, options(&receiver)).is_ok());

    let mut forgetful = options(&receiver);
    forgetful.headers.clear();
    forgetful.status = None;
    let actions = made(&receiver, forgetful).unwrap().actions();
    assert_eq!((actions[SEND].identity, actions.len()), (Identity::None, 1));
}
