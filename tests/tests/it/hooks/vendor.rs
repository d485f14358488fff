//! The made-up vendor: signs its events by Standard Webhooks, and lets employees be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// Made up for these tests.
pub(crate) const SECRET: &str = "whsec_bWFkZSB1cCBmb3IgdGhlc2UgdGVzdHMgYWxvbmUh";

/// Employees as they are read: id to name and time.
pub(crate) type Employees = Arc<Mutex<BTreeMap<String, (String, i64)>>>;

pub(crate) fn router(employees: Employees) -> Router {
    Router::new().route("/employees", get(list)).with_state(employees)
}

async fn list(State(employees): State<Employees>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let employees = employees.lock().unwrap();
    let asked = query.get("ids").map(|ids| ids.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default();
    let row = |id: &String| employees.get(id).map(|(name, at_ms)| json!({ "id": id, "name": name, "at_ms": at_ms }));
    Json(asked.iter().filter_map(row).collect())
}

/// A delivery on its way.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) seconds: i64,
    pub(crate) signature: String,
}

impl Sent {
    /// Signed now.
    pub(crate) fn new(id: &str, event: &Value) -> Self {
        Self::at(id, event, now_s())
    }

    pub(crate) fn at(id: &str, event: &Value, seconds: i64) -> Self {
        Self::text(id, &event.to_string(), seconds)
    }

    /// Any text, signed as an event is.
    pub(crate) fn text(id: &str, body: &str, seconds: i64) -> Self {
        Self::sign(SECRET, id, body, seconds)
    }

    /// Signed now, with another secret.
    pub(crate) fn signed_with(secret: &str, id: &str, event: &Value) -> Self {
        Self::sign(secret, id, &event.to_string(), now_s())
    }

    fn sign(secret: &str, id: &str, body: &str, seconds: i64) -> Self {
        let body = body.to_owned();
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        Self { id: id.to_owned(), body, seconds, signature }
    }

    /// With the signature of someone who does not know the key.
    pub(crate) fn forged(mut self) -> Self {
        self.signature = format!("v1,{}", STANDARD.encode([7; 32]));
        self
    }

    pub(crate) fn request(&self, client: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
        client
            .post(format!("{url}/hooks/events"))
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", self.seconds)
            .header("webhook-signature", &self.signature)
            .body(self.body.clone())
    }
}

pub(crate) fn updated(id: &str, name: &str, at_ms: i64) -> Value {
    json!({ "type": "employee.updated", "data": { "id": id, "name": name, "at_ms": at_ms } })
}

pub(crate) fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
