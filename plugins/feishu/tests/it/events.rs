//! Events: the vendor's published vector, signatures, and what each event means.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_feishu::Feishu;
use renmen_plugin::testing::{Host, NOW_MS, SealCall};
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config;

/// The key of the vendor's published vector: page "步骤三：接收事件".
const KEY: &str = "test key";
const TOKEN: &str = "made-up-verification-token";
const IV: [u8; 16] = *b"0123456789abcdef";

/// Plays the gateway's `seal` as the contract words it.
fn seal(call: &SealCall) -> Result<Vec<u8>, Failure> {
    let secret = match call.slot.as_str() {
        "encrypt_key" => KEY,
        "verification_token" => TOKEN,
        other => return Err(Failure::auth_required(format!("slot `{other}` is empty"))),
    };
    match (call.function, call.scheme.as_str()) {
        ("sign", "sha256") => {
            let part = |part: &Option<Vec<u8>>| part.clone().unwrap_or_else(|| secret.as_bytes().to_vec());
            Ok(Sha256::digest(call.parts.iter().flat_map(part).collect::<Vec<u8>>()).to_vec())
        }
        ("decrypt", "aes-256-cbc:sha256") => decrypted(secret, call.parts[0].as_deref().unwrap())
            .ok_or_else(|| Failure::invalid_input("no text of this key")),
        other => panic!("not a call of this connector: {other:?}"),
    }
}

/// AES-256-CBC with PKCS#7, the IV before the text.
fn decrypted(secret: &str, cipher: &[u8]) -> Option<Vec<u8>> {
    let (iv, text) = cipher.split_first_chunk::<16>()?;
    let mut mode = cbc::Decryptor::<Aes256>::new_from_slices(&Sha256::digest(secret), iv).unwrap();
    let mut plain = text.to_vec();
    for block in plain.chunks_mut(16) {
        let block: &mut Block<Aes256> = block.try_into().ok()?;
        mode.decrypt_block(block);
    }
    let pad = usize::from(*plain.last()?);
    let begin = plain.len().checked_sub(pad).filter(|_| (1..=16).contains(&pad))?;
    plain[begin..].iter().all(|&byte| usize::from(byte) == pad).then(|| plain[..begin].to_vec())
}

fn encrypted(plain: &str) -> String {
    let mut mode = cbc::Encryptor::<Aes256>::new_from_slices(&Sha256::digest(KEY), &IV).unwrap();
    let mut text = plain.as_bytes().to_vec();
    let pad = 16 - text.len() % 16;
    text.resize(text.len() + pad, pad as u8);
    for block in text.chunks_mut(16) {
        let block: &mut Block<Aes256> = block.try_into().unwrap();
        mode.encrypt_block(block);
    }
    json!({ "encrypt": STANDARD.encode([IV.to_vec(), text].concat()) }).to_string()
}

fn signed(body: &str, seconds: i64) -> Delivery {
    let mut digest = Sha256::new();
    for part in [seconds.to_string().as_str(), "nonce", KEY, body] {
        digest.update(part);
    }
    let header = |name: &str, value: String| (name.to_owned(), value);
    Delivery {
        method: "POST".into(),
        headers: vec![
            header("X-Lark-Request-Timestamp", seconds.to_string()),
            header("X-Lark-Request-Nonce", "nonce".into()),
            header("X-Lark-Signature", hex::encode(digest.finalize())),
        ],
        body: body.as_bytes().to_vec(),
        received_at_ms: NOW_MS,
        ..Delivery::default()
    }
}

fn receive_with(extra: &Value, delivery: Delivery) -> Result<Outcome, Failure> {
    let mut all = config();
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    Host::new().on_seal(seal).receive::<Feishu>(&all, delivery)
}

fn receive(delivery: Delivery) -> Result<Outcome, Failure> {
    receive_with(&json!({}), delivery)
}

fn event(kind: &str, about: &Value) -> String {
    json!({
        "schema": "2.0",
        "header": { "event_id": "5e3702a8", "event_type": kind, "create_time": "1767225600000", "token": TOKEN,
                    "app_id": "cli_made_up", "tenant_key": "made-up" },
        "event": about,
    })
    .to_string()
}

fn delivered(kind: &str, about: &Value) -> Outcome {
    receive(signed(&encrypted(&event(kind, about)), NOW_MS / 1000)).unwrap()
}

#[test]
fn the_published_vector_decrypts_to_hello_world() {
    // Page "步骤三：接收事件", with its key "test key".
    let published = STANDARD.decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
    let host = Host::new().on_seal(seal);
    let plain = host.run(|| renmen_plugin::seal::decrypt("encrypt_key", "aes-256-cbc:sha256", &published)).unwrap();
    assert_eq!(plain, b"hello world");
    // The same text as a signed delivery gets through signature and decryption, and is no event.
    let body = r#"{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}"#;
    assert_eq!(receive(signed(body, NOW_MS / 1000)).unwrap_err().kind, FailureKind::UpstreamChanged);
}

#[test]
fn the_question_about_the_address_is_answered_without_a_signature() {
    let question = json!({ "challenge": "ajls384kdjx98XX", "token": TOKEN, "type": "url_verification" }).to_string();
    let delivery = Delivery { headers: Vec::new(), ..signed(&encrypted(&question), 0) };
    let outcome = receive_with(&json!({ "check_verification_token": true }), delivery).unwrap();
    assert_eq!(outcome.answer.status, 200);
    assert_eq!(outcome.answer.body, br#"{"challenge":"ajls384kdjx98XX"}"#);
    assert_eq!((outcome.delivery_id, outcome.refresh.len()), (None, 0));
}

#[test]
fn what_is_not_the_vendors_is_refused_in_the_same_words_whatever_is_wrong_with_it() {
    let now = NOW_MS / 1000;
    let body = encrypted(&event("hire.talent.deleted_v1", &json!({ "talent_id": "1" })));
    assert!(receive(signed(&body, now)).is_ok());
    let without = |name: &str| {
        let mut delivery = signed(&body, now);
        delivery.headers.retain(|(header, _)| header != name);
        delivery
    };
    let with = |name: &str, value: &str| {
        let mut delivery = without(name);
        delivery.headers.push((name.into(), value.into()));
        delivery
    };
    let swapped = Delivery { body: encrypted("{}").into_bytes(), ..signed(&body, now) };
    let foreign = json!({ "encrypt": STANDARD.encode([7_u8; 64]) }).to_string();
    let bad = [
        without("X-Lark-Signature"),
        without("X-Lark-Request-Timestamp"),
        with("X-Lark-Request-Nonce", "other"),
        with("X-Lark-Signature", "00"),
        with("X-Lark-Signature", "no hex"),
        swapped,
        Delivery { headers: Vec::new(), ..signed(&foreign, now) },
        Delivery { headers: Vec::new(), ..signed(r#"{"encrypt":"%%%"}"#, now) },
        Delivery { headers: Vec::new(), ..signed(&encrypted("not json"), now) },
    ];
    let mut words = std::collections::BTreeSet::new();
    for delivery in bad {
        let failure = receive(delivery).unwrap_err();
        assert_eq!(failure.kind, FailureKind::AuthRequired, "{failure}");
        words.insert(failure.message);
    }
    assert_eq!(words.len(), 1, "nobody learns which check it was: {words:?}");
    let plain = receive(signed(&event("hire.talent.deleted_v1", &json!({})), now)).unwrap_err();
    assert_eq!(plain.kind, FailureKind::AuthRequired);
    assert!(plain.message.contains("Encrypt Key"), "what is not encrypted at all is for the operator: {plain}");
}

#[test]
fn an_event_of_long_ago_is_refused_by_its_signed_time_and_as_the_operator_says() {
    let body = encrypted(&event("hire.talent.deleted_v1", &json!({ "talent_id": "1" })));
    let aged = |seconds: i64| {
        let mut delivery = signed(&body, NOW_MS / 1000 + seconds);
        delivery.headers.push(("renmen-replay-window-ms".into(), "60000".into()));
        receive(delivery)
    };
    for seconds in [-60, 0, 60] {
        assert!(aged(seconds).is_ok(), "{seconds}");
    }
    for seconds in [-61, 61] {
        assert_eq!(aged(seconds).unwrap_err().kind, FailureKind::AuthRequired, "{seconds}");
    }
}

#[test]
fn the_verification_token_is_compared_where_that_is_asked_for() {
    let wrong = event("hire.talent.deleted_v1", &json!({ "talent_id": "1" })).replace(TOKEN, "another");
    let delivery = || signed(&encrypted(&wrong), NOW_MS / 1000);
    assert!(receive(delivery()).is_ok());
    let failure = receive_with(&json!({ "check_verification_token": true }), delivery()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::AuthRequired);
    assert!(!failure.message.contains(TOKEN));
}

#[test]
fn an_event_that_says_only_that_something_changed_asks_for_just_that_record() {
    let cases = [
        (
            "hire.application.stage_changed_v1",
            json!({ "application_id": "9", "origin_stage_id": "1", "target_stage_id": "2", "update_time": 1_652_806_656_258_i64 }),
            vec![("applications", vec!["9"])],
        ),
        ("hire.offer.status_changed_v1", json!({ "offer_id": "5" }), vec![("offers", vec!["5"])]),
        (
            "hire.talent.tag_subscription_v1",
            json!({ "talent_id": "8", "application_id": "9", "type": 1 }),
            vec![("applications", vec!["9"]), ("candidates", vec!["8"])],
        ),
        (
            "corehr.employment.updated_v1",
            json!({ "employment_id": "7", "field_changes": ["x"] }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.employee.domain_event_v2",
            json!({ "event_type": 7, "employment_id": "7" }),
            vec![("employees", vec!["7"])],
        ),
        ("corehr.department.updated_v2", json!({ "department_id": "3" }), vec![("departments", vec![])]),
        ("corehr.employment.updated_v1", json!({}), vec![]),
    ];
    for (kind, about, wanted) in cases {
        let outcome = delivered(kind, &about);
        let refresh: Vec<(&str, Vec<&str>)> = outcome
            .refresh
            .iter()
            .map(|refresh| (refresh.stream.as_str(), refresh.only.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(refresh, wanted, "{kind}");
        assert_eq!(outcome.delivery_id.as_deref(), Some("5e3702a8"));
        assert_eq!((outcome.answer.status, outcome.records.len()), (200, 0));
    }
}

#[test]
fn an_event_that_says_that_something_is_gone_says_all() {
    let outcome = delivered("hire.application.deleted_v1", &json!({ "application_ids": ["1", "2"] }));
    let gone: Vec<_> = outcome.records.iter().map(|r| (r.entity.as_str(), r.external_id.as_str(), r.deleted)).collect();
    assert_eq!(gone, [("application", "1", true), ("application", "2", true)]);
    assert_eq!(outcome.records[0].updated_at_ms, Some(NOW_MS));
    let outcome = delivered("corehr.employment.deleted_v1", &json!({ "employment_id": "7" }));
    let gone: Vec<_> = outcome.records.iter().map(|r| r.entity.as_str()).collect();
    assert_eq!(gone, ["assignment", "employment", "employee"]);
    assert!(outcome.refresh.is_empty());
}

#[test]
fn an_unknown_event_and_one_of_another_shape_are_answered_and_left_to_be_kept() {
    for (kind, about) in [
        ("im.message.receive_v1", json!({ "message": {} })),
        ("hire.offer.status_changed_v1", json!({ "offer_id": 5 })),
        ("hire.offer.status_changed_v1", json!("nothing")),
    ] {
        let outcome = delivered(kind, &about);
        assert_eq!((outcome.answer.status, outcome.delivery_id.as_deref()), (200, Some("5e3702a8")), "{kind}");
        assert_eq!((outcome.records.len(), outcome.refresh.len()), (0, 0), "{kind}");
    }
}
