//! What Hire keeps of hiring elsewhere. An `external_id` makes one object in 24 hours, and is never given back.

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::page::{Query, page};
use super::{State, Tenant, bad_parameter, error, find, now_ms, ok};

/// `GET /hire/v1/external_applications`: of one talent, at most 20 a page.
pub(super) async fn applications(Shared(tenant): Shared<Tenant>, query: Query) -> Response {
    let Some(talent) = query.get("talent_id") else { return bad_parameter("talent_id") };
    let state = tenant.lock().unwrap();
    if find(&state.talents, talent).is_none() {
        return error(StatusCode::BAD_REQUEST, 1_002_102, "人才不存在");
    }
    page(&query, 20, state.external_applications.iter().filter(|a| a["talent_id"] == talent.as_str()))
}

pub(super) async fn add_application(Shared(tenant): Shared<Tenant>, Json(mut new): Json<Value>) -> Response {
    let mut state = tenant.lock().unwrap();
    let talent = new["talent_id"].as_str().unwrap_or_default().to_owned();
    if find(&state.talents, &talent).is_none() {
        return error(StatusCode::BAD_REQUEST, 1_002_102, "人才不存在");
    }
    if !once(&mut state, &mut new) {
        return bad_parameter("external_id");
    }
    new["id"] = json!(state.fresh_id());
    if new["create_time"].is_null() {
        new["create_time"] = json!(now_ms());
    }
    state.external_applications.push(new.clone());
    ok(&json!({ "external_application": new }))
}

/// `POST /hire/v1/external_interviews/batch_query`: by ids, or of one external application; at most 20 a page.
pub(super) async fn interviews(Shared(tenant): Shared<Tenant>, query: Query, Json(ask): Json<Value>) -> Response {
    let state = tenant.lock().unwrap();
    hanging(&query, &ask["external_interview_id_list"], &state.external_interviews)
}

pub(super) async fn background_checks(
    Shared(tenant): Shared<Tenant>,
    query: Query,
    Json(ask): Json<Value>,
) -> Response {
    let state = tenant.lock().unwrap();
    hanging(&query, &ask["external_background_check_id_list"], &state.background_checks)
}

fn hanging(query: &Query, ids: &Value, list: &[Value]) -> Response {
    match (ids.as_array().filter(|ids| !ids.is_empty()), query.get("external_application_id")) {
        (Some(ids), _) if ids.len() > 20 => bad_parameter("id list 0~20"),
        (Some(ids), _) => page(query, 20, list.iter().filter(|object| ids.contains(&object["id"]))),
        (None, Some(application)) => {
            page(query, 20, list.iter().filter(|object| object["external_application_id"] == application.as_str()))
        }
        (None, None) => bad_parameter("external_application_id"),
    }
}

pub(super) async fn add_interview(Shared(tenant): Shared<Tenant>, Json(mut new): Json<Value>) -> Response {
    let mut state = tenant.lock().unwrap();
    let application = new["external_application_id"].as_str().unwrap_or_default().to_owned();
    if find(&state.external_applications, &application).is_none() {
        return bad_parameter("external_application_id");
    }
    if !once(&mut state, &mut new) {
        return bad_parameter("external_id");
    }
    new["id"] = json!(state.fresh_id());
    for index in 0..new["interview_assessments"].as_array().map_or(0, Vec::len) {
        new["interview_assessments"][index]["id"] = json!(state.fresh_id());
    }
    state.external_interviews.push(new.clone());
    ok(&json!({ "external_interview": new }))
}

/// `PUT`: assessments that are left out stay as they are.
pub(super) async fn put_interview(
    Shared(tenant): Shared<Tenant>,
    Path(id): Path<String>,
    Json(change): Json<Value>,
) -> Response {
    let mut state = tenant.lock().unwrap();
    let Some(known) = state.external_interviews.iter_mut().find(|interview| interview["id"] == id.as_str()) else {
        return bad_parameter("external_interview_id");
    };
    merge(known, &change);
    ok(&json!({ "external_interview": known }))
}

pub(super) async fn add_assessment(Shared(tenant): Shared<Tenant>, Json(mut new): Json<Value>) -> Response {
    let mut state = tenant.lock().unwrap();
    new["id"] = json!(state.fresh_id());
    let of = new["external_interview_id"].clone();
    let Some(interview) = state.external_interviews.iter_mut().find(|interview| interview["id"] == of) else {
        return bad_parameter("external_interview_id");
    };
    match interview["interview_assessments"].as_array_mut() {
        Some(list) => list.push(new.clone()),
        None => interview["interview_assessments"] = json!([new]),
    }
    ok(&json!({ "external_interview_assessment": new }))
}

pub(super) async fn patch_assessment(
    Shared(tenant): Shared<Tenant>,
    Path(id): Path<String>,
    Json(change): Json<Value>,
) -> Response {
    let mut state = tenant.lock().unwrap();
    let all = state.external_interviews.iter_mut().filter_map(|i| i["interview_assessments"].as_array_mut()).flatten();
    let Some(known) = all.into_iter().find(|assessment| assessment["id"] == id.as_str()) else {
        return bad_parameter("external_interview_assessment_id");
    };
    merge(known, &change);
    ok(&json!({ "external_interview_assessment": known }))
}

fn merge(known: &mut Value, change: &Value) {
    for (name, value) in change.as_object().into_iter().flatten() {
        known[name] = value.clone();
    }
}

/// Takes the external id out. False: it made something before.
fn once(state: &mut State, new: &mut Value) -> bool {
    let Some(Value::String(id)) = new.as_object_mut().and_then(|new| new.remove("external_id")) else { return true };
    let fresh = !state.made_of.contains(&id);
    state.made_of.push(id);
    fresh
}
