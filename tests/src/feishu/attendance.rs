//! Attendance, leave and balances of the tenant, made up from the day and the person, and what the vendor refuses.
//!
//! Contract: pages 查询打卡结果, 按 ID 查询考勤组, 批量查询员工请假记录, 批量查询员工假期余额 of 2025.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::page::Query;
use super::{State as TenantState, Tenant, error, now_ms, ok};

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;

/// The groups and their zones: in hours from UTC, what the vendor calls them.
const GROUPS: [(&str, i64, &str); 2] =
    [("6737202939523236110", 8, "Asia/Shanghai"), ("6737202939523236111", 7, "Asia/Bangkok")];

fn refused(what: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_220_001, &format!("param is invalid: {what}"))
}

/// 20260302, as the number of days since 1970.
fn day_of(number: i64) -> Option<i64> {
    let date = jiff::civil::Date::new(
        i16::try_from(number / 10_000).ok()?,
        i8::try_from(number / 100 % 100).ok()?,
        i8::try_from(number % 100).ok()?,
    );
    Some(i64::from((date.ok()? - jiff::civil::Date::constant(1970, 1, 1)).get_days()))
}

fn number_of(day: i64) -> i64 {
    let date = jiff::civil::Date::constant(1970, 1, 1) + jiff::Span::new().days(day);
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

fn text_of(day: i64) -> String {
    (jiff::civil::Date::constant(1970, 1, 1) + jiff::Span::new().days(day)).to_string()
}

fn today() -> i64 {
    (now_ms() / 1_000 + 8 * HOUR_S).div_euclid(DAY_S)
}

/// Which employee has this number, of those who are employed.
fn place(state: &TenantState, number: &Value) -> Option<usize> {
    let is = |employee: &Value| employee["employee_number"] == *number;
    state.employees.iter().position(|employee| is(employee) && employee["employment_status"]["enum_name"] == "hired")
}

/// `POST /attendance/v1/user_tasks/query`: at most 50 people; nothing of a day on which no one works.
pub(super) async fn tasks(State(tenant): State<Tenant>, query: Query, Json(ask): Json<Value>) -> Response {
    let state = tenant.lock().unwrap();
    if query.get("employee_type").map(String::as_str) != Some("employee_no") {
        return refused("employee_type invalid");
    }
    let Some(people) = ask["user_ids"].as_array().filter(|ids| (1..=50).contains(&ids.len())) else {
        return refused("user_ids 1~50");
    };
    let day = |name: &str| ask[name].as_i64().and_then(day_of);
    let (Some(from), Some(to)) = (day("check_date_from"), day("check_date_to")) else {
        return refused("check_date_from yyyyMMdd");
    };
    let unknown: Vec<&Value> = people.iter().filter(|number| place(&state, number).is_none()).collect();
    if !unknown.is_empty() && query.get("ignore_invalid_users").map(String::as_str) != Some("true") {
        return error(StatusCode::BAD_REQUEST, 1_220_004, "user_id is not exist or does not have permission");
    }
    let hidden: Vec<&Value> = people.iter().filter(|number| state.unseen.iter().any(|one| *number == one)).collect();
    let seen = people.iter().filter(|number| !hidden.contains(number));
    let results: Vec<Value> = seen
        .filter_map(|number| Some((number, place(&state, number)?)))
        .flat_map(|(number, at)| (from..=to.min(today())).filter_map(move |day| task(number, at, day)))
        .collect();
    ok(&json!({ "user_task_results": results, "invalid_user_ids": unknown, "unauthorized_user_ids": hidden }))
}

/// 1 January 1970 was a Thursday.
fn task(number: &Value, at: usize, day: i64) -> Option<Value> {
    if (day + 3).rem_euclid(7) >= 5 {
        return None;
    }
    let (group, hours, _) = GROUPS[usize::from(at % 4 == 3)];
    let midnight = day * DAY_S - hours * HOUR_S;
    // Every fifth works at night.
    let (from, to) = if at % 5 == 4 { (22, 30) } else { (9, 18) };
    let (begin, end) = (midnight + from * HOUR_S, midnight + to * HOUR_S);
    let absent = at % 7 == 6;
    let flow = |time: i64| json!({ "user_id": number, "check_time": time.to_string(), "type": 5, "location_name": "示例园区", "record_id": "1" });
    let mut record = json!({
        "check_in_record_id": "1", "check_out_record_id": "2", "check_in_result": "Normal", "check_out_result": "Normal",
        "check_in_result_supplement": "None", "check_out_result_supplement": "None", "check_in_shift_time": begin.to_string(),
        "check_out_shift_time": end.to_string(), "task_shift_type": 0,
    });
    if absent {
        record["check_in_result"] = json!("Lack");
        record["check_out_result"] = json!("Lack");
    } else {
        record["check_in_record"] = flow(begin - 120);
        record["check_out_record"] = flow(end + 60);
    }
    Some(json!({
        "result_id": format!("{}", day * 100_000 + at as i64), "user_id": number, "employee_name": "x", "day": number_of(day),
        "group_id": group, "shift_id": "6753520403404030215", "records": [record],
    }))
}

/// `GET /attendance/v1/groups/:id`.
pub(super) async fn group(Path(id): Path<String>, query: Query) -> Response {
    if !query.contains_key("employee_type") || !query.contains_key("dept_type") {
        return refused("employee_type, dept_type");
    }
    match GROUPS.iter().find(|group| group.0 == id) {
        Some((id, _, zone)) => ok(&json!({ "group_id": id, "group_name": "x", "time_zone": zone })),
        None => error(StatusCode::BAD_REQUEST, 1_220_004, "group is not exist"),
    }
}

/// `page_size` and `page_token` of these two, which are required and of their own kind.
fn paged(query: &Query, list: &str, all: &[Value]) -> Response {
    let size =
        query.get("page_size").and_then(|size| size.parse::<usize>().ok()).filter(|size| (1..=100).contains(size));
    let from = match query.get("page_token") {
        None => Some(0),
        Some(token) => serde_json::from_str::<Vec<String>>(token).ok().and_then(|parts| parts.first()?.parse().ok()),
    };
    let (Some(size), Some(from)): (Option<usize>, Option<usize>) = (size, from) else {
        return error(StatusCode::BAD_REQUEST, 1_160_016, "Invalid param");
    };
    let items: Vec<&Value> = all.iter().skip(from).take(size).collect();
    let more = from + size < all.len();
    let mut data = json!({ "has_more": more });
    if !items.is_empty() {
        data[list] = json!(items);
    }
    if more {
        data["page_token"] = json!(format!("[\"{}\"]", from + size));
    }
    ok(&data)
}

/// `GET /corehr/v1/leaves/leave_request_history`.
pub(super) async fn leave(State(tenant): State<Tenant>, query: Query) -> Response {
    let state = tenant.lock().unwrap();
    let least = query.get("leave_end_date_min").cloned().unwrap_or_default();
    let all: Vec<Value> = state.employees.iter().enumerate().map(|(at, one)| request(&state, at, one)).collect();
    let fits: Vec<Value> =
        all.into_iter().filter(|one| one["end_time"].as_str().is_some_and(|end| end >= least.as_str())).collect();
    paged(&query, "leave_request_list", &fits)
}

fn request(state: &TenantState, at: usize, employee: &Value) -> Value {
    let day = today() + at as i64 % 10;
    let (name, from, to, amount, unit) = match at % 3 {
        0 => ("年假", text_of(day), text_of(day + 1), "2", 1),
        1 => ("病假", format!("{} afternoon", text_of(day)), format!("{} afternoon", text_of(day)), "0.5", 1),
        _ => ("调休", format!("{} 14:00", text_of(day)), format!("{} 16:30", text_of(day)), "2.5", 2),
    };
    let id = employee["employment_id"].as_str().unwrap_or_default();
    let status = state.leave_status.get(id).copied().unwrap_or(1 + at as i64 % 2);
    json!({
        "leave_request_id": format!("lr-{id}"), "employment_id": id, "leave_type_id": format!("lt-{}", at % 3),
        "leave_type_name": [{ "lang": "zh-CN", "value": name }, { "lang": "en-US", "value": "Leave" }],
        "start_time": from, "end_time": to, "leave_duration": amount, "leave_duration_unit": unit, "leave_request_status": status,
        "grant_source": "manual", "submitted_at": "1767225600", "submitted_by": id, "notes": "家里有事", "approval_date": text_of(day),
        "time_zone": "Asia/Shanghai",
    })
}

/// `GET /corehr/v1/leaves/leave_balances`.
pub(super) async fn balances(State(tenant): State<Tenant>, query: Query) -> Response {
    let state = tenant.lock().unwrap();
    let all: Vec<Value> = state
        .employees
        .iter()
        .enumerate()
        .map(|(at, employee)| {
            let balance = |id: &str, name: &str, unit: i64| {
                json!({ "leave_type_id": id, "leave_type_name": [{ "lang": "zh-CN", "value": name }], "historical_cycles_left": "1.5",
                        "this_cycle_total": "10", "this_cycle_taken": format!("{}.5", at % 5), "leave_duration_unit": unit,
                        "leave_balance": format!("{}", 11 - at % 5) })
            };
            json!({ "employment_id": employee["employment_id"], "as_of_date": text_of(today()),
                    "leave_balance_list": [balance("lt-0", "年假", 1), balance("lt-2", "调休", 2)] })
        })
        .collect();
    paged(&query, "employment_leave_balance_list", &all)
}
