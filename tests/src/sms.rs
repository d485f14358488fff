//! A provider of text messages: takes them, and says later that they arrived.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The key that the simulator takes. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-sms-key-5b1f0e";

/// What was sent, as it came.
pub type Provider = Arc<Mutex<Vec<Value>>>;

/// The simulator's routes.
pub fn router(provider: Provider) -> Router {
    Router::new().route("/v1/messages", post(take)).route("/v1/messages/{id}", get(tell)).with_state(provider)
}

fn is_allowed(headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key == API_KEY)
}

async fn take(Shared(provider): Shared<Provider>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    if !is_allowed(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let fits = ["to", "text", "id"].iter().all(|member| message[member].as_str().is_some_and(|text| !text.is_empty()));
    if !fits || !message["to"].as_str().is_some_and(|to| to.starts_with('+')) {
        return Json(json!({ "code": "2003", "message": "no such number" })).into_response();
    }
    let mut sent = provider.lock().unwrap();
    let id = message["id"].clone();
    // The same one again is the same message.
    if !sent.iter().any(|known| known["id"] == id) {
        sent.push(message);
    }
    Json(json!({ "code": "0", "data": { "id": id } })).into_response()
}

async fn tell(Shared(provider): Shared<Provider>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !is_allowed(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let known = provider.lock().unwrap().iter().any(|message| message["id"] == id.as_str());
    Json(json!({ "status": if known { "DELIVERED" } else { "FAILED" } })).into_response()
}
