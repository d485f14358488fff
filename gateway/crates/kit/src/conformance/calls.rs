//! `fixtures/calls.json`: actions and deliveries, each with what must become of it. The requests that they lead to are answered by the
//! recordings, as those of streams are.

use std::path::Path;
use std::time::Duration;

use renmen_plugin_host::{Action, Call, CallError, Delivery, Door, Plugin};
use renmen_schema::types::Instant;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ConformanceError;
use super::difference::readable;

/// The file.
pub(super) const CALLS: &str = "calls.json";
/// How far the vendor's time of a delivery may lie from the time of the fixtures.
const WINDOW: Duration = Duration::from_secs(300);

/// One call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recalled {
    /// The name of an action of the manifest.
    #[serde(default)]
    pub(super) action: Option<String>,
    /// With `action`.
    #[serde(default)]
    input: Value,
    /// With `action`: the idempotency key.
    #[serde(default)]
    key: Option<String>,
    /// In place of `action`: what the vendor sends.
    #[serde(default)]
    pub(super) delivery: Option<Sent>,
    /// What the connector takes for now, in RFC 3339, where it is another time than that of the fixtures.
    #[serde(default)]
    at: Option<String>,
    /// What must become of it.
    #[serde(default)]
    pub(super) becomes: Value,
}

/// What a vendor sends of its own accord.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sent {
    /// `POST` if none is named.
    method: Option<String>,
    /// `?timestamp=1`.
    query: String,
    headers: Map<String, Value>,
    /// JSON, or the text as it is signed.
    body: Value,
}

/// Reads the file; none is there, no calls.
pub(super) fn read(folder: &Path) -> Result<Vec<Recalled>, ConformanceError> {
    let path = folder.join(CALLS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read(&path).map_err(|source| ConformanceError::File { path: path.clone(), source })?;
    let calls: Vec<Recalled> = serde_json::from_slice(&text)
        .map_err(|error| ConformanceError::Description { path: path.clone(), reason: error.to_string() })?;
    match calls.iter().position(|call| call.action.is_some() == call.delivery.is_some()) {
        None => Ok(calls),
        Some(at) => Err(ConformanceError::Description {
            path,
            reason: format!("call {}: expected an `action` with its `input`, or a `delivery`", at + 1),
        }),
    }
}

/// The file with what becomes of each call now.
pub(super) fn written(folder: &Path, became: &[Value]) -> Result<String, ConformanceError> {
    let path = folder.join(CALLS);
    let text = std::fs::read(&path).map_err(|source| ConformanceError::File { path: path.clone(), source })?;
    let mut calls: Vec<Map<String, Value>> = serde_json::from_slice(&text)
        .map_err(|error| ConformanceError::Description { path, reason: error.to_string() })?;
    for (call, became) in calls.iter_mut().zip(became) {
        call.insert("becomes".to_owned(), became.clone());
    }
    Ok(format!("{:#}\n", Value::from_iter(calls)))
}

impl Recalled {
    /// How it is called on a card.
    pub(super) fn name(&self) -> String {
        self.action.as_ref().map_or_else(|| "a delivery".to_owned(), |action| format!("action {action}"))
    }

    /// What becomes of it now.
    pub(super) async fn make(&self, plugin: &Plugin, call: Call) -> Result<Value, ConformanceError> {
        let mut call = call;
        if let Some(text) = &self.at {
            call.now_ms = Instant::parse(text).map(Instant::epoch_ms).map_err(|_| {
                ConformanceError::Usage(format!("{CALLS}: at = \"{text}\": expected a time, 2026-01-01T00:00:00Z"))
            })?;
        }
        Ok(match (&self.action, &self.delivery) {
            (Some(name), _) => {
                let action = Action {
                    name: name.clone(),
                    idempotency_key: self.key.clone().unwrap_or_else(|| "key-1".to_owned()),
                    attempt: 1,
                    input: self.input.to_string().into_bytes(),
                };
                match plugin.push(call, action).await {
                    Ok(receipt) => json!({
                        "reference": receipt.reference, "detail": receipt.detail, "confirmed": receipt.confirmed,
                    }),
                    Err(error) => failed(&error),
                }
            }
            (None, sent) => {
                let delivery = sent.clone().unwrap_or_default().delivery(call.now_ms);
                match plugin.receive(call, delivery).await {
                    Ok(received) => {
                        let refresh = received.refresh.iter();
                        let refresh: Vec<Value> =
                            refresh.map(|refresh| json!({ "stream": refresh.stream, "only": refresh.only })).collect();
                        let rejects: Vec<&str> = received.rejects.iter().map(|reject| reject.reason.as_str()).collect();
                        json!({
                            "status": received.answer.status,
                            "answer": crate::trial::body_of(&received.answer.body),
                            "id": received.delivery_id, "refresh": refresh, "rejects": rejects,
                            "records": readable(&received.records),
                        })
                    }
                    Err(error) => failed(&error),
                }
            }
        })
    }
}

impl Sent {
    fn delivery(self, now_ms: i64) -> Delivery {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Delivery {
            method: self.method.unwrap_or_else(|| "POST".to_owned()),
            path_and_query: self.query,
            headers: self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect(),
            body: if self.body.is_null() { bytes::Bytes::new() } else { text(&self.body).into() },
            received_at_ms: now_ms,
            window: WINDOW,
            door: Door::Request,
        }
    }
}

/// The kind alone: how it is said may change.
fn failed(error: &CallError) -> Value {
    match error {
        CallError::Failure { kind, .. } => json!({ "failure": kind.name() }),
        other => json!({ "failure": other.to_string() }),
    }
}
