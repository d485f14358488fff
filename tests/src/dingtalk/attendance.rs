//! Attendance, schedules and leave of the company, made up from the day and the person, and what the vendor refuses.
//!
//! Contract: official pages 获取打卡结果, 获取打卡详情, 批量查询人员排班信息, 查询请假状态, 查询假期规则列表, 查询假期余额 (2026-05-27). A
//! wrong user id is answered with nothing, not with an error. Codes 60068 and 880011 for an operator without rights are seen in
//! others' code alone.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Company, DAY_MS, State as CompanyState, old_error, old_refusal};

const CHINA_MS: i64 = 8 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

/// The kinds of leave: id, name, unit, and whether it is time off for overtime.
const TYPES: [(&str, &str, &str, &str); 3] = [
    ("lc-annual", "年假", "day", "general_leave"),
    ("lc-sick", "病假", "halfDay", "general_leave"),
    ("lc-lieu", "调休", "hour", "lieu_leave"),
];

/// What tests change.
#[derive(Debug)]
pub struct Attendance {
    /// Does the app have the permissions (qyapi_get_attendance_data, qyapi_holiday_readonly)?
    pub granted: bool,
    /// The administrator in whose name may be asked.
    pub operator: String,
    /// People who have not punched at all.
    pub absent: Vec<String>,
    /// Questions that were refused for their size.
    pub refused: u64,
    /// Questions for punch results.
    pub asked: u64,
}

impl Attendance {
    pub(super) fn of(operator: &str) -> Self {
        Self { granted: true, operator: operator.to_owned(), absent: Vec::new(), refused: 0, asked: 0 }
    }
}

/// The day of a time in China, in days since 1970.
fn day_of(ms: i64) -> i64 {
    (ms + CHINA_MS).div_euclid(DAY_MS)
}

fn midnight_ms(day: i64) -> i64 {
    day * DAY_MS - CHINA_MS
}

/// `2026-03-02 00:00:00`, of which only the day counts.
fn day_of_text(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    (text.len() == 19).then_some(())?;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    Some(i64::from((date - epoch).get_days()))
}

fn text_of(ms: i64) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// 1 January 1970 was a Thursday.
fn is_weekend(day: i64) -> bool {
    (day + 3).rem_euclid(7) >= 5
}

/// Everybody's number in the company, by which days and balances are made up.
fn number(state: &CompanyState, user: &str) -> Option<i64> {
    state.users.iter().position(|one| one.userid == user).map(|at| at as i64)
}

/// From and to in hours after midnight: every fifth works at night.
fn shift(who: i64) -> (i64, i64) {
    if who % 5 == 4 { (22, 30) } else { (9, 18) }
}

/// What a person's planned times of a day came to: one row each, also when nothing was punched.
fn rows(state: &CompanyState, user: &str, day: i64) -> Vec<Value> {
    let Some(who) = number(state, user).filter(|_| !is_weekend(day)) else { return Vec::new() };
    let (from, to) = shift(who);
    let absent = state.attendance.absent.iter().any(|one| one == user);
    let late = who % 4 == 1;
    [("OnDuty", from, if late { 17 } else { -3 }), ("OffDuty", to, 2)]
        .into_iter()
        .map(|(kind, hour, minutes)| {
            let planned = midnight_ms(day) + hour * HOUR_MS;
            let punched = if absent { planned } else { planned + minutes * 60_000 };
            let word = match (absent, kind == "OnDuty" && late) {
                (true, _) => "NotSigned",
                (_, true) => "Late",
                _ => "Normal",
            };
            let place = if absent { "NotSigned" } else { "Normal" };
            json!({ "id": who * 1_000_000 + day * 10 + hour, "userId": user, "workDate": midnight_ms(day), "planId": day * 10 + who,
                    "groupId": 685_935_028, "checkType": kind, "baseCheckTime": planned, "userCheckTime": punched,
                    "timeResult": word, "locationResult": place, "sourceType": if absent { "SYSTEM" } else { "ATM" } })
        })
        .collect()
}

/// What comes before every answer about attendance or leave.
fn refusal(state: &CompanyState, scope: &str) -> Option<Json<Value>> {
    (!state.attendance.granted).then(|| {
        let words = format!("应用尚未开通所需的权限：[{scope}]，点击链接申请并开通即可, {{requiredScopes=[{scope}]}}");
        old_refusal(60011, &words)
    })
}

fn too_much(state: &mut CompanyState, message: &str) -> Json<Value> {
    state.attendance.refused += 1;
    old_error(400_002, message)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Results {
    work_date_from: String,
    work_date_to: String,
    user_id_list: Vec<String>,
    offset: usize,
    limit: usize,
}

/// `POST /attendance/list`: at most 50 people, 7 days and 50 rows, no older than half a year.
pub(super) async fn results(State(company): State<Company>, Json(ask): Json<Results>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    state.attendance.asked += 1;
    if let Some(refused) = refusal(&state, "qyapi_get_attendance_data") {
        return refused;
    }
    let (Some(from), Some(to)) = (day_of_text(&ask.work_date_from), day_of_text(&ask.work_date_to)) else {
        return too_much(&mut state, "参数错误: workDateFrom yyyy-MM-dd HH:mm:ss");
    };
    let today = day_of(jiff::Timestamp::now().as_millisecond());
    if ask.user_id_list.is_empty() || ask.user_id_list.len() > 50 {
        return too_much(&mut state, "参数错误: userIdList 1~50");
    }
    if to < from || to - from > 6 || today - from > 180 {
        return too_much(&mut state, "参数错误: 日期间隔最多7天，不支持半年以前");
    }
    if ask.limit == 0 || ask.limit > 50 {
        return too_much(&mut state, "参数错误: limit 1~50");
    }
    let people = ask.user_id_list.iter();
    // By day and not by person: a person's days are spread over the pages.
    let all: Vec<Value> = (from..=to.min(today))
        .flat_map(|day| people.clone().map(move |user| (user, day)))
        .flat_map(|(user, day)| rows(&state, user, day))
        .collect();
    let page: Vec<&Value> = all.iter().skip(ask.offset).take(ask.limit).collect();
    let more = ask.offset + ask.limit < all.len();
    Json(json!({ "errcode": 0, "errmsg": "ok", "hasMore": more, "recordresult": page }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Punches {
    user_ids: Vec<String>,
    check_date_from: String,
    check_date_to: String,
    #[serde(rename = "isI18n")]
    _abroad: bool,
}

/// `POST /attendance/listRecord`: each punch with its place, and one that is not valid; nothing for who has not punched.
pub(super) async fn punches(State(company): State<Company>, Json(ask): Json<Punches>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    if let Some(refused) = refusal(&state, "qyapi_get_attendance_data") {
        return refused;
    }
    let (Some(from), Some(to)) = (day_of_text(&ask.check_date_from), day_of_text(&ask.check_date_to)) else {
        return too_much(&mut state, "参数错误: checkDateFrom yyyy-MM-dd HH:mm:ss");
    };
    if ask.user_ids.is_empty() || ask.user_ids.len() > 50 || to < from || to - from > 6 {
        return too_much(&mut state, "参数错误: userIds 1~50, 日期间隔最多7天");
    }
    let today = day_of(jiff::Timestamp::now().as_millisecond());
    let mut all = Vec::new();
    for day in from..=to.min(today) {
        for user in &ask.user_ids {
            let made = rows(&state, user, day).into_iter().filter(|row| row["timeResult"] != "NotSigned");
            all.extend(made.map(|mut row| {
                row["userAddress"] = json!("示例路 1 号");
                row["isLegal"] = json!("Y");
                row
            }));
            if number(&state, user).is_some_and(|who| who % 3 == 0) {
                all.push(json!({ "id": 1, "userId": user, "workDate": midnight_ms(day), "sourceType": "USER",
                                 "userCheckTime": midnight_ms(day) + 15 * HOUR_MS, "invalidRecordType": "Other",
                                 "invalidRecordMsg": "需要二次确认" }));
            }
        }
    }
    Json(json!({ "errcode": 0, "errmsg": "ok", "recordresult": all }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plans {
    op_user_id: String,
    userids: String,
    from_date_time: i64,
    to_date_time: i64,
}

/// `POST /topapi/attendance/schedule/listbyusers`: at most 50 people and 7 days; a day of rest is listed as such.
pub(super) async fn plans(State(company): State<Company>, Json(ask): Json<Plans>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    if let Some(refused) = refusal(&state, "qyapi_attendance_group_read") {
        return refused;
    }
    if ask.op_user_id != state.attendance.operator {
        return old_error(880_011, "操作人没有权限");
    }
    let people: Vec<&str> = ask.userids.split(',').filter(|id| !id.is_empty()).collect();
    let (from, to) = (day_of(ask.from_date_time), day_of(ask.to_date_time));
    if people.is_empty() || people.len() > 50 || to < from || ask.to_date_time - ask.from_date_time > 7 * DAY_MS {
        return too_much(&mut state, "参数错误: userids 1~50, 间隔不能超过7天");
    }
    let mut found = Vec::new();
    for user in people {
        let Some(who) = number(&state, user) else { continue };
        for day in from..=to {
            let row = |kind: &str, hour: i64, rest: &str, shift: i64| {
                json!({ "id": day * 10 + who, "userid": user, "check_type": kind, "group_id": 685_935_028, "shift_version": 1,
                        "plan_check_time": text_of(midnight_ms(day) + hour * HOUR_MS), "shift_id": shift, "is_rest": rest,
                        "work_date": text_of(midnight_ms(day)) })
            };
            let (begin, end) = shift(who);
            if is_weekend(day) {
                found.push(row("OnDuty", 0, "Y", 0));
            } else {
                found.extend([row("OnDuty", begin, "N", 12), row("OffDuty", end, "N", 12)]);
            }
        }
    }
    Json(json!({ "errcode": 0, "errmsg": "ok", "success": true, "request_id": "sim", "result": found }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnLeave {
    userid_list: String,
    start_time: i64,
    end_time: i64,
    offset: usize,
    size: usize,
}

/// `POST /topapi/attendance/getleavestatus`: at most 100 people, 180 days and 20 rows.
pub(super) async fn leave(State(company): State<Company>, Json(ask): Json<OnLeave>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    if let Some(refused) = refusal(&state, "qyapi_get_attendance_data") {
        return refused;
    }
    let people: Vec<&str> = ask.userid_list.split(',').filter(|id| !id.is_empty()).collect();
    if people.is_empty() || people.len() > 100 || ask.end_time - ask.start_time > 180 * DAY_MS {
        return too_much(&mut state, "参数错误: userid_list 1~100, 最多180天");
    }
    if ask.size == 0 || ask.size > 20 {
        return too_much(&mut state, "参数错误: size 1~20");
    }
    let today = midnight_ms(day_of(jiff::Timestamp::now().as_millisecond()));
    let of = |user: &&str| {
        let who = number(&state, user)?;
        let (code, from, to, percent, unit) = match who % 3 {
            0 => ("lc-annual", today + DAY_MS, today + 2 * DAY_MS, 200, "percent_day"),
            1 => ("lc-sick", today - 2 * DAY_MS + 12 * HOUR_MS, today - 2 * DAY_MS + 23 * HOUR_MS, 50, "percent_day"),
            _ => ("lc-lieu", today + 14 * HOUR_MS, today + 16 * HOUR_MS + 1_800_000, 250, "percent_hour"),
        };
        (to >= ask.start_time && from <= ask.end_time).then(|| {
            json!({ "userid": user, "leave_code": code, "start_time": from, "end_time": to, "duration_percent": percent,
                    "duration_unit": unit })
        })
    };
    let all: Vec<Value> = people.iter().filter_map(of).collect();
    let page: Vec<&Value> = all.iter().skip(ask.offset).take(ask.size).collect();
    let more = ask.offset + ask.size < all.len();
    Json(
        json!({ "errcode": 0, "success": true, "request_id": "sim", "result": { "has_more": more, "leave_status": page } }),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Types {
    op_userid: String,
    #[serde(rename = "vacation_source")]
    _source: String,
}

/// `POST /topapi/attendance/vacation/type/list`.
pub(super) async fn types(State(company): State<Company>, Json(ask): Json<Types>) -> Json<Value> {
    let state = company.lock().unwrap();
    if let Some(refused) = refusal(&state, "qyapi_holiday_readonly") {
        return refused;
    }
    if ask.op_userid != state.attendance.operator {
        return old_error(60_068, "操作人没有权限");
    }
    let kind = |&(code, name, unit, kind): &(&str, &str, &str, &str)| {
        json!({ "leave_code": code, "leave_name": name, "leave_view_unit": unit, "biz_type": kind, "hours_in_per_day": 800,
                "natural_day_leave": "false", "source": "inner" })
    };
    let all: Vec<Value> = TYPES.iter().map(kind).collect();
    Json(json!({ "errcode": 0, "errmsg": "ok", "success": true, "request_id": "sim", "result": all }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quotas {
    leave_code: String,
    op_userid: String,
    userids: String,
    offset: usize,
    size: usize,
}

/// `POST /topapi/attendance/vacation/quota/list`: at most 50 rows.
pub(super) async fn quotas(State(company): State<Company>, Json(ask): Json<Quotas>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    if let Some(refused) = refusal(&state, "qyapi_holiday_readonly") {
        return refused;
    }
    if ask.op_userid != state.attendance.operator {
        return old_error(880_011, "操作人没有权限");
    }
    if ask.size == 0 || ask.size > 50 {
        return too_much(&mut state, "参数错误: size 1~50");
    }
    let Some(&(code, _, unit, _)) = TYPES.iter().find(|kind| kind.0 == ask.leave_code) else {
        return old_error(400_002, "参数错误: leave_code");
    };
    let of = |user: &str| {
        let who = number(&state, user)?;
        let (granted, used) = (500 + who % 10 * 100, who % 5 * 50);
        let mut quota = json!({ "quota_id": format!("q-{code}-{user}"), "userid": user, "leave_code": code, "quota_cycle": "2026",
                                "start_time": 1_767_196_800_000_i64, "end_time": 1_798_732_799_000_i64 });
        let per = if unit == "hour" { "hour" } else { "day" };
        quota[format!("quota_num_per_{per}")] = json!(granted);
        quota[format!("used_num_per_{per}")] = json!(used);
        Some(quota)
    };
    // Of sick leave there is no limit, and so no balance.
    let all: Vec<Value> = match code {
        "lc-sick" => Vec::new(),
        _ => ask.userids.split(',').filter_map(of).collect(),
    };
    let page: Vec<&Value> = all.iter().skip(ask.offset).take(ask.size).collect();
    let more = ask.offset + ask.size < all.len();
    let mut result = json!({ "has_more": more });
    if !all.is_empty() {
        result["leave_quotas"] = json!(page);
    }
    Json(json!({ "errcode": 0, "success": true, "request_id": "sim", "result": result }))
}
