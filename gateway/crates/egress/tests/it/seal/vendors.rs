//! The two connectors whose deliveries the gateway proves: their own manifests, the vendors' published vectors, and small
//! implementations of the vendors' side that share no code with ours.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::{Incoming, NONCE_CHARS, Proved};
use renmen_schema::manifest::{SealScheme, SealUse};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::rig::{Door, sealed};
use crate::support::slot;

const DINGTALK: &str = include_str!("../../../../../../plugins/dingtalk/plugin.toml");
pub(super) const FEISHU: &str = include_str!("../../../../../../plugins/feishu/plugin.toml");

/// Five minutes.
const WINDOW_MS: u64 = 300_000;
const NOW_MS: i64 = 1_767_225_600_000;

/// What the vendor publishes with its library: token, AES key, owner, time, nonce, signature, cipher text, message.
const PUBLISHED: [[&str; 8]; 2] = [
    [
        "123456",
        "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij",
        "suite4xxxxxxxxxxxxxxx",
        "1445827045067",
        "nEXhMP4r",
        "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0",
        "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ==",
        r#"{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#,
    ],
    [
        "mryue",
        "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7",
        "ding6ccabc44d2c8d38b",
        "1608001896814",
        "WL4PK6yA",
        "03044561471240d4a14bb09372dfcfd4fd0e40cb",
        "0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
        r#"{"EventType":"check_url"}"#,
    ],
];

pub(super) fn dingtalk(token: &str, aes: &str, owner: &str) -> Door {
    Door::new(DINGTALK, &[("callback_token", token), ("callback_key", aes)], json!({ "callback_owner": owner }))
}

/// As the vendor's library reads an answer: the text, once signature, padding and owner are right.
pub(crate) fn read_by_the_vendor(answer: &[u8], token: &str, aes: &str, owner: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let member = |name: &str| answer[name].as_str();
    let (time, nonce, encrypt) = (member("timeStamp")?, member("nonce")?, member("encrypt")?);
    let mut parts = [token, time, nonce, encrypt];
    parts.sort_unstable();
    if hex::encode(Sha1::digest(parts.concat())) != member("msg_signature")? {
        return None;
    }
    let key = STANDARD.decode(format!("{aes}=")).ok().or_else(|| lenient(aes))?;
    let mut text = STANDARD.decode(encrypt).ok()?;
    let mut mode = cbc::Decryptor::<Aes256>::new_from_slices(&key, &key[..16]).ok()?;
    for block in text.chunks_exact_mut(16) {
        let block: &mut Block<Aes256> = block.try_into().ok()?;
        mode.decrypt_block(block);
    }
    text.truncate(text.len().checked_sub(usize::from(*text.last()?))?);
    let length = u32::from_be_bytes(text.get(16..20)?.try_into().ok()?) as usize;
    let (message, whose) = text[20..].split_at_checked(length)?;
    (whose == owner.as_bytes()).then(|| String::from_utf8_lossy(message).into_owned())
}

/// Keys whose last bits are not zero: the vendor's own library does not mind.
fn lenient(aes: &str) -> Option<Vec<u8>> {
    use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(format!("{aes}=")).ok()
}

#[test]
fn dingtalks_published_callbacks_are_proved_opened_and_answered() {
    for [token, aes, owner, time, nonce, signature, encrypt, message] in PUBLISHED {
        let door = dingtalk(token, aes, owner);
        assert!(door.check().is_ok());
        let at_ms: i64 = time.parse().unwrap();
        let body = json!({ "encrypt": encrypt }).to_string();
        for names in [["signature", "timestamp"], ["msg_signature", "timeStamp"]] {
            let query = format!("/hooks/people?{}={signature}&{}={time}&nonce={nonce}", names[0], names[1]);
            let incoming = |received_at_ms| Incoming {
                path_and_query: &query,
                headers: &[],
                body: body.as_bytes(),
                received_at_ms,
                window_ms: WINDOW_MS,
            };
            assert_eq!(door.opened(&incoming(at_ms + 1_000)), message);
            for edge in [-300_000, 300_000] {
                assert_eq!(door.opened(&incoming(at_ms + edge)), message, "the window's last moment");
            }
            for beyond in [-300_001, 300_001] {
                assert!(door.prove(&incoming(at_ms + beyond)).is_err(), "{beyond}");
            }
        }
        let answer = door.answer(b"success", at_ms);
        assert_eq!(read_by_the_vendor(&answer, token, aes, owner).as_deref(), Some("success"));
        for wrong in [["x", aes, owner], [token, PUBLISHED[0][1], "x"]] {
            assert_eq!(read_by_the_vendor(&answer, wrong[0], wrong[1], wrong[2]), None, "the vendor would see it");
        }
    }
}

#[test]
fn each_answer_has_a_time_a_nonce_and_a_cipher_text_of_its_own() {
    let [token, aes, owner, ..] = PUBLISHED[0];
    let door = dingtalk(token, aes, owner);
    let member =
        |answer: &[u8], name: &str| serde_json::from_slice::<Value>(answer).unwrap()[name].as_str().unwrap().to_owned();
    let (one, two) = (door.answer(b"success", NOW_MS), door.answer(b"success", NOW_MS));
    assert_eq!((member(&one, "timeStamp"), member(&one, "nonce").len()), (NOW_MS.to_string(), NONCE_CHARS));
    for name in ["nonce", "encrypt", "msg_signature"] {
        assert_ne!(member(&one, name), member(&two, name), "{name}");
    }
}

#[test]
fn what_dingtalk_did_not_send_is_refused_in_the_same_words_whatever_is_wrong_with_it() {
    let [token, aes, owner, time, nonce, signature, encrypt, _] = PUBLISHED[0];
    let door = dingtalk(token, aes, owner);
    let body = json!({ "encrypt": encrypt }).to_string();
    let good = format!("?signature={signature}&timestamp={time}&nonce={nonce}");
    let refused = |query: &str, body: &str| {
        let incoming = Incoming {
            path_and_query: query,
            headers: &[],
            body: body.as_bytes(),
            received_at_ms: time.parse().unwrap(),
            window_ms: WINDOW_MS,
        };
        door.refused(&incoming)
    };
    let words: std::collections::BTreeSet<String> = [
        refused(&good.replace(nonce, "other"), &body),
        refused(&good.replace(signature, &"00".repeat(20)), &body),
        refused(&good.replace(signature, "zz"), &body),
        refused(&good.replace(signature, ""), &body),
        refused(&good.replace("timestamp", "time"), &body),
        refused(&good.replace(time, "1445827045"), &body),
        refused("/hooks/people", &body),
        refused(&good, "{}"),
        refused(&good, "no json"),
        refused(&good, &json!({ "encrypt": "%%%" }).to_string()),
        refused(&good, &json!({ "encrypt": 7 }).to_string()),
    ]
    .into();
    assert_eq!(words.len(), 1, "the answer does not tell which check failed: {words:?}");
}

#[test]
fn what_dingtalk_signed_and_the_slots_do_not_open_is_told_to_the_operator_alone() {
    let [token, aes, owner, time, nonce, signature, encrypt, _] = PUBLISHED[0];
    let query = format!("?signature={signature}&timestamp={time}&nonce={nonce}");
    let body = json!({ "encrypt": encrypt }).to_string();
    let incoming = Incoming {
        path_and_query: &query,
        headers: &[],
        body: body.as_bytes(),
        received_at_ms: time.parse().unwrap(),
        window_ms: WINDOW_MS,
    };
    let said = dingtalk(token, PUBLISHED[1][1], owner).refused(&incoming);
    assert!(said.contains("does not open") && said.contains("`callback_key`"), "{said}");
    let said = dingtalk(token, aes, "dingsomebodyelse").refused(&incoming);
    assert!(said.contains("another owner"), "{said}");
    let unset = Door::new(DINGTALK, &[("callback_token", token), ("callback_key", aes)], json!({}));
    assert!(unset.refused(&incoming).contains("`config.callback_owner` is not set"));
    assert!(unset.check().unwrap_err().to_string().contains("`config.callback_owner` is not set"));
    let half = Door::new(DINGTALK, &[("callback_token", token)], json!({ "callback_owner": owner }));
    assert!(half.check().unwrap_err().to_string().contains("slot `callback_key` is empty"));
    let none = Door::new(DINGTALK, &[], json!({}));
    assert!(none.check().is_ok(), "no delivery is expected");
    assert!(none.refused(&incoming).contains("slot `callback_token` is empty"));
}

/// Feishu, as its page "步骤三：接收事件" words it.
pub(super) struct Feishu {
    pub(super) key: &'static str,
    pub(super) nonce: &'static str,
}

impl Feishu {
    pub(super) fn door(&self, token: Option<&str>) -> Door {
        let slots = [("encrypt_key", Some(self.key)), ("verification_token", token)];
        let filled: Vec<_> = slots.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
        Door::new(FEISHU, &filled, json!({}))
    }

    pub(super) fn encrypted(&self, plain: &str) -> String {
        let iv = *b"0123456789abcdef";
        let mut text = plain.as_bytes().to_vec();
        let pad = 16 - text.len() % 16;
        text.resize(text.len() + pad, u8::try_from(pad).unwrap());
        let mut mode = cbc::Encryptor::<Aes256>::new_from_slices(&Sha256::digest(self.key), &iv).unwrap();
        for block in text.chunks_exact_mut(16) {
            let block: &mut Block<Aes256> = block.try_into().unwrap();
            mode.encrypt_block(block);
        }
        json!({ "encrypt": STANDARD.encode([iv.to_vec(), text].concat()) }).to_string()
    }

    pub(super) fn headers(&self, seconds: i64, body: &str) -> Vec<(String, String)> {
        let signed = [seconds.to_string().as_str(), self.nonce, self.key, body].concat();
        vec![
            ("X-Lark-Request-Timestamp".to_owned(), seconds.to_string()),
            ("X-Lark-Request-Nonce".to_owned(), self.nonce.to_owned()),
            ("X-Lark-Signature".to_owned(), hex::encode(Sha256::digest(signed))),
        ]
    }
}

pub(super) fn incoming<'a>(headers: &'a [(String, String)], body: &'a str) -> Incoming<'a> {
    Incoming {
        path_and_query: "/hooks/hr",
        headers,
        body: body.as_bytes(),
        received_at_ms: NOW_MS,
        window_ms: WINDOW_MS,
    }
}

#[test]
fn feishus_published_vector_is_proved_and_opened() {
    // A key of the vendor's page, shorter than any that it gives out.
    let feishu = Feishu { key: "test key", nonce: "nonce" };
    let body = r#"{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}"#;
    let headers = feishu.headers(NOW_MS / 1_000, body);
    assert_eq!(feishu.door(None).opened(&incoming(&headers, body)), "hello world");
    // Nothing but the question about the address is answered without a signature.
    assert!(feishu.door(None).prove(&incoming(&[], body)).is_err());
}

#[test]
fn an_event_of_feishus_is_opened_and_its_token_compared_where_there_is_one() {
    let feishu = Feishu { key: "an encrypt key", nonce: "36a95c8c-0a1c-4d5e-9a9a-3a1b5c0d7e8f" };
    let event = json!({ "schema": "2.0", "header": { "event_id": "e", "token": "t0ken" }, "event": {} }).to_string();
    let body = feishu.encrypted(&event);
    let headers = feishu.headers(NOW_MS / 1_000, &body);
    for token in [None, Some("t0ken"), Some(" t0ken\n")] {
        assert_eq!(feishu.door(token).opened(&incoming(&headers, &body)), event, "{token:?}");
    }
    for wrong in ["t0ke", "t0ken2", "other"] {
        let said = feishu.door(Some(wrong)).refused(&incoming(&headers, &body));
        assert!(said.contains("`verification_token`") && !said.contains(wrong), "{said}");
    }
    for seconds in [-301, 301] {
        let headers = feishu.headers(NOW_MS / 1_000 + seconds, &body);
        assert!(feishu.door(None).prove(&incoming(&headers, &body)).is_err(), "{seconds}");
    }
    let swapped = feishu.encrypted("{}");
    assert!(feishu.door(None).prove(&incoming(&headers, &swapped)).is_err());
}

#[test]
fn feishus_question_is_answered_by_the_gateway_and_nothing_else_is_without_a_signature() {
    let feishu = Feishu { key: "an encrypt key", nonce: "n" };
    let question = |challenge: &str, token: &str, kind: &str| {
        feishu.encrypted(&json!({ "challenge": challenge, "token": token, "type": kind }).to_string())
    };
    let good = question("ajls384kdjx98XX", "t0ken", "url_verification");
    for token in [None, Some("t0ken")] {
        let Proved::Question { answer } = feishu.door(token).prove(&incoming(&[], &good)).unwrap() else {
            panic!("not taken for a question");
        };
        assert_eq!(answer, br#"{"challenge":"ajls384kdjx98XX"}"#);
    }
    let door = feishu.door(Some("t0ken"));
    let long = "c".repeat(129);
    let words: std::collections::BTreeSet<String> = [
        question("ajls384kdjx98XX", "other", "url_verification"),
        question("ajls384kdjx98XX", "t0ken", "event_callback"),
        question("", "t0ken", "url_verification"),
        question(&long, "t0ken", "url_verification"),
        question("Li Lei, 13800000000", "t0ken", "url_verification"),
        feishu.encrypted("no json"),
        feishu.encrypted(&format!("{{\"pad\":\"{}\"}}", "p".repeat(5_000))),
        json!({ "encrypt": STANDARD.encode([7_u8; 64]) }).to_string(),
        json!({ "encrypt": STANDARD.encode([7_u8; 16]) }).to_string(),
        json!({ "encrypt": "%%%" }).to_string(),
        json!({ "challenge": "x", "token": "t0ken", "type": "url_verification" }).to_string(),
        String::new(),
    ]
    .iter()
    .map(|body| door.refused(&incoming(&[], body)))
    .collect();
    assert_eq!(words.len(), 1, "{words:?}");
}

#[test]
fn hmac_is_that_of_rfc_2202_and_rfc_4231() {
    for (scheme, wanted) in [
        (SealScheme::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (SealScheme::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            SealScheme::HmacSha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let connection = sealed(&[("k", scheme, SealUse::Sign, "Jefe")]).unwrap();
        let parts = [b"what do ya want ".as_slice(), b"for nothing?"];
        assert_eq!(hex::encode(connection.seal().sign(&slot("k"), &parts).unwrap()), wanted);
        let mut verifying = connection.seal().verifying(&slot("k")).unwrap();
        parts.iter().for_each(|part| verifying.update(part));
        assert!(verifying.matches(&hex::decode(wanted).unwrap()));
    }
}
