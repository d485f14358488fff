//! Events as the vendor sends them: encrypted with SHA-256 of the key, the IV before the text; signed over time, nonce, key and
//! the body as it goes.

use aes::Aes256;
use aes::cipher::{Block, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ENCRYPT_KEY, VERIFICATION_TOKEN, now_ms};

/// AES works on this many bytes.
const BLOCK: usize = 16;
/// Bytes of an answer that are looked at.
const ANSWER_MAX: u64 = 64 << 10;
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

/// Sends one to `http://host:port/path`; the status and the body that it is answered with.
///
/// # Errors
/// An address that is none, and an answer that does not come within the vendor's patience.
pub async fn send(url: &str, plain: &Value, sending: &Sending) -> anyhow::Result<(u16, String)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| anyhow::anyhow!("expected http://host:port/path"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = request(authority, path, plain, sending);
    let exchange = async {
        let mut stream = TcpStream::connect(authority).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await??;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status.ok_or_else(|| anyhow::anyhow!("no HTTP answer"))?, body.to_owned()))
}

fn request(authority: &str, path: &str, plain: &Value, sending: &Sending) -> String {
    let body = json!({ "encrypt": encrypted(&plain.to_string()) }).to_string();
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    if !sending.unsigned {
        let time = (now_ms() / 1_000 - sending.seconds_ago).to_string();
        let nonce = "simulated-nonce";
        let key = if sending.wrong_key { "another key" } else { ENCRYPT_KEY };
        let signature = hex::encode(Sha256::digest([time.as_str(), nonce, key, body.as_str()].concat()));
        head.push_str(&format!(
            "X-Lark-Request-Timestamp: {time}\r\nX-Lark-Request-Nonce: {nonce}\r\nX-Lark-Signature: {signature}\r\n"
        ));
    }
    format!("{head}\r\n{body}")
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
