//! Contacts: departments one level at a time, members a department at a time.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Company, Department, State as CompanyState, User, ok, old_error};

#[derive(Deserialize)]
pub(super) struct SubDepartments {
    #[serde(default = "root")]
    dept_id: i64,
}

fn root() -> i64 {
    1
}

/// A department that may be asked about. The home-school contacts (家校通讯录) are listed with an id below zero and are answered as
/// if they were not there (ohdarling/virtual-ldap#19, opsre/go-ldap-admin#293); what is outside of the app's range is listed by
/// its parent and refused (opsre/go-ldap-admin#298).
fn readable(state: &CompanyState, id: i64) -> Result<&Department, Json<Value>> {
    if state.out_of_range.contains(&id) {
        return Err(old_error(50004, "请求的部门id不在授权范围内"));
    }
    let found = state.departments.iter().find(|d| d.id == id && id > 0);
    found.ok_or_else(|| old_error(60003, "部门不存在"))
}

/// `POST /topapi/v2/department/get`.
pub(super) async fn department(State(company): State<Company>, Json(ask): Json<SubDepartments>) -> Json<Value> {
    let state = company.lock().unwrap();
    match readable(&state, ask.dept_id) {
        Ok(d) => ok(&json!({ "dept_id": d.id, "name": d.name, "parent_id": d.parent, "order": 0 })),
        Err(refused) => refused,
    }
}

/// `POST /topapi/v2/department/listsub`: the children of one department, not their children.
pub(super) async fn sub_departments(State(company): State<Company>, Json(ask): Json<SubDepartments>) -> Json<Value> {
    let state = company.lock().unwrap();
    if let Err(refused) = readable(&state, ask.dept_id) {
        return refused;
    }
    let children: Vec<Value> = state
        .departments
        .iter()
        .filter(|d| d.parent == ask.dept_id)
        .map(|d| {
            json!({ "dept_id": d.id, "name": d.name, "parent_id": d.parent, "create_dept_group": true, "auto_add_user": false })
        })
        .collect();
    ok(&Value::Array(children))
}

#[derive(Deserialize)]
pub(super) struct Users {
    dept_id: i64,
    cursor: usize,
    size: usize,
}

/// `POST /topapi/v2/user/list`: members of one department, at most 100 a page, children's members left out.
pub(super) async fn users(State(company): State<Company>, Json(ask): Json<Users>) -> Json<Value> {
    let state = company.lock().unwrap();
    if let Err(refused) = readable(&state, ask.dept_id) {
        return refused;
    }
    if ask.size == 0 || ask.size > 100 {
        return old_error(400002, "参数错误: size 1~100");
    }
    let members: Vec<&User> = state.users.iter().filter(|u| u.departments.contains(&ask.dept_id)).collect();
    let page: Vec<Value> = members.iter().skip(ask.cursor).take(ask.size).map(|u| user(&state, u)).collect();
    let more = ask.cursor + ask.size < members.len();
    let mut result = json!({ "has_more": more, "list": page });
    if more {
        result["next_cursor"] = json!(ask.cursor + ask.size);
    }
    ok(&result)
}

#[derive(Deserialize)]
pub(super) struct OneUser {
    userid: String,
}

/// `POST /topapi/v2/user/get`.
pub(super) async fn user_detail(State(company): State<Company>, Json(ask): Json<OneUser>) -> Json<Value> {
    let state = company.lock().unwrap();
    match state.users.iter().find(|u| u.userid == ask.userid) {
        Some(found) => ok(&user(&state, found)),
        None => old_error(60121, "找不到该用户"),
    }
}

fn user(state: &CompanyState, u: &User) -> Value {
    let mut value = json!({
        "userid": u.userid, "unionid": format!("union{}", u.userid), "name": u.name, "state_code": "86",
        "mobile": u.mobile, "hide_mobile": false, "telephone": "", "job_number": u.job_number, "title": u.title,
        "email": u.email, "work_place": "上海", "remark": "", "dept_id_list": u.departments, "dept_order": 1,
        "hired_date": u.hired_ms, "active": true, "admin": false, "boss": false, "leader": false,
        "exclusive_account": false,
    });
    if let Some(object) = value.as_object_mut() {
        for hidden in &state.hidden_fields {
            object.remove(hidden);
        }
    }
    value
}
