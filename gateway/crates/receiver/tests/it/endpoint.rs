//! Outgoing events: what arrives, how it is signed, and what each answer means.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::{ConnectionSpec, Egress};
use renmen_flow::{Destination as _, Failure, Push};
use renmen_receiver::endpoint::{Endpoint, EndpointOptions, SEND};
use renmen_schema::FailureKind;
use renmen_schema::id::SlotName;
use renmen_store::EndpointOff;
use serde_json::json;

use crate::http_receiver::{Act, Got, Receiver};
use crate::rig::{Lever, NOW_MS, connect, push, spec};

/// Made up: 32 bytes each.
const NEW: &str = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=";
const OLD: &str = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE=";

pub(crate) fn endpoint(receiver: &Receiver, lever: &Arc<Lever>, previous_until_ms: Option<i64>) -> Endpoint {
    let spec = spec(&[receiver.url("")], &[("secret", NEW), ("previous_secret", OLD)]);
    over(spec, receiver, lever, previous_until_ms)
}

fn over(spec: ConnectionSpec, receiver: &Receiver, lever: &Arc<Lever>, until: Option<i64>) -> Endpoint {
    let options = EndpointOptions { url: receiver.url("/hooks?x=1"), previous_until_ms: until };
    Endpoint::new(connect(spec), lever.clone(), options).unwrap()
}

fn event() -> Push {
    push(SEND, &json!({ "name": { "full": "张伟" } }))
}

/// Is one of the signatures that of this secret?
fn signed_by(got: &Got, secret: &str) -> bool {
    let seal = connect(spec(&["https://a.test".into()], &[("k", secret)]));
    let head = format!("{}.{}.", got.header("webhook-id"), got.header("webhook-timestamp"));
    let parts = [head.as_bytes(), got.body.as_bytes()];
    let right = seal.seal().sign(&SlotName::new("k").unwrap(), &parts).unwrap();
    let right = format!("v1,{}", STANDARD.encode(right));
    got.header("webhook-signature").split(' ').any(|signature| signature == right)
}

async fn answered(answer: Act) -> (Failure, Receiver, Arc<Lever>) {
    let (receiver, lever) = (Receiver::start(&[answer]).await, Arc::new(Lever::default()));
    let failure = endpoint(&receiver, &lever, None).push(event()).await.unwrap_err();
    (failure, receiver, lever)
}

#[tokio::test]
async fn an_event_arrives_whole_and_signed() {
    let receiver = Receiver::start(&[Act::Answer(204, "", "")]).await;
    let receipt = endpoint(&receiver, &Arc::default(), None).push(event()).await.unwrap();
    assert!(receipt.confirmed);
    let got = &receiver.got()[0];
    assert_eq!(got.line, "POST /hooks?x=1 HTTP/1.1");
    assert_eq!(got.header("content-type"), "application/cloudevents+json");
    assert_eq!(got.header("webhook-id"), "msg_00112233445566778899aabbccddeeff");
    assert_eq!(receipt.reference.as_deref(), Some(got.header("webhook-id")));
    assert_eq!(got.header("webhook-timestamp"), (NOW_MS / 1_000).to_string());
    assert!(signed_by(got, NEW) && !signed_by(got, OLD));
    assert_eq!(
        got.json(),
        json!({
            "specversion": "1.0",
            "id": "0192e5c0-0000-7000-8000-000000000001-3",
            "source": "/tenants/acme/connections/people",
            "type": "cn.renmen.employee.updated",
            "subject": "employees/0192e5c0-0000-7000-8000-000000000001",
            "time": "2026-11-22T01:19:58.000Z",
            "datacontenttype": "application/json",
            "sequence": "000000000000000042",
            "data": {
                "kind": "updated",
                "record_id": "0192e5c0-0000-7000-8000-000000000001",
                "record_url": "/v1/employees/0192e5c0-0000-7000-8000-000000000001",
                "entity": "employee",
                "connection": "people",
                "revision": 3,
                "record": { "name": { "full": "张伟" } },
            },
        })
    );
}

#[tokio::test]
async fn an_attempt_has_the_id_of_the_one_before_and_a_time_of_its_own_f10() {
    let receiver = Receiver::start(&[Act::Answer(500, "", ""), Act::Answer(200, "", "")]).await;
    let endpoint = endpoint(&receiver, &Arc::default(), None);
    endpoint.push(event()).await.unwrap_err();
    endpoint.push(Push { attempt: 2, now_ms: NOW_MS + 5_000, ..event() }).await.unwrap();
    let got = receiver.got();
    assert_eq!((got[0].header("webhook-id"), &got[0].body), (got[1].header("webhook-id"), &got[1].body));
    assert_ne!(got[0].header("webhook-timestamp"), got[1].header("webhook-timestamp"));
    assert!(signed_by(&got[0], NEW) && signed_by(&got[1], NEW));
}

#[tokio::test]
async fn both_secrets_sign_while_they_overlap_and_then_the_new_one_alone_f10() {
    let receiver = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let endpoint = endpoint(&receiver, &Arc::default(), Some(NOW_MS + 1));
    endpoint.push(event()).await.unwrap();
    endpoint.push(Push { now_ms: NOW_MS + 1, ..event() }).await.unwrap();
    let got = receiver.got();
    assert_eq!(got[0].header("webhook-signature").split(' ').count(), 2);
    assert!(signed_by(&got[0], NEW) && signed_by(&got[0], OLD));
    assert!(signed_by(&got[1], NEW) && !signed_by(&got[1], OLD));
}

#[tokio::test]
async fn a_new_url_is_used_from_the_next_attempt_on() {
    let before = Receiver::start(&[Act::Answer(500, "", "")]).await;
    let after = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let lever = Arc::new(Lever::default());
    let endpoint = endpoint(&before, &lever, None);
    endpoint.push(event()).await.unwrap_err();
    let options = EndpointOptions { url: after.url("/new"), previous_until_ms: None };
    let way = || connect(spec(&[after.url("")], &[("secret", OLD)]));
    let keyless = connect(spec(&[after.url("")], &[("secret", "")]));
    assert!(endpoint.replace(keyless, options.clone()).is_err());
    endpoint.push(event()).await.unwrap_err();
    lever.0.lock().replace(EndpointOff { reason: "410".into(), url: before.url("/hooks?x=1"), since_ms: 1 });
    assert!(!endpoint.push(event()).await.unwrap_err().passes(), "it is off");
    endpoint.replace(way(), options).unwrap();
    endpoint.push(event()).await.unwrap();
    assert_eq!((before.got().len(), after.got().len()), (2, 1));
    assert!(signed_by(&after.got()[0], OLD));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_switched_off_and_hears_no_more() {
    let (failure, receiver, lever) = answered(Act::Answer(410, "", "")).await;
    assert!(!failure.passes(), "{failure}");
    assert!(lever.0.lock().as_ref().is_some_and(|off| off.since_ms == NOW_MS && off.reason.contains("410")));
    let again = endpoint(&receiver, &lever, None).push(event()).await.unwrap_err();
    assert!(!again.passes() && again.message.contains("off"), "{again}");
    assert_eq!(receiver.got().len(), 1);

    let (failure, _, lever) = answered(Act::Answer(404, "", "")).await;
    assert!(failure.passes() && lever.0.lock().is_none(), "a 404 may be a deployment under way");
}

#[tokio::test]
async fn what_an_answer_means_is_told_without_what_it_says() {
    let (failure, ..) = answered(Act::Answer(429, "retry-after: 30\r\n", "")).await;
    assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::RateLimited, Some(30_000)));
    let (failure, ..) = answered(Act::Answer(401, "", "")).await;
    assert_eq!(failure.kind, FailureKind::AuthRequired);
    let (failure, receiver, _) = answered(Act::Answer(308, "location: /elsewhere\r\n", "")).await;
    assert!(failure.message.contains("not followed") && receiver.got().len() == 1, "{failure}");
    let (failure, ..) = answered(Act::Answer(503, "", r#"{"error":"busy","echo":"张伟"}"#)).await;
    assert_eq!(failure.message, "the receiver answers 503 (busy)");
    let (failure, ..) = answered(Act::Answer(500, "", "<p>张伟 is unknown</p>")).await;
    assert_eq!(failure.message, "the receiver answers 500");
    let (failure, ..) = answered(Act::Hang).await;
    assert!(failure.passes() && failure.message.contains("500 ms"), "{failure}");
}

#[tokio::test]
async fn a_long_answer_to_a_taken_event_does_no_harm() {
    let long: &'static str = Box::leak("x".repeat(50_000).into_boxed_str());
    let receiver = Receiver::start(&[Act::Answer(200, "", long)]).await;
    assert!(endpoint(&receiver, &Arc::default(), None).push(event()).await.is_ok());
}

#[tokio::test]
async fn an_endpoint_reaches_no_address_that_the_operator_did_not_open_f13() {
    let receiver = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let mut closed = spec(&[receiver.url("")], &[("secret", NEW)]);
    closed.grant.addresses = vec![];
    let failure = over(closed, &receiver, &Arc::default(), None).push(event()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotGranted);
    let mut encrypted_only = spec(&[receiver.url("")], &[("secret", NEW)]);
    encrypted_only.grant.plaintext = false;
    let failure = over(encrypted_only, &receiver, &Arc::default(), None).push(event()).await.unwrap_err();
    assert!(failure.message.contains("plain http"), "{failure}");
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn an_event_over_the_limit_is_not_sent_and_one_below_is() {
    let receiver = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let endpoint = endpoint(&receiver, &Arc::default(), None);
    let of = |n: usize| push(SEND, &json!({ "x": "y".repeat(n) }));
    endpoint.push(of(98_000)).await.unwrap();
    let failure = endpoint.push(of(100_000)).await.unwrap_err();
    assert_eq!((failure.passes(), failure.code.as_deref()), (false, Some("request_bytes_max")));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_sign_is_refused_when_the_endpoint_is_made() {
    let receiver = Receiver::start(&[Act::Answer(200, "", "")]).await;
    let connection = connect(spec(&[receiver.url("")], &[("secret", "")]));
    let options = EndpointOptions { url: receiver.url("/"), previous_until_ms: None };
    let error = Endpoint::new(connection, Arc::new(Lever::default()), options).err().unwrap();
    assert!(error.to_string().contains("`secret`"), "{error}");
    let spec = spec(&[receiver.url("")], &[("secret", "not base64, canary!")]);
    let error = Egress::new().unwrap().connect(spec).unwrap_err();
    assert!(!error.to_string().contains("canary") && error.to_string().contains("`secret`"), "{error}");
}

/// The example of the specification's own libraries (standard-webhooks, tests of the reference implementations).
#[test]
fn the_published_vector_holds_f10() {
    let connection = connect(spec(&["https://a.test".into()], &[("k", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]));
    let parts = [b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.".as_slice(), br#"{"test": 2432232314}"#];
    let signature = connection.seal().sign(&SlotName::new("k").unwrap(), &parts).unwrap();
    assert_eq!(STANDARD.encode(signature), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
