//! What the vendor sends of its own accord: signed events (Standard Webhooks).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::http::{self, Answer};

/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
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
/// When nothing answers.
pub async fn event(hook: &str, secret: &str, id: &str, event: &Value) -> anyhow::Result<Answer> {
    let body = event.to_string();
    let seconds = jiff::Timestamp::now().as_second();
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", sign(secret, id, seconds, body.as_bytes())),
    ];
    http::ask("POST", hook, &headers, &body, PATIENCE).await
}
