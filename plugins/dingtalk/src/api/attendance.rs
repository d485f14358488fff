//! Attendance, schedules and leave, old generation. Official pages 获取打卡结果, 获取打卡详情, 批量查询人员排班信息, 查询请假状态,
//! 查询假期规则列表, 查询假期余额.

use renmen_plugin::Failure;
use renmen_plugin::http::Response;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{accept_old, old_request};
use crate::Config;

/// The vendor's largest number of people in one question about punches, schedules or balances.
pub const ATTENDANCE_PEOPLE_MAX: u32 = 50;
/// The vendor's longest period in one question about punches or schedules, in days.
pub const ATTENDANCE_DAYS_MAX: i64 = 7;
/// The vendor's largest page of punch results.
pub const RESULTS_MAX: usize = 50;
/// The vendor's largest page of leave.
pub const LEAVE_MAX: u32 = 20;
/// The vendor's largest page of balances.
pub const QUOTAS_MAX: u32 = 50;

/// What one planned time came to. It is listed too when it was not punched.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PunchResult {
    /// OnDuty, OffDuty.
    pub check_type: String,
    /// The planned time, in milliseconds.
    #[serde(default)]
    pub base_check_time: Option<i64>,
    /// When it was punched, in milliseconds; the planned time where it was not.
    #[serde(default)]
    pub user_check_time: Option<i64>,
    /// Normal, Early, Late, SeriousLate, Absenteeism, NotSigned.
    pub time_result: String,
    /// ATM, BEACON, DING_ATM, USER, BOSS, APPROVE, SYSTEM, AUTO_CHECK.
    #[serde(default)]
    pub source_type: Option<String>,
    /// The schedule's entry; absent where nothing was planned.
    #[serde(default)]
    pub plan_id: Option<i64>,
}

/// A punch as it was made, taken for a planned time or not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawPunch {
    /// OnDuty, OffDuty; absent where it was taken for neither.
    #[serde(default)]
    pub check_type: Option<String>,
    /// When, in milliseconds.
    #[serde(deserialize_with = "number")]
    pub user_check_time: i64,
    /// As in [`PunchResult`].
    #[serde(default)]
    pub source_type: Option<String>,
    /// Where; of a machine, its name.
    #[serde(default)]
    pub user_address: Option<String>,
}

/// One planned time of one person.
#[derive(Debug, Deserialize)]
pub struct PlannedTime {
    /// OnDuty, OffDuty.
    #[serde(default)]
    pub check_type: Option<String>,
    /// On the clock in China: `2021-01-14 09:00:00`.
    #[serde(default)]
    pub plan_check_time: Option<String>,
    /// The shift; 0 on a day of rest.
    #[serde(default)]
    pub shift_id: Option<i64>,
    /// Y on a day of rest.
    #[serde(default)]
    pub is_rest: Option<String>,
    /// The attendance group.
    #[serde(default)]
    pub group_id: Option<i64>,
}

/// One leave that was approved.
#[derive(Debug, Deserialize)]
pub struct LeaveStatus {
    /// Who.
    pub userid: String,
    /// From, in milliseconds.
    pub start_time: i64,
    /// To, in milliseconds.
    pub end_time: i64,
    /// How long, in hundredths.
    pub duration_percent: i64,
    /// percent_day, percent_hour.
    pub duration_unit: String,
    /// Of which kind; the company's own.
    #[serde(default)]
    pub leave_code: Option<String>,
}

/// How much leave of one kind a person has for one period.
#[derive(Debug, Deserialize)]
pub struct Quota {
    /// Id of the entry.
    pub quota_id: String,
    /// Who.
    pub userid: String,
    /// From, in milliseconds.
    #[serde(default)]
    pub start_time: Option<i64>,
    /// To, in milliseconds.
    #[serde(default)]
    pub end_time: Option<i64>,
    /// Days, in hundredths; absent where hours count.
    #[serde(default)]
    pub quota_num_per_day: Option<i64>,
    /// Used days, in hundredths.
    #[serde(default)]
    pub used_num_per_day: Option<i64>,
    /// Hours, in hundredths.
    #[serde(default)]
    pub quota_num_per_hour: Option<i64>,
    /// Used hours, in hundredths.
    #[serde(default)]
    pub used_num_per_hour: Option<i64>,
}

/// A kind of leave, as the company has set it up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct LeaveType {
    /// Id.
    pub leave_code: String,
    /// 年假.
    pub leave_name: String,
    /// day, halfDay, hour.
    #[serde(default)]
    pub leave_view_unit: Option<String>,
    /// general_leave, or lieu_leave for time off for overtime.
    #[serde(default)]
    pub biz_type: Option<String>,
}

/// `POST /attendance/list`: results of whole days, `from` and `to` as `2021-01-14`.
///
/// # Errors
/// What the answer's code means.
pub fn punch_results(config: &Config, people: &[String], days: [&str; 2], offset: usize) -> Result<Response, Failure> {
    let body = json!({
        "workDateFrom": format!("{} 00:00:00", days[0]), "workDateTo": format!("{} 00:00:00", days[1]),
        "userIdList": people, "offset": offset, "limit": RESULTS_MAX,
    });
    ask(config, "/attendance/list", &body)
}

/// `POST /attendance/listRecord`: every punch of these days. Not paged.
///
/// # Errors
/// What the answer's code means.
pub fn raw_punches(config: &Config, people: &[String], days: [&str; 2]) -> Result<Response, Failure> {
    let body = json!({
        "userIds": people, "checkDateFrom": format!("{} 00:00:00", days[0]),
        "checkDateTo": format!("{} 23:59:59", days[1]), "isI18n": false,
    });
    ask(config, "/attendance/listRecord", &body)
}

/// `POST /topapi/attendance/schedule/listbyusers`; times in milliseconds. Not paged.
///
/// # Errors
/// What the answer's code means.
pub fn schedules(config: &Config, people: &[String], from_ms: i64, to_ms: i64) -> Result<Response, Failure> {
    let body = json!({
        "op_user_id": config.operator()?, "userids": people.join(","),
        "from_date_time": from_ms, "to_date_time": to_ms,
    });
    ask(config, "/topapi/attendance/schedule/listbyusers", &body)
}

/// `POST /topapi/attendance/getleavestatus`: what was approved and touches the period; times in milliseconds.
///
/// # Errors
/// What the answer's code means.
pub fn leave(
    config: &Config,
    people: &[String],
    span_ms: (i64, i64),
    offset: i64,
    size: u32,
) -> Result<Response, Failure> {
    let body = json!({
        "userid_list": people.join(","), "start_time": span_ms.0, "end_time": span_ms.1, "offset": offset, "size": size,
    });
    ask(config, "/topapi/attendance/getleavestatus", &body)
}

/// `POST /topapi/attendance/vacation/type/list`: every kind of leave.
///
/// # Errors
/// What the answer's code means.
pub fn leave_types(config: &Config) -> Result<Vec<LeaveType>, Failure> {
    let body = json!({ "op_userid": config.operator()?, "vacation_source": "all" });
    super::old(config, "/topapi/attendance/vacation/type/list", &body)
}

/// `POST /topapi/attendance/vacation/quota/list`: balances of one kind of leave.
///
/// # Errors
/// What the answer's code means.
pub fn quotas(config: &Config, kind: &str, people: &[String], offset: i64, size: u32) -> Result<Response, Failure> {
    let body = json!({
        "leave_code": kind, "op_userid": config.operator()?, "userids": people.join(","),
        "offset": offset, "size": size,
    });
    ask(config, "/topapi/attendance/vacation/quota/list", &body)
}

fn ask(config: &Config, path: &str, body: &Value) -> Result<Response, Failure> {
    accept_old(old_request(config, path, body).send()?)
}

/// The page describes numbers as texts, and its example has numbers.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Number(i64),
        Text(String),
    }
    match Loose::deserialize(from)? {
        Loose::Number(number) => Ok(number),
        Loose::Text(text) => text.parse().map_err(|_| serde::de::Error::custom("a text that is not a whole number")),
    }
}
