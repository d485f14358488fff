//! Messages of the bot, and the doors that are not the vendor's: faults, moves and events on demand.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Query;
use super::{Fault, Sending, Tenant, error, event, inject, move_application, now_ms, ok, old_event, send};

/// `POST /im/v1/messages`: the same `uuid` gives the same message again.
pub(super) async fn message(State(tenant): State<Tenant>, query: Query, Json(new): Json<Value>) -> Response {
    let known_type = query
        .get("receive_id_type")
        .is_some_and(|kind| ["open_id", "union_id", "user_id", "email", "chat_id"].contains(&kind.as_str()));
    let content = new["content"].as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok());
    let short = new["uuid"].as_str().is_none_or(|uuid| uuid.chars().count() <= 50);
    if !known_type || !content || !short || new["receive_id"].as_str().is_none_or(str::is_empty) {
        return error(StatusCode::BAD_REQUEST, 230_001, "Your request contains an invalid request parameter.");
    }
    let mut state = tenant.lock().unwrap();
    let known = state.messages.iter().find(|message| !new["uuid"].is_null() && message["uuid"] == new["uuid"]);
    if let Some(known) = known {
        return ok(&json!({ "message_id": known["message_id"] }));
    }
    let mut message = new;
    message["message_id"] = json!(format!("om_{}", state.fresh_id()));
    message["receive_id_type"] = json!(query.get("receive_id_type"));
    message["create_time"] = json!(now_ms().to_string());
    state.messages.push(message.clone());
    ok(&json!({ "message_id": message["message_id"], "create_time": message["create_time"] }))
}

/// `GET /sim/messages`: what the bot sent.
pub(super) async fn messages(State(tenant): State<Tenant>) -> Json<Value> {
    Json(json!(tenant.lock().unwrap().messages))
}

#[derive(Deserialize)]
pub(super) struct Misbehave {
    fault: Fault,
    #[serde(default = "one")]
    times: usize,
}

fn one() -> usize {
    1
}

/// `POST /sim/faults`.
pub(super) async fn fault(State(tenant): State<Tenant>, Json(misbehave): Json<Misbehave>) -> StatusCode {
    for _ in 0..misbehave.times.min(1_000) {
        inject(&tenant, misbehave.fault);
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct Move {
    stage_id: String,
}

/// `PUT /sim/applications/:id/stage`: someone moves an application.
pub(super) async fn move_stage(State(tenant): State<Tenant>, Path(id): Path<String>, Json(to): Json<Move>) -> Response {
    match move_application(&tenant, &id, &to.stage_id) {
        true => StatusCode::NO_CONTENT.into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct NewEvent {
    /// The URL that it is sent to.
    url: String,
    /// `hire.application.stage_changed_v1`; absent asks the question about the address.
    kind: Option<String>,
    #[serde(default)]
    event_id: Option<String>,
    /// An event of version 1.0.
    #[serde(default)]
    old: bool,
    #[serde(default)]
    about: Value,
    #[serde(default)]
    sending: Sending,
}

/// `POST /sim/events`: sends an event, and tells how it was answered.
pub(super) async fn send_event(State(tenant): State<Tenant>, Json(new): Json<NewEvent>) -> Response {
    let id = new.event_id.unwrap_or_else(|| tenant.lock().unwrap().fresh_id());
    let plain = match new.kind {
        Some(kind) if new.old => old_event(&id, &kind, &new.about),
        Some(kind) => event(&id, &kind, &new.about),
        None => json!({ "challenge": id, "token": super::VERIFICATION_TOKEN, "type": "url_verification" }),
    };
    match send(&new.url, &plain, &new.sending).await {
        Ok((status, body)) => Json(json!({ "event_id": id, "status": status, "body": body })).into_response(),
        Err(failed) => (StatusCode::BAD_GATEWAY, failed.to_string()).into_response(),
    }
}
