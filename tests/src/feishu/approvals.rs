//! Approvals: started by the app, decided by people, told by an event of version 1.0.
//!
//! Contract: pages 创建审批实例, 获取单个审批实例详情, 批量获取审批实例 ID, 审批实例状态变更 of 2025.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::page::Query;
use super::{Tenant, error, events, now_ms, ok};

/// The one form that there is.
pub const FORM: &str = "7C468A54-8745-2245-9675-08B7C63E7A85";
/// The field of it that says what an approval is about.
pub const FIELD: &str = "widget-about";

fn refused(what: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_390_001, &format!("param is invalid: {what}"))
}

/// `POST /approval/v4/instances`: a `uuid` makes one approval.
pub(super) async fn start(State(tenant): State<Tenant>, Json(ask): Json<Value>) -> Response {
    let mut state = tenant.lock().unwrap();
    if ask["approval_code"] != FORM {
        return error(StatusCode::BAD_REQUEST, 1_390_002, "approval code not found");
    }
    let known = ["approval_code", "user_id", "open_id", "department_id", "form", "node_approver_open_id_list", "uuid"];
    if let Some((name, _)) = ask.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str())) {
        return refused(name);
    }
    let form: Option<Vec<Value>> = ask["form"].as_str().and_then(|form| serde_json::from_str(form).ok());
    let Some(form) = form.filter(|form| form.iter().all(|one| one["id"].is_string() && one["type"].is_string())) else {
        return refused("form");
    };
    if ask["open_id"].as_str().is_none_or(|id| !id.starts_with("ou_")) {
        return error(StatusCode::BAD_REQUEST, 1_390_004, "user_id or open_id not found");
    }
    let uuid = ask["uuid"].as_str().unwrap_or_default().to_uppercase();
    if uuid.len() > 64 {
        return refused("uuid");
    }
    if !uuid.is_empty() && state.approvals.iter().any(|one| one["uuid"] == uuid) {
        return error(StatusCode::BAD_REQUEST, 60_012, "uuid is conflict");
    }
    let code = format!("SIM0000-{:04}", state.approvals.len() + 1);
    state.approvals.push(json!({
        "instance_code": code, "approval_code": FORM, "open_id": ask["open_id"], "uuid": uuid, "status": "PENDING", "reverted": false,
        "start_time": now_ms().to_string(), "end_time": "0", "form": Value::Array(form).to_string(), "task_list": [], "timeline": [],
    }));
    if std::mem::take(&mut state.lose_next_approval) {
        return error(StatusCode::BAD_GATEWAY, 1_395_001, "There have been some errors. Please try again later");
    }
    ok(&json!({ "instance_code": code }))
}

/// `GET /approval/v4/instances/:code`.
pub(super) async fn detail(State(tenant): State<Tenant>, Path(code): Path<String>) -> Response {
    let state = tenant.lock().unwrap();
    match state.approvals.iter().find(|one| one["instance_code"] == code) {
        Some(found) => ok(found),
        None => error(StatusCode::BAD_REQUEST, 1_390_003, "instance code not found"),
    }
}

/// `GET /approval/v4/instances`: at most ten hours and 100 codes.
pub(super) async fn find(State(tenant): State<Tenant>, query: Query) -> Response {
    let state = tenant.lock().unwrap();
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
    if query.get("approval_code").map(String::as_str) != Some(FORM) {
        return error(StatusCode::BAD_REQUEST, 1_390_002, "approval code not found");
    }
    let (Some(from), Some(to)) = (number("start_time"), number("end_time")) else { return refused("start_time") };
    let size = number("page_size").unwrap_or(100);
    if to - from > 10 * 3_600_000 || !(1..=100).contains(&size) {
        return refused("start_time, end_time: 10 hours; page_size: 100");
    }
    let skip = query.get("page_token").and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
    let started = |one: &&Value| (from..=to).contains(&super::ms(&one["start_time"]));
    let codes: Vec<&Value> = state.approvals.iter().filter(started).map(|one| &one["instance_code"]).collect();
    let page: Vec<&Value> = codes.iter().skip(skip).take(size as usize).copied().collect();
    let more = skip + page.len() < codes.len();
    let mut data = json!({ "instance_code_list": page, "has_more": more });
    if more {
        data["page_token"] = json!((skip + page.len()).to_string());
    }
    ok(&data)
}

/// People decide: `APPROVED`, `REJECTED` or `CANCELED`. Gives the event that the vendor sends.
///
/// # Panics
/// The approval is not known.
#[must_use]
pub fn decide(tenant: &Tenant, code: &str, status: &str) -> Value {
    let mut state = tenant.lock().unwrap();
    let one = state.approvals.iter_mut().find(|one| one["instance_code"] == code).unwrap();
    one["status"] = json!(status);
    one["end_time"] = json!(now_ms().to_string());
    let about = json!({ "approval_code": FORM, "instance_code": code, "status": status, "operate_time": one["end_time"], "uuid": one["uuid"] });
    events::old_event(&format!("event-{code}-{status}"), "approval_instance", &about)
}
