//! The way of applications in Hire: processes with their stages, moving, ending, and the reasons for an end. Refused is what the vendor
//! refuses: pages "转移投递阶段", "终止投递", "获取终止投递原因"; the codes 1002201 to 1002205 are those of an integrator's list.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Query, page};
use super::{Tenant, bad_parameter, error, find, made_up, now_ms, ok};

/// `type` of the stage of those who joined.
const JOINED: i64 = 7;

/// `GET /hire/v1/job_processes`.
pub(super) async fn processes(query: Query) -> Response {
    let all = [made_up::process(), made_up::campus()];
    page(&query, 100, all.iter())
}

/// `GET /hire/v1/termination_reasons`: at most 200 a page.
pub(super) async fn termination_reasons(query: Query) -> Response {
    let all: Vec<Value> = made_up::REASONS
        .iter()
        .map(|(id, zh, en, kind)| {
            json!({ "id": id, "name": { "zh_cn": zh, "en_us": en }, "termination_type": kind, "active_status": 1 })
        })
        .collect();
    page(&query, 200, all.iter())
}

#[derive(Deserialize)]
pub(super) struct Transfer {
    stage_id: Option<String>,
}

fn stuck(why: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_002_205, &format!("Transfer stage failed: {why}"))
}

fn gone() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, 1_002_054, "application not exist")
}

/// `POST /hire/v1/applications/:id/transfer_stage`. It moves to any stage of the process, also back, also again: the vendor compares
/// nothing.
pub(super) async fn transfer_stage(
    State(tenant): State<Tenant>,
    Path(id): Path<String>,
    Json(to): Json<Transfer>,
) -> Response {
    let mut state = tenant.lock().unwrap();
    let Some(application) = find(&state.applications, &id).cloned() else { return gone() };
    let Some(stage_id) = to.stage_id else { return bad_parameter("stage_id") };
    let process = [made_up::process(), made_up::campus()].into_iter().find(|process| {
        process["stage_list"].as_array().unwrap().iter().any(|stage| stage["id"] == application["stage"]["id"])
    });
    let stages = process.map(|process| process["stage_list"].clone()).unwrap_or_default();
    let Some(stage) = stages.as_array().and_then(|all| find(all, &stage_id)) else { return bad_parameter("stage_id") };
    if application["active_status"] != 1 {
        return stuck("投递已终止");
    }
    if state.locked.contains(&id) {
        return stuck("候选人被锁定在其它投递");
    }
    if stage["type"] == JOINED || application["stage"]["type"] == JOINED {
        return stuck("已入职");
    }
    let moved = made_up::move_application(&mut state, &id, &stage_id, now_ms());
    state.moves.push(("transfer_stage".into(), id));
    if moved { ok(&json!({})) } else { bad_parameter("stage_id") }
}

#[derive(Deserialize)]
pub(super) struct Terminate {
    termination_type: i64,
    #[serde(default)]
    termination_reason_list: Vec<String>,
    termination_reason_note: Option<String>,
}

/// `POST /hire/v1/applications/:id/terminate`.
pub(super) async fn terminate(
    State(tenant): State<Tenant>,
    Path(id): Path<String>,
    Json(end): Json<Terminate>,
) -> Response {
    let mut state = tenant.lock().unwrap();
    let known = |reason: &String| made_up::REASONS.iter().any(|(id, ..)| id == reason);
    if ![1, 22, 27].contains(&end.termination_type) || !end.termination_reason_list.iter().all(known) {
        return bad_parameter("termination_type, termination_reason_list");
    }
    let Some(application) = state.applications.iter_mut().find(|known| known["id"] == id.as_str()) else {
        return gone();
    };
    if application["active_status"] != 1 || application["stage"]["type"] == JOINED {
        return bad_parameter("application_id");
    }
    application["active_status"] = json!(2);
    application["termination_type"] = json!(end.termination_type);
    application["termination_reason_list"] = json!(end.termination_reason_list);
    application["termination_reason_note"] = json!(end.termination_reason_note.unwrap_or_default());
    application["modify_time"] = json!(now_ms().to_string());
    state.moves.push(("terminate".into(), id));
    ok(&json!({}))
}
