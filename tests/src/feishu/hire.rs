//! Hire: lists by page tokens and by when they changed, objects by id, notes.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Query, page, since};
use super::{Tenant, bad_parameter, error, find, ms, now_ms, ok};

/// `GET /hire/v1/jobs`: at most 20 a page.
pub(super) async fn jobs(State(tenant): State<Tenant>, query: Query) -> Response {
    let Some(since) = since(&query) else { return bad_parameter("update_start_time") };
    let state = tenant.lock().unwrap();
    page(&query, 20, state.jobs.iter().filter(|job| ms(&job["update_timestamp"]) >= since))
}

pub(super) async fn job(State(tenant): State<Tenant>, Path(id): Path<String>) -> Response {
    match find(&tenant.lock().unwrap().jobs, &id) {
        Some(job) => ok(&json!({ "job": job })),
        None => bad_parameter("job_id"),
    }
}

/// `GET /hire/v1/talents`: at most 20 a page, newest first; nothing is an error unless that is waived.
pub(super) async fn talents(State(tenant): State<Tenant>, query: Query) -> Response {
    let Some(since) = since(&query) else { return bad_parameter("update_start_time") };
    let state = tenant.lock().unwrap();
    let changed = |talent: &Value| ms(&talent["basic_info"]["modify_time"]);
    let mut found: Vec<&Value> = state.talents.iter().filter(|talent| changed(talent) >= since).collect();
    if found.is_empty() && query.get("query_option").is_none_or(|option| option != "ignore_empty_error") {
        return error(StatusCode::NOT_FOUND, 1_002_102, "Talent not found");
    }
    if query.get("sort_by").is_none_or(|by| by == "1") {
        found.sort_by_key(|talent| std::cmp::Reverse(changed(talent)));
    }
    page(&query, 20, found.into_iter())
}

pub(super) async fn talent(State(tenant): State<Tenant>, Path(id): Path<String>) -> Response {
    match find(&tenant.lock().unwrap().talents, &id) {
        Some(talent) => ok(&json!({ "talent": talent })),
        None => error(StatusCode::NOT_FOUND, 1_002_102, "Talent not found"),
    }
}

/// `GET /hire/v1/applications`: ids alone, at most 200 a page.
pub(super) async fn applications(State(tenant): State<Tenant>, query: Query) -> Response {
    let Some(since) = since(&query) else { return bad_parameter("update_start_time") };
    let state = tenant.lock().unwrap();
    let found = state.applications.iter().filter(|application| ms(&application["modify_time"]) >= since);
    page(&query, 200, found.map(|application| &application["id"]))
}

pub(super) async fn application(State(tenant): State<Tenant>, Path(id): Path<String>) -> Response {
    match find(&tenant.lock().unwrap().applications, &id) {
        Some(application) => ok(&json!({ "application": application })),
        None => error(StatusCode::INTERNAL_SERVER_ERROR, 1_002_054, "application not exist"),
    }
}

/// `GET /hire/v1/applications/:id/offer`: without an offer the answer has none.
pub(super) async fn offer_of(State(tenant): State<Tenant>, Path(id): Path<String>) -> Response {
    let state = tenant.lock().unwrap();
    match state.offers.iter().find(|offer| offer["application_id"] == id.as_str()) {
        Some(offer) => ok(&json!({ "offer": offer })),
        None => ok(&json!({})),
    }
}

pub(super) async fn offer(State(tenant): State<Tenant>, Path(id): Path<String>) -> Response {
    match find(&tenant.lock().unwrap().offers, &id) {
        Some(offer) => ok(&json!({ "offer": offer })),
        None => error(StatusCode::INTERNAL_SERVER_ERROR, 1_002_064, "offer not exist"),
    }
}

/// `GET /hire/v1/interviews`: one of four conditions must be given.
pub(super) async fn interviews(State(tenant): State<Tenant>, query: Query) -> Response {
    let start = query.get("start_time").map(|text| text.parse::<i64>());
    if matches!(start, Some(Err(_) | Ok(..=0))) {
        return bad_parameter("start_time");
    }
    if !["application_id", "interview_id", "start_time", "end_time"].iter().any(|name| query.contains_key(*name)) {
        return bad_parameter("application_id, interview_id, start_time, end_time");
    }
    let start = start.and_then(Result::ok).unwrap_or_default();
    let state = tenant.lock().unwrap();
    let fits = |interview: &&Value| {
        let is = |name: &str, member: &str| query.get(name).is_none_or(|wanted| interview[member] == wanted.as_str());
        is("interview_id", "id") && is("application_id", "application_id") && ms(&interview["begin_time"]) >= start
    };
    page(&query, 100, state.interviews.iter().filter(fits))
}

/// `GET /hire/v2/interview_records?ids=&ids=`: at most 100, no pages.
pub(super) async fn evaluations(State(tenant): State<Tenant>, uri: axum::http::Uri) -> Response {
    let ids: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("ids=")).collect();
    if ids.is_empty() || ids.len() > 100 {
        return bad_parameter("ids 1~100");
    }
    let state = tenant.lock().unwrap();
    let found: Vec<&Value> = state.evaluations.iter().filter(|form| ids.iter().any(|id| form["id"] == *id)).collect();
    ok(&json!({ "items": found, "has_more": false }))
}

/// `GET /hire/v1/notes`: of one talent.
pub(super) async fn notes(State(tenant): State<Tenant>, query: Query) -> Response {
    let Some(talent) = query.get("talent_id") else { return bad_parameter("talent_id") };
    let state = tenant.lock().unwrap();
    page(&query, 200, state.notes.iter().filter(|note| note["talent_id"] == talent.as_str()))
}

#[derive(Deserialize)]
pub(super) struct NewNote {
    talent_id: String,
    application_id: Option<String>,
    content: String,
    #[serde(default = "public")]
    privacy: i64,
}

fn public() -> i64 {
    2
}

pub(super) async fn add_note(State(tenant): State<Tenant>, Json(new): Json<NewNote>) -> Response {
    let mut state = tenant.lock().unwrap();
    if find(&state.talents, &new.talent_id).is_none() || !(1..=2).contains(&new.privacy) {
        return bad_parameter("talent_id, privacy");
    }
    let note = json!({
        "id": state.fresh_id(), "talent_id": new.talent_id, "application_id": new.application_id,
        "content": new.content, "is_private": new.privacy == 1, "create_time": now_ms(), "modify_time": now_ms(),
    });
    state.notes.push(note.clone());
    ok(&json!({ "note": note }))
}
