//! Work notifications with the rule that makes them treacherous: over a limit the call succeeds and no one gets
//! anything.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Company, old_error};

/// The app's id for messages.
pub const AGENT: i64 = 4711;

/// One message to some people.
#[derive(Debug, Clone)]
pub struct Task {
    pub id: i64,
    pub message: Value,
    pub invalid: Vec<String>,
    /// Left out by a limit, with its code.
    pub forbidden: Vec<(String, &'static str)>,
    /// Got it.
    pub reached: Vec<String>,
    /// How often its progress was asked for; done from the second time on.
    pub asked: u32,
}

#[derive(Deserialize)]
pub(super) struct Send {
    agent_id: i64,
    userid_list: String,
    msg: Value,
}

/// `POST /topapi/message/corpconversation/asyncsend_v2`.
pub(super) async fn send(State(company): State<Company>, Json(ask): Json<Send>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    let people: Vec<&str> = ask.userid_list.split(',').filter(|id| !id.is_empty()).collect();
    if ask.agent_id != AGENT || people.len() > 100 {
        return old_error(400_002, "参数错误");
    }
    if ask.msg.to_string().len() > 2_048 || ask.msg["msgtype"].as_str().is_none_or(|kind| ask.msg.get(kind).is_none()) {
        return old_error(400_002, "参数错误: msg");
    }
    if people.is_empty() {
        return old_error(1_430_000, "接收者为空");
    }
    let id = 256_271_667_000 + state.tasks.len() as i64;
    let mut task = Task { id, message: ask.msg.clone(), invalid: vec![], forbidden: vec![], reached: vec![], asked: 0 };
    for who in people.into_iter().map(str::to_owned) {
        let limit = state.messages_a_day;
        let got: Vec<&Task> = state.tasks.iter().filter(|task| task.reached.contains(&who)).collect();
        if !state.users.iter().any(|user| user.userid == who) {
            task.invalid.push(who);
        } else if got.iter().any(|task| task.message == ask.msg) {
            task.forbidden.push((who, "143106"));
        } else if got.len() >= limit {
            task.forbidden.push((who, "143105"));
        } else {
            task.reached.push(who);
        }
    }
    state.tasks.push(task);
    Json(json!({ "errcode": 0, "errmsg": "ok", "task_id": id, "request_id": "sim" }))
}

#[derive(Deserialize)]
pub(super) struct Which {
    agent_id: i64,
    task_id: i64,
}

/// `POST /topapi/message/corpconversation/getsendprogress`: under way when it is asked for first.
pub(super) async fn progress(State(company): State<Company>, Json(ask): Json<Which>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    let found = state.tasks.iter_mut().find(|task| task.id == ask.task_id && ask.agent_id == AGENT);
    let Some(task) = found else { return old_error(40035, "不合法的参数") };
    task.asked += 1;
    let (percent, status) = if task.asked > 1 { (100, 2) } else { (50, 1) };
    let progress = json!({ "progress_in_percent": percent, "status": status });
    Json(json!({ "errcode": 0, "errmsg": "ok", "progress": progress, "request_id": "sim" }))
}

/// `POST /topapi/message/corpconversation/getsendresult`.
pub(super) async fn result(State(company): State<Company>, Json(ask): Json<Which>) -> Json<Value> {
    let state = company.lock().unwrap();
    let found = state.tasks.iter().find(|task| task.id == ask.task_id && ask.agent_id == AGENT);
    let Some(task) = found else { return old_error(40035, "不合法的参数") };
    let forbidden: Vec<&String> = task.forbidden.iter().map(|(who, _)| who).collect();
    let list: Vec<Value> = task
        .forbidden
        .iter()
        .map(|(who, code)| json!({ "code": code, "count": state.messages_a_day, "userid": who }))
        .collect();
    let result = json!({
        "invalid_user_id_list": task.invalid, "forbidden_user_id_list": forbidden, "forbidden_list": list,
        "failed_user_id_list": [], "read_user_id_list": [], "unread_user_id_list": task.reached, "invalid_dept_id_list": [],
    });
    Json(json!({ "errcode": 0, "errmsg": "ok", "send_result": result, "request_id": "sim" }))
}
