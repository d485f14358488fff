//! What the vendor sends of its own accord: signed events (Standard Webhooks), and questions about pay bands.

use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// An answer: status and body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// The signature of a body, as the headers carry it.
#[must_use]
pub fn sign(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Sends one event to a hook, signed now.
///
/// # Errors
/// When nobody answers.
pub async fn event(hook: &str, secret: &str, id: &str, event: &Value) -> anyhow::Result<Answer> {
    let body = event.to_string();
    let seconds = jiff::Timestamp::now().as_second();
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", sign(secret, id, seconds, body.as_bytes())),
    ];
    post(hook, &headers, &body).await
}

/// Sends a JSON body over plain HTTP to loopback; vendors' simulators speak to nobody else.
///
/// # Errors
/// When nobody answers in time.
pub async fn post(url: &str, headers: &[(&str, String)], body: &str) -> anyhow::Result<Answer> {
    ask("POST", url, headers, body).await
}

/// The same by any method.
///
/// # Errors
/// When nobody answers in time.
pub async fn ask(method: &str, url: &str, headers: &[(&str, String)], body: &str) -> anyhow::Result<Answer> {
    tokio::time::timeout(PATIENCE, exchange(method, url, headers, body)).await.context("no answer in time")?
}

async fn exchange(method: &str, url: &str, headers: &[(&str, String)], body: &str) -> anyhow::Result<Answer> {
    let rest = url.strip_prefix("http://").context("plain http to loopback alone")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !host.starts_with("127.0.0.1:") {
        bail!("a simulator speaks to loopback alone");
    }
    let mut stream = TcpStream::connect(host).await.context("nobody listens there")?;
    let mut request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no HTTP answer")?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok(Answer { status, body })
}
