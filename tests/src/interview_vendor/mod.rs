//! An AI interview vendor that serves the interview vendor protocol (docs/interview-vendor-protocol.md), generated.

mod profile;
pub mod send;
pub mod story;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put as put_to};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::people::person;

/// The key that the simulator takes. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-interview-key-81d0b7";

/// What the vendor has: collection, then objects in any order.
#[derive(Debug, Default)]
pub struct State {
    pub collections: BTreeMap<String, Vec<Value>>,
    pub requests: u64,
    /// Answers before anything else: status and body.
    pub faults: Vec<(u16, String)>,
    /// What was ordered, as it came.
    pub orders: Vec<Value>,
    /// Versions of profiles that were published, by position.
    pub profiles: BTreeMap<String, BTreeMap<u64, Value>>,
    /// What adjust instructions change.
    pub model: write::Model,
    /// Answers to writes by their idempotency key.
    written: HashMap<String, (u16, Value)>,
    /// Adjust instructions that were taken.
    taken: usize,
    /// Weights before each adjust instruction.
    undo: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Shared with tests, which change it while it serves.
pub type Vendor = Arc<Mutex<State>>;

/// 2026-03-02T01:00:00Z.
const FROM_MS: i64 = 1_772_413_200_000;

/// The secret that the simulator signs events with. A canary: it must turn up nowhere.
pub const WEBHOOK_SECRET: &str = "whsec_Y2FuYXJ5LWludGVydmlldy13ZWJob29rLTdkMmYxYQ==";

/// Now, as objects tell it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn at(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(FROM_MS + ms).unwrap().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A vendor with `n` candidates: each has an application and an order; two of three were interviewed, one of ten never came.
#[must_use]
pub fn vendor(n: usize) -> Vendor {
    vendor_of(n, |i| format!("app-{i}"))
}

/// The same, where the applications have the ids of the customer who ordered the interviews.
#[must_use]
pub fn vendor_of(n: usize, application: impl Fn(usize) -> String) -> Vendor {
    vendor_for(n, application, |i| 500 + i)
}

/// The same, where the candidates are the customer's: these made-up people.
#[must_use]
pub fn vendor_for(n: usize, application: impl Fn(usize) -> String, who: impl Fn(usize) -> usize) -> Vendor {
    let mut state = State::default();
    for i in 0..n {
        let application = application(i);
        candidate(&mut state, i, who(i), &application);
        if i % 3 != 2 {
            interview(&mut state, i, &application);
        }
    }
    Arc::new(Mutex::new(state))
}

fn put(state: &mut State, collection: &str, object: Value) {
    state.collections.entry(collection.into()).or_default().push(object);
}

/// Four objects share each second, so that a reader by time alone meets ties.
fn modified(i: usize) -> String {
    at(i as i64 / 4 * 1000)
}

fn candidate(state: &mut State, i: usize, who: usize, application: &str) {
    let who = person(who);
    let low = 8 + i % 5;
    put(
        state,
        "candidates",
        json!({ "id": format!("cand-{i}"), "modified_at": modified(i), "name": who.name,
                "email": format!("{}@candidate.example", who.latin), "phone": format!("+86{}", who.mobile),
                "external_id": format!("req-{i}"),
                "expected_pay": { "min": format!("{}000", low), "max": format!("{}000", low + 2), "currency": "CNY", "per": "MONTH" } }),
    );
    let position = ["后端工程师", "销售顾问", "会计", "招聘专员"][i % 4];
    let channel = ["boss", "referral", "campus"][i % 3];
    let stage = if i % 3 == 2 { "invited" } else { "ai_interview" };
    put(
        state,
        "applications",
        json!({ "id": application, "modified_at": modified(i), "candidate_id": format!("cand-{i}"),
                "position": { "id": format!("pos-{}", i % 4), "name": position },
                "status": "active", "stage": stage, "applied_at": at(-86_400_000 + i as i64 * 60_000),
                "channel": channel }),
    );
    let status = if i % 3 == 2 { "invited" } else { "completed" };
    put(
        state,
        "orders",
        json!({ "id": format!("ord-{i}"), "modified_at": modified(i), "application_id": application,
                "package": { "id": "pkg-video", "name": "AI 视频面试" }, "mode": "async_video", "language": "zh-CN",
                "profile_version": 3, "deadline": at(7 * 86_400_000), "invite_by": "vendor",
                "access_url": format!("https://vendor.example/i/{i}"), "status": status }),
    );
}

fn interview(state: &mut State, i: usize, application: &str) {
    let start = i as i64 * 600_000;
    let no_show = i % 10 == 9;
    let id = format!("int-{i}");
    put(
        state,
        "interviews",
        json!({ "id": id, "modified_at": modified(i), "order_id": format!("ord-{i}"), "application_id": application,
                "round": 1, "kind": "ai", "status": if no_show { "no_show" } else { "completed" },
                "start_at": at(start), "end_at": at(start + 1_800_000), "time_zone": "Asia/Shanghai",
                "started_at": (!no_show).then(|| at(start)), "ended_at": (!no_show).then(|| at(start + 900_000)),
                "device": { "camera": true, "microphone": true, "os": "Android 15" },
                "recordings": [{ "uri": format!("https://vendor.example/media/{i}.mp4"), "sha256": format!("{i:064x}"),
                                 "bytes": 1_000_000 + i, "media_type": "video/mp4", "duration_ms": 900_000, "e2e": true }] }),
    );
    node(state, i, application, (0, "invite_sent"), start - 7_200_000);
    if no_show {
        node(state, i, application, (1, "no_show"), start + 600_000);
        return;
    }
    node(state, i, application, (1, "started"), start);
    node(state, i, application, (2, "completed"), start + 900_000);
    for q in 0..3 {
        answer(state, i, q, start + 60_000 + q as i64 * 120_000);
    }
    scores(state, i);
    if i.is_multiple_of(4) {
        put(
            state,
            "environment_events",
            json!({ "id": format!("env-{i}"), "modified_at": modified(i), "interview_id": id, "at": at(start + 100_000),
                    "type": "network_latency", "value": "740", "unit": "ms", "severity": "warning", "remedy": "请切换到有线网络" }),
        );
    }
    let value = 55 + i * 7 % 45;
    put(
        state,
        "results",
        json!({ "id": format!("res-{i}"), "modified_at": modified(i), "interview_id": id,
                "overall": { "value": value.to_string(), "min": "0", "max": "100" },
                "match": { "value": format!("0.{value}"), "min": "0", "max": "1" },
                "recommendation": if value >= 80 { "strong_yes" } else if value >= 65 { "yes" } else { "no" },
                "strengths": [{ "zh-CN": "表达清晰", "en": "Speaks clearly" }],
                "weaknesses": [{ "zh-CN": "案例不够具体", "en": "Examples stay vague" }],
                "suggested_level": "P5", "report": [] }),
    );
}

fn node(state: &mut State, i: usize, application: &str, (seq, node): (usize, &str), ms: i64) {
    put(
        state,
        "process_nodes",
        json!({ "id": format!("node-{i}-{seq}"), "modified_at": modified(i), "interview_id": format!("int-{i}"),
                "application_id": application, "node": node, "at": at(ms), "seq": seq, "clicks": 3,
                "wait_ms": 125_000, "channel": "sms" }),
    );
}

fn answer(state: &mut State, i: usize, q: usize, ms: i64) {
    put(
        state,
        "answers",
        json!({ "id": format!("ans-{i}-{q}"), "modified_at": modified(i), "interview_id": format!("int-{i}"),
                "question": { "id": format!("q-{q}"), "text": { "zh-CN": "请介绍一个你负责的项目", "en": "Describe a project you led" },
                              "kind": "open", "competency_ids": [format!("comp-{q}")], "prep_s": 30, "max_s": 120 },
                "text": "（示例回答）我负责了接口重构。", "shown_at": at(ms), "first_response_at": at(ms + 4_200),
                "submitted_at": at(ms + 95_000),
                "observations": [{ "type": "speech_rate", "value": "182", "min": "0", "max": "400", "at": at(ms + 10_000), "confidence": "0.91" }],
                "prompts": [], "score": { "value": (60 + (i + q) % 40).to_string(), "min": "0", "max": "100" } }),
    );
}

fn scores(state: &mut State, i: usize) {
    for (c, (name, weight)) in [("沟通", "30"), ("专业能力", "45"), ("稳定性", "25")].iter().enumerate() {
        put(
            state,
            "dimension_scores",
            json!({ "id": format!("dim-{i}-{c}"), "modified_at": modified(i), "interview_id": format!("int-{i}"),
                    "competency": { "id": format!("comp-{c}"), "name": { "zh-CN": name } },
                    "score": { "value": format!("{}.5", 60 + (i * 3 + c) % 39), "min": "0", "max": "100" },
                    "weight_percent": weight, "profile_version": 3, "model_version": "2026.02",
                    "explanation": { "zh-CN": "依据回答中的具体事例" },
                    "evidence": [{ "answer_id": format!("ans-{i}-{c}"), "from": 0, "to": 8 }] }),
        );
    }
}

/// The simulator's routes.
pub fn router(vendor: Vendor) -> Router {
    Router::new()
        .route("/v1/orders", get(list_orders).post(write::order))
        .route("/v1/orders/{id}/cancel", post(write::cancel))
        .route("/v1/adjustments", get(list_adjustments).post(write::adjust))
        .route("/v1/adjustments/{id}", get(write::adjustment))
        .route("/v1/adjustments/{id}/revert", post(write::revert))
        .route("/v1/profiles/{position}/versions/{version}", put_to(profile::publish))
        .route("/v1/{collection}", get(list))
        .with_state(vendor)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

fn is_allowed(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) == Some(&format!("Bearer {API_KEY}"))
}

async fn list_orders(vendor: Shared<Vendor>, ask: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    list(vendor, Path("orders".into()), ask, headers).await
}

async fn list_adjustments(vendor: Shared<Vendor>, ask: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    list(vendor, Path("adjustments".into()), ask, headers).await
}

async fn list(
    Shared(vendor): Shared<Vendor>,
    Path(collection): Path<String>,
    Query(ask): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut state = vendor.lock().unwrap();
    if !is_allowed(&headers) {
        return error(StatusCode::UNAUTHORIZED, "unauthorized", "unknown key");
    }
    state.requests += 1;
    if !state.faults.is_empty() {
        let (status, body) = state.faults.remove(0);
        return (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, "application/json")], body)
            .into_response();
    }
    let none = Vec::new();
    let objects = match state.collections.get(&collection) {
        Some(objects) => objects,
        None if collection == "adjustments" => &none,
        None => return error(StatusCode::NOT_FOUND, "unknown_collection", "no such collection"),
    };
    if let Some(ids) = ask.get("ids") {
        let ids: Vec<&str> = ids.split(',').collect();
        let named: Vec<&Value> = objects.iter().filter(|o| ids.contains(&o["id"].as_str().unwrap())).collect();
        return Json(json!({ "data": named, "next_cursor": null, "as_of": at(0) })).into_response();
    }
    let limit: usize = ask.get("limit").and_then(|l| l.parse().ok()).unwrap_or(100);
    if limit == 0 || limit > 500 {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "limit is 1 to 500");
    }
    let since = ask.get("modified_since").map_or(String::new(), |s| s.replace("+00:00", "Z"));
    let key = |o: &Value| (o["modified_at"].as_str().unwrap().to_owned(), o["id"].as_str().unwrap().to_owned());
    let mut sorted: Vec<&Value> = objects.iter().filter(|o| key(o).0 >= since).collect();
    sorted.sort_by_key(|o| key(o));
    let from: usize = match ask.get("cursor").map(|c| c.parse()) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => return error(StatusCode::GONE, "cursor_expired", "begin again"),
    };
    let page: Vec<&Value> = sorted.iter().skip(from).take(limit).copied().collect();
    let next = (from + limit < sorted.len()).then(|| (from + limit).to_string());
    Json(json!({ "data": page, "next_cursor": next, "as_of": at(0) })).into_response()
}
