//! What the vendor takes: orders and adjust instructions, each once for its idempotency key.

#![allow(clippy::result_large_err, reason = "the refusal is an answer, made once")]

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{State, Vendor, error, is_allowed, now, profile, put};

/// The model that adjust instructions change: version, and weights in basis points.
#[derive(Debug)]
pub struct Model {
    pub version: u64,
    pub weights: std::collections::BTreeMap<String, u64>,
}

impl Default for Model {
    fn default() -> Self {
        let weights = [("comp-0", 3_000), ("comp-1", 4_500), ("comp-2", 2_500)];
        Self { version: 3, weights: weights.map(|(id, bp)| (id.to_owned(), bp)).into() }
    }
}

/// Does a write, or answers as the first time. A refusal is not remembered: nothing was done.
pub(super) fn once(
    vendor: &Vendor,
    headers: &HeaderMap,
    write: impl FnOnce(&mut State) -> Result<(StatusCode, Value), Response>,
) -> Response {
    let mut state = vendor.lock().unwrap();
    if !is_allowed(headers) {
        return error(StatusCode::UNAUTHORIZED, "unauthorized", "unknown key");
    }
    if !state.faults.is_empty() {
        let (status, body) = state.faults.remove(0);
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned) else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "a write needs its Idempotency-Key");
    };
    if let Some((status, body)) = state.written.get(&key) {
        return (StatusCode::from_u16(*status).unwrap(), Json(body.clone())).into_response();
    }
    match write(&mut state) {
        Err(refused) => refused,
        Ok((status, body)) => {
            state.written.insert(key, (status.as_u16(), body.clone()));
            (status, Json(body)).into_response()
        }
    }
}

pub(super) async fn order(Shared(vendor): Shared<Vendor>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    once(&vendor, &headers, |state| {
        for needed in ["external_id", "candidate", "package", "mode"] {
            if asked.get(needed).is_none() {
                return Err(error(StatusCode::UNPROCESSABLE_ENTITY, "missing_member", needed));
            }
        }
        let known = state.orders.iter().position(|order| order["external_id"] == asked["external_id"]);
        let number = known.unwrap_or(state.orders.len());
        let id = format!("ord-x{number}");
        if known.is_none() {
            let application = asked.get("application_id").unwrap_or(&asked["external_id"]).clone();
            let version = profile::version_for(state, &asked);
            put(
                state,
                "orders",
                json!({ "id": id, "modified_at": now(), "application_id": application,
                        "package": { "id": asked["package"], "name": asked["package"] }, "mode": asked["mode"],
                        "language": asked["language"], "profile_version": version,
                        "start_at": asked["start_at"], "end_at": asked["end_at"], "deadline": asked["deadline"], "invite_by": "vendor", "status": "requested" }),
            );
            state.orders.push(asked.clone());
        }
        Ok((StatusCode::CREATED, json!({ "id": id, "status": "requested" })))
    })
}

pub(super) async fn cancel(Shared(vendor): Shared<Vendor>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    once(&vendor, &headers, |state| {
        let Some(order) = object(state, "orders", &id) else {
            return Err(error(StatusCode::NOT_FOUND, "unknown_order", "no such order"));
        };
        if order["status"] == "completed" {
            return Err(error(StatusCode::CONFLICT, "already_ended", "the interview is over"));
        }
        order["status"] = json!("cancelled");
        order["modified_at"] = json!(now());
        Ok((StatusCode::OK, json!({ "id": id, "status": "cancelled" })))
    })
}

pub(super) async fn adjust(Shared(vendor): Shared<Vendor>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    once(&vendor, &headers, |state| {
        let conflict = |code, what| Err(error(StatusCode::CONFLICT, code, what));
        if asked["expected_version"] != json!(state.model.version) {
            return conflict("version_conflict", "the model has another version");
        }
        let ops = asked["ops"].as_array().cloned().unwrap_or_default();
        // All compared before any is set.
        for op in ops.iter().filter(|op| op["op"] == "set_weight") {
            let has = state.model.weights.get(op["competency_id"].as_str().unwrap_or_default()).copied();
            if has.is_none() || has != op["from_bp"].as_u64() {
                return conflict("weight_conflict", "the weight is another one");
            }
        }
        let before = state.model.weights.clone();
        for op in ops.iter().filter(|op| op["op"] == "set_weight") {
            let competency = op["competency_id"].as_str().unwrap_or_default().to_owned();
            state.model.weights.insert(competency, op["to_bp"].as_u64().unwrap_or_default());
        }
        state.model.version += 1;
        let version = state.model.version;
        let id = format!("adj-{}", state.taken);
        state.taken += 1;
        state.undo.insert(id.clone(), before);
        put(
            state,
            "adjustments",
            json!({ "id": id, "modified_at": now(), "position_id": asked["position_id"],
                    "expected_version": asked["expected_version"], "ops": ops, "status": "applied", "version": version, "receipt": format!("rcpt-{id}") }),
        );
        // Accepted now, applied by the time that someone asks.
        Ok((StatusCode::ACCEPTED, json!({ "id": id, "status": "accepted" })))
    })
}

pub(super) async fn revert(
    Shared(vendor): Shared<Vendor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    once(&vendor, &headers, |state| {
        if asked["expected_version"] != json!(state.model.version) {
            return Err(error(StatusCode::CONFLICT, "version_conflict", "the model has another version"));
        }
        let Some(before) = state.undo.remove(&id) else {
            return Err(error(StatusCode::NOT_FOUND, "unknown_adjustment", "no such adjustment, or taken back before"));
        };
        state.model.weights = before;
        state.model.version += 1;
        let version = state.model.version;
        if let Some(adjustment) = object(state, "adjustments", &id) {
            adjustment["status"] = json!("reverted");
            adjustment["version"] = json!(version);
            adjustment["modified_at"] = json!(now());
        }
        Ok((StatusCode::OK, json!({ "id": id, "status": "reverted", "version": version })))
    })
}

pub(super) async fn adjustment(Shared(vendor): Shared<Vendor>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let mut state = vendor.lock().unwrap();
    if !is_allowed(&headers) {
        return error(StatusCode::UNAUTHORIZED, "unauthorized", "unknown key");
    }
    match object(&mut state, "adjustments", &id) {
        Some(found) => {
            Json(json!({ "id": id, "status": found["status"], "version": found["version"] })).into_response()
        }
        None => error(StatusCode::NOT_FOUND, "unknown_adjustment", "no such adjustment"),
    }
}

/// One object of a collection, to change.
fn object<'a>(state: &'a mut State, collection: &str, id: &str) -> Option<&'a mut Value> {
    state.collections.get_mut(collection)?.iter_mut().find(|object| object["id"] == id)
}
