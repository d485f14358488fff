//! Events as the vendor sends them: encrypted with SHA-256 of the key, the IV before the text; signed over time, nonce, key and
//! the body as it goes.

use aes::Aes256;
use aes::cipher::{Block, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ENCRYPT_KEY, VERIFICATION_TOKEN, now_ms};
use crate::http;

/// AES works on this many bytes.
const BLOCK: usize = 16;
/// The vendor gives up after so long.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// How an event is sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sending {
    /// Signs with another key than the tenant's.
    pub wrong_key: bool,
    /// Leaves the signature out.
    pub unsigned: bool,
    /// Signs a time that lies so many seconds back.
    pub seconds_ago: i64,
}

/// The text of an event of version 2.0.
#[must_use]
pub fn event(id: &str, kind: &str, about: &Value) -> Value {
    json!({
        "schema": "2.0",
        "header": {
            "event_id": id, "event_type": kind, "create_time": now_ms().to_string(), "token": VERIFICATION_TOKEN,
            "app_id": super::APP_ID, "tenant_key": "sim",
        },
        "event": about,
    })
}

/// The text of an event of version 1.0: no schema and no header.
#[must_use]
pub fn old_event(id: &str, kind: &str, about: &Value) -> Value {
    let mut about = about.clone();
    about["type"] = json!(kind);
    about["app_id"] = json!(super::APP_ID);
    about["tenant_key"] = json!("sim");
    let ts = format!("{}.7171419", now_ms() / 1_000);
    json!({ "ts": ts, "uuid": id, "token": VERIFICATION_TOKEN, "type": "event_callback", "event": about })
}

/// Sends one to `http://host:port/path` and returns the status and the body of the answer.
///
/// # Errors
/// The address is invalid, or the answer does not come within the vendor's patience.
pub async fn send(url: &str, plain: &Value, sending: &Sending) -> anyhow::Result<(u16, String)> {
    send_text(url, &plain.to_string(), sending).await
}

/// The same for any text: it is encrypted and signed correctly, even if it is not an event.
///
/// # Errors
/// As [`send`].
pub async fn send_text(url: &str, plain: &str, sending: &Sending) -> anyhow::Result<(u16, String)> {
    let body = json!({ "encrypt": encrypted(plain) }).to_string();
    let answer = http::ask("POST", url, &signed(&body, sending), &body, PATIENCE).await?;
    Ok((answer.status, answer.body))
}

/// The headers that a body is signed with.
fn signed(body: &str, sending: &Sending) -> Vec<(&'static str, String)> {
    if sending.unsigned {
        return Vec::new();
    }
    let time = (now_ms() / 1_000 - sending.seconds_ago).to_string();
    let nonce = "simulated-nonce";
    let key = if sending.wrong_key { "another key" } else { ENCRYPT_KEY };
    let signature = hex::encode(Sha256::digest([time.as_str(), nonce, key, body].concat()));
    vec![
        ("X-Lark-Request-Timestamp", time),
        ("X-Lark-Request-Nonce", nonce.to_owned()),
        ("X-Lark-Signature", signature),
    ]
}

fn encrypted(plain: &str) -> String {
    let iv: [u8; BLOCK] = rand::random();
    let mut mode = cbc::Encryptor::<Aes256>::new_from_slices(&Sha256::digest(ENCRYPT_KEY), &iv).unwrap();
    let mut text = plain.as_bytes().to_vec();
    let pad = BLOCK - text.len() % BLOCK;
    text.resize(text.len() + pad, u8::try_from(pad).unwrap());
    for block in text.chunks_exact_mut(BLOCK) {
        let block: &mut Block<Aes256> = block.try_into().unwrap();
        mode.encrypt_block(block);
    }
    STANDARD.encode([iv.to_vec(), text].concat())
}
