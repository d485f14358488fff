//! Signed events.

use connector_interview_vendor::InterviewVendor;
use renmen_plugin::testing::{Host, NOW_MS, SealCall};
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome};
use serde_json::{Value, json};

use crate::config;

/// The digest that the gateway would make, as far as a test can tell: of the parts, in order.
fn digest(call: &SealCall) -> Vec<u8> {
    assert_eq!(call.slot, "webhook_secret");
    let sum = call.parts.iter().flatten().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    sum.to_be_bytes().to_vec()
}

pub(crate) fn host() -> Host {
    Host::new().on_seal(|call| Ok(digest(call)))
}

fn signature(id: &str, time: &str, body: &[u8]) -> String {
    let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body].map(<[u8]>::to_vec).to_vec();
    let call = SealCall { function: "sign", slot: "webhook_secret".into(), parts };
    format!("v1,{}", base64(&digest(&call)))
}

fn base64(bytes: &[u8]) -> String {
    const WORDS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let held = chunk.iter().fold(0_u32, |held, byte| held << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let fits = at <= chunk.len();
            text.push(if fits { char::from(WORDS[(held >> (18 - 6 * at)) as usize & 63]) } else { '=' });
        }
    }
    text
}

fn signed(body: &Value, age_s: i64) -> Delivery {
    signed_bytes(body.to_string().into_bytes(), age_s)
}

pub(crate) fn signed_bytes(body: Vec<u8>, age_s: i64) -> Delivery {
    let time = (NOW_MS / 1000 - age_s).to_string();
    let signature = format!("v1,AAAA {}", signature("msg_1", &time, &body));
    Delivery {
        method: "POST".into(),
        headers: vec![
            ("Webhook-Id".into(), "msg_1".into()),
            ("Webhook-Timestamp".into(), time),
            ("Webhook-Signature".into(), signature),
        ],
        body,
        received_at_ms: NOW_MS,
        ..Delivery::default()
    }
}

fn receive(delivery: Delivery) -> Result<Outcome, Failure> {
    host().receive::<InterviewVendor>(&config(), delivery)
}

fn event() -> Value {
    json!({ "type": "result.ready", "timestamp": "2026-01-01T00:00:00.000Z", "data": {
        "results": [{ "id": "res-1", "modified_at": "2026-01-01T00:00:00.000Z", "interview_id": "int-1",
                      "overall": { "value": "82", "min": "0", "max": "100" } }],
        "interviews": [{ "id": "int-1", "modified_at": "2026-01-01T00:00:00.000Z", "application_id": "app-1", "kind": "ai", "status": "completed" },
                       { "id": "int-2", "modified_at": "yesterday", "application_id": "app-1", "kind": "ai", "status": "completed" }],
        "horoscopes": [{ "id": "h" }] } })
}

#[test]
fn r86_an_event_brings_its_objects_as_records_each_with_its_place() {
    let outcome = receive(signed(&event(), 0)).unwrap();
    assert_eq!((outcome.answer.status, outcome.delivery_id.as_deref()), (204, Some("msg_1")));
    let told: Vec<_> =
        outcome.records.iter().map(|r| (r.entity.as_str(), r.external_id.as_str(), r.pointer.as_str())).collect();
    assert_eq!(told, [("interview", "int-1", "/data/interviews/0"), ("interview_result", "res-1", "/data/results/0")]);
    assert_eq!(outcome.rejects.len(), 1, "one bad object does not hurt the others");
    assert_eq!(outcome.rejects[0].external_id.as_deref(), Some("int-2"));
}

#[test]
fn ids_alone_start_a_read_of_just_those() {
    let body = json!({ "type": "x", "changed": { "answers": ["ans-1", "ans-2"], "horoscopes": ["h"] } });
    let outcome = receive(signed(&body, 0)).unwrap();
    assert!(outcome.records.is_empty());
    assert_eq!((outcome.refresh.len(), outcome.refresh[0].stream.as_str()), (1, "answers"));
    assert_eq!(outcome.refresh[0].only, ["ans-1", "ans-2"]);
    let many: Vec<_> = (0..501).map(|n| n.to_string()).collect();
    let outcome = receive(signed(&json!({ "type": "x", "changed": { "answers": many } }), 0)).unwrap();
    assert!(outcome.refresh[0].only.is_empty(), "too many to name: the whole stream");
}

#[test]
fn an_event_of_a_type_that_nobody_knows_is_answered() {
    let outcome = receive(signed(&json!({ "type": "vendor.birthday" }), 0)).unwrap();
    assert_eq!((outcome.answer.status, outcome.records.len()), (204, 0));
}

#[test]
fn what_is_not_signed_or_signed_otherwise_or_long_ago_is_refused_and_brings_nothing() {
    let refused = |delivery| receive(delivery).unwrap_err();
    let code = |failure: Failure| (failure.kind, failure.code.unwrap());
    let mut changed = signed(&event(), 0);
    changed.body.push(b' ');
    assert_eq!(code(refused(changed)), (FailureKind::AuthRequired, "bad_signature".into()));
    for name in ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"] {
        let mut bare = signed(&event(), 0);
        bare.headers.retain(|(header, _)| header != name);
        assert_eq!(code(refused(bare)), (FailureKind::AuthRequired, "unsigned".into()), "{name}");
    }
    let mut other = signed(&event(), 0);
    other.headers[2].1 = "v2,AAAA v1,!!!! v1a,AAAA".into();
    assert_eq!(code(refused(other)), (FailureKind::AuthRequired, "bad_signature".into()));
    assert!(receive(signed(&event(), 300)).is_ok());
    for age_s in [301, -301] {
        assert_eq!(code(refused(signed(&event(), age_s))), (FailureKind::AuthRequired, "replay_window".into()));
    }
}

#[test]
fn what_is_signed_and_no_event_is_the_vendors_fault() {
    assert_eq!(receive(signed(&json!([1]), 0)).unwrap_err().kind, FailureKind::UpstreamChanged);
    assert_eq!(receive(signed(&json!({ "data": {} }), 0)).unwrap_err().kind, FailureKind::UpstreamChanged);
}
