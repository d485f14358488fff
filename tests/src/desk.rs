//! A system that takes notes: it keeps what arrived in its order, and fails now and then.
//!
//! `POST /notes` with an `idempotency-key` → `{"id": "…"}`. A note is kept before it may be answered with a failure, as with a
//! vendor whose answer is lost.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// What arrived.
#[derive(Debug, Default)]
pub struct Desk {
    /// (idempotency key, note), in the order of arrival.
    pub notes: Vec<(String, Value)>,
    /// Every so many requests one is answered with 503 though its note was taken; 0: never.
    pub lose_every: usize,
    requests: usize,
}

/// Shared with tests.
pub type Notes = Arc<Mutex<Desk>>;

/// The simulator's routes.
pub fn router(desk: Notes) -> Router {
    Router::new().route("/notes", post(put)).with_state(desk)
}

async fn put(State(desk): State<Notes>, headers: HeaderMap, body: String) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let Ok(note) = serde_json::from_str::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let mut desk = desk.lock().unwrap();
    desk.requests += 1;
    let id = format!("note-{}", note["id"].as_str().unwrap_or_default());
    desk.notes.push((key, note));
    if desk.lose_every > 0 && desk.requests.is_multiple_of(desk.lose_every) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    axum::Json(json!({ "id": id })).into_response()
}
