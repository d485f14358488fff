//! The smart-HR roster: ids first, field values then, leavers apart.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::messages::AGENT;
use super::{Company, State as CompanyState, User, ok, old_error};

#[derive(Deserialize)]
pub(super) struct OnJob {
    status_list: String,
    offset: usize,
    size: usize,
}

/// `POST /topapi/smartwork/hrm/employee/queryonjob`: at most 50 ids a page; the end is an answer without `next_cursor`.
pub(super) async fn on_job(State(company): State<Company>, Json(ask): Json<OnJob>) -> Json<Value> {
    let state = company.lock().unwrap();
    if ask.size == 0 || ask.size > 50 {
        return old_error(400002, "参数错误: size 1~50");
    }
    let wanted: Vec<u8> = ask.status_list.split(',').filter_map(|s| s.trim().parse().ok()).collect();
    let ids: Vec<&str> = state.users.iter().filter(|u| wanted.contains(&u.status)).map(|u| u.userid.as_str()).collect();
    let page: Vec<&str> = ids.iter().skip(ask.offset).take(ask.size).copied().collect();
    let mut result = json!({ "data_list": page });
    if ask.offset + ask.size < ids.len() {
        result["next_cursor"] = json!(ask.offset + ask.size);
    }
    ok(&result)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    app_agent_id: Option<i64>,
    user_id_list: Vec<String>,
    #[serde(default)]
    field_filter_list: Vec<String>,
}

/// `POST /v1.0/hrm/rosters/lists/query`: values of at most 100 people, for an app that names itself. Official page
/// 获取员工花名册字段信息: `appAgentId` is required; the answer without it is the page's `invalidParameter`.
pub(super) async fn fields(State(company): State<Company>, Json(ask): Json<Fields>) -> Response {
    let state = company.lock().unwrap();
    if ask.app_agent_id != Some(AGENT) {
        return invalid("appAgentId");
    }
    if ask.user_id_list.is_empty() || ask.user_id_list.len() > 100 || ask.field_filter_list.len() > 100 {
        return invalid("userIdList 1~100");
    }
    let found: Vec<Value> = ask
        .user_id_list
        .iter()
        .filter_map(|id| state.users.iter().find(|u| u.userid == *id))
        .map(|u| roster_entry(&state, u, &ask.field_filter_list))
        .collect();
    Json(json!({ "result": found })).into_response()
}

fn roster_entry(state: &CompanyState, u: &User, wanted: &[String]) -> Value {
    let main = u.departments[0];
    let department = state.departments.iter().find(|d| d.id == main).map_or("", |d| d.name.as_str());
    let hired = china_date(u.hired_ms);
    let status = match u.status {
        2 => "试用",
        5 => "待离职",
        _ => "正式",
    };
    let field = |code: &str, name: &str, group: &str, value: &str, label: &str| {
        json!({ "fieldCode": code, "fieldName": name, "groupId": group,
                "fieldValueList": [{ "itemIndex": 0, "value": value, "label": label }] })
    };
    let all = [
        field("sys00-name", "姓名", "sys00", &u.name, &u.name),
        field("sys00-jobNumber", "工号", "sys00", &u.job_number, &u.job_number),
        field("sys00-mainDeptId", "主部门id", "sys00", &main.to_string(), &main.to_string()),
        field("sys00-mainDept", "主部门", "sys00", department, department),
        field("sys00-position", "职位", "sys00", &u.title, &u.title),
        field("sys00-workPlace", "办公地点", "sys00", "上海", "上海"),
        field("sys00-confirmJoinTime", "入职时间", "sys00", &hired, &hired),
        field("sys01-employeeType", "员工类型", "sys01", "1", "全职"),
        field("sys01-employeeStatus", "员工状态", "sys01", &u.status.to_string(), status),
        field("sys01-probationPeriodType", "试用期", "sys01", "4", "3个月"),
        field("sys01-positionLevel", "岗位职级", "sys01", "P5", "P5"),
    ];
    let kept: Vec<Value> = all
        .into_iter()
        .filter(|f| {
            let code = f["fieldCode"].as_str().unwrap_or_default();
            (wanted.is_empty() || wanted.iter().any(|w| w == code)) && !state.hidden_fields.iter().any(|h| h == code)
        })
        .collect();
    json!({ "corpId": "dingsimcorp", "userId": u.userid, "unionId": "无", "fieldDataList": kept })
}

fn china_date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
        .strftime("%Y-%m-%d")
        .to_string()
}

/// `GET /v1.0/hrm/employees/dismissions`: ids of leavers, at most 50 a page.
pub(super) async fn dismissions(
    State(company): State<Company>,
    Query(ask): Query<HashMap<String, String>>,
) -> Response {
    let state = company.lock().unwrap();
    let from: usize = ask.get("nextToken").and_then(|t| t.parse().ok()).unwrap_or(0);
    let most: usize = ask.get("maxResults").and_then(|t| t.parse().ok()).unwrap_or(30);
    if most == 0 || most > 50 {
        return invalid("maxResults 1~50");
    }
    let ids: Vec<&str> = state.leavers.iter().skip(from).take(most).map(|l| l.userid.as_str()).collect();
    let more = from + most < state.leavers.len();
    Json(json!({ "userIdList": ids, "hasMore": more, "nextToken": from + most })).into_response()
}

/// `GET /v1.0/hrm/employees/dimissionInfos?userIdList=`: the vendor's spelling, mixed cases and all.
pub(super) async fn dismission_details(
    State(company): State<Company>,
    Query(ask): Query<HashMap<String, String>>,
) -> Response {
    let state = company.lock().unwrap();
    let asked = ask.get("userIdList").cloned().unwrap_or_default();
    let ids: Vec<&str> = asked.trim_matches(['[', ']']).split(',').map(|id| id.trim().trim_matches('"')).collect();
    if ids.is_empty() || ids.len() > 50 {
        return invalid("userIdList 1~50");
    }
    let found: Vec<Value> = state
        .leavers
        .iter()
        .filter(|l| ids.contains(&l.userid.as_str()))
        .map(|l| {
            json!({ "userId": l.userid, "name": l.name, "lastWorkDay": l.last_day_ms, "mainDeptId": l.department,
                    "deptList": [{ "dept_id": l.department, "dept_path": "示例科技" }], "status": 2, "preStatus": 3,
                    "handoverUserId": "user00000", "voluntaryReason": l.voluntary, "passiveReason": null, "reasonMemo": "" })
        })
        .collect();
    Json(json!({ "result": found })).into_response()
}

fn invalid(message: &str) -> Response {
    let body = json!({ "code": "invalidParameter", "message": message, "requestid": "sim" });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
