//! Approvals: started by the app, decided by people, told by an event.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Company, events};

/// The one form that there is.
pub const PROCESS: &str = "PROC-SIM-1";

/// One approval.
#[derive(Debug, Clone)]
pub struct Approval {
    pub id: String,
    pub originator: String,
    pub form: Vec<Value>,
    pub approvers: Value,
    pub started_ms: i64,
    /// When and how it ended: `agree`, `refuse`, or taken back.
    pub ended: Option<(i64, Option<&'static str>)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    process_code: String,
    originator_user_id: String,
    #[serde(default)]
    dept_id: Option<i64>,
    #[serde(default)]
    approvers: Value,
    form_component_values: Vec<Value>,
}

/// `POST /v1.0/workflow/processInstances`.
pub(super) async fn start(State(company): State<Company>, Json(ask): Json<Start>) -> Response {
    let mut state = company.lock().unwrap();
    if ask.process_code != PROCESS {
        return refuse("processCodeError");
    }
    let known = state.users.iter().any(|user| user.userid == ask.originator_user_id);
    if !known || (ask.approvers.is_null() && ask.dept_id.is_none()) {
        return refuse("processInstanceInvalidParameter");
    }
    if ask.form_component_values.iter().any(|field| !field["name"].is_string() || !field["value"].is_string()) {
        return refuse("formConverterError");
    }
    let id = format!("sim-approval_{:04}", state.approvals.len() + 1);
    state.approvals.push(Approval {
        id: id.clone(),
        originator: ask.originator_user_id,
        form: ask.form_component_values,
        approvers: ask.approvers,
        started_ms: jiff::Timestamp::now().as_millisecond(),
        ended: None,
    });
    Json(json!({ "instanceId": id })).into_response()
}

/// `GET /v1.0/workflow/processInstances?processInstanceId=`.
pub(super) async fn detail(State(company): State<Company>, Query(ask): Query<HashMap<String, String>>) -> Response {
    let state = company.lock().unwrap();
    let id = ask.get("processInstanceId").cloned().unwrap_or_default();
    let Some(found) = state.approvals.iter().find(|approval| approval.id == id) else {
        return refuse("processInstanceNotExist");
    };
    let (status, result) = match found.ended {
        None => ("RUNNING", ""),
        Some((_, None)) => ("TERMINATED", ""),
        Some((_, Some(result))) => ("COMPLETED", result),
    };
    let mut body = json!({
        "title": "x", "originatorUserId": found.originator, "originatorDeptId": "-1", "status": status, "result": result,
        "businessId": "1", "operationRecords": [], "tasks": [], "bizAction": "NONE", "formComponentValues": found.form,
        "createTime": minute(found.started_ms),
    });
    if let Some((at_ms, _)) = found.ended {
        body["finishTime"] = json!(minute(at_ms));
    }
    Json(json!({ "result": body, "success": "true" })).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Find {
    process_code: String,
    start_time: i64,
    next_token: usize,
    max_results: usize,
    #[serde(default)]
    user_ids: Vec<String>,
}

/// `POST /v1.0/workflow/processes/instanceIds/query`: at most 20 a page, at most 120 days back.
pub(super) async fn find(State(company): State<Company>, Json(ask): Json<Find>) -> Response {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    if ask.max_results == 0 || ask.max_results > 20 {
        return refuse("invalidMaxResults");
    }
    if now_ms - ask.start_time > 120 * 86_400_000 + 60_000 {
        return refuse("invalidEndTime");
    }
    let state = company.lock().unwrap();
    let fits = |approval: &&Approval| {
        ask.process_code == PROCESS
            && approval.started_ms >= ask.start_time
            && (ask.user_ids.is_empty() || ask.user_ids.contains(&approval.originator))
    };
    let ids: Vec<&str> = state.approvals.iter().filter(fits).map(|approval| approval.id.as_str()).collect();
    let page: Vec<&str> = ids.iter().skip(ask.next_token).take(ask.max_results).copied().collect();
    let next = ask.next_token + ask.max_results;
    let mut result = json!({ "list": page });
    if next < ids.len() {
        result["nextToken"] = json!(next.to_string());
    }
    Json(json!({ "result": result, "success": true })).into_response()
}

/// People decide: `agree`, `refuse`, or nothing for one that is taken back. The event says so.
pub fn decide(company: &Company, id: &str, result: Option<&'static str>) -> String {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let (originator, started_ms) = {
        let mut state = company.lock().unwrap();
        let approval = state.approvals.iter_mut().find(|approval| approval.id == id).unwrap();
        approval.ended = Some((now_ms, result));
        (approval.originator.clone(), approval.started_ms)
    };
    let kind = if result.is_some() { "finish" } else { "terminate" };
    let data = json!({
        "processInstanceId": id, "processCode": PROCESS, "type": kind, "result": result.unwrap_or_default(), "title": "x",
        "createTime": started_ms, "finishTime": now_ms, "staffId": originator, "businessId": "1",
    });
    events::happen(company, "bpms_instance_change", data)
}

/// The vendor writes times to the minute.
fn minute(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%dT%H:%MZ").to_string()
}

fn refuse(code: &str) -> Response {
    let body = json!({ "code": code, "message": "x", "requestid": "sim" });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
