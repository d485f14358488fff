//! Versions of position profiles: published once, never changed, and what orders go by.

#![allow(clippy::result_large_err, reason = "the refusal is an answer, made once")]

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::write::once;
use super::{State, Vendor, error};

/// `PUT /profiles/:position/versions/:version`.
pub(super) async fn publish(
    Shared(vendor): Shared<Vendor>,
    Path((position, version)): Path<(String, u64)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    once(&vendor, &headers, |state| {
        let weighs = |one: &Value| one["weight_bp"].as_u64().is_some_and(|bp| bp <= 10_000) && one["id"].is_string();
        if !body["competencies"].as_array().is_some_and(|all| all.iter().all(weighs)) {
            return Err(error(StatusCode::UNPROCESSABLE_ENTITY, "bad_profile", "competencies with an id and a weight"));
        }
        let versions = state.profiles.entry(position.clone()).or_default();
        let answer = json!({ "id": format!("{position}/{version}"), "version": version });
        if let Some(known) = versions.get(&version) {
            return match *known == body {
                true => Ok((StatusCode::OK, answer)),
                false => {
                    Err(error(StatusCode::CONFLICT, "version_conflict", "this version is published and stays as it is"))
                }
            };
        }
        if versions.last_key_value().is_some_and(|(newest, _)| version != newest + 1) {
            return Err(error(
                StatusCode::CONFLICT,
                "version_conflict",
                "the next version is one more than the newest",
            ));
        }
        versions.insert(version, body);
        Ok((StatusCode::CREATED, answer))
    })
}

/// The version that an order is scored against: the one that it names, or the newest of its position.
pub(super) fn version_for(state: &State, order: &Value) -> Value {
    if !order["profile"]["version"].is_null() {
        return order["profile"]["version"].clone();
    }
    let position = order["position"]["id"].as_str().unwrap_or_default();
    let newest = state.profiles.get(position).and_then(|versions| versions.last_key_value());
    newest.map_or(Value::Null, |(version, _)| json!(version))
}
