//! Attendance (考勤打卡) and leave (休假). Pages 查询打卡结果, 按 ID 查询考勤组, 批量查询员工请假记录, 批量查询员工假期余额.

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, Response};
use serde::Deserialize;
use serde_json::json;

use super::corehr::USER_IDS;
use super::loose;
use super::text::LangText;
use super::{ask, data, get, request};
use crate::Config;

/// The vendor's largest number of people in one question about punches.
pub(crate) const PEOPLE_MAX: u32 = 50;
/// Employees, and leave, of one page.
pub(crate) const LEAVE_MAX: u32 = 100;

/// A day of one person.
#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    pub(crate) result_id: String,
    /// The staff number.
    pub(crate) user_id: String,
    /// `20190819`.
    pub(crate) day: i64,
    /// The attendance group; 1 for a person who is in none.
    pub(crate) group_id: Option<String>,
    /// The shift; 9 for the default one.
    pub(crate) shift_id: Option<String>,
    #[serde(default)]
    pub(crate) records: Vec<TaskRecord>,
}

/// One planned begin with its end.
#[derive(Debug, Deserialize)]
pub(crate) struct TaskRecord {
    pub(crate) check_in_record: Option<Flow>,
    pub(crate) check_out_record: Option<Flow>,
    /// NoNeedCheck, SystemCheck, Normal, Early, Late, SeriousLate, Lack, Todo.
    pub(crate) check_in_result: Option<String>,
    pub(crate) check_out_result: Option<String>,
    /// None, Travel, Leave, GoOut, CardReplacement, …
    pub(crate) check_in_result_supplement: Option<String>,
    pub(crate) check_out_result_supplement: Option<String>,
    /// Seconds.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) check_in_shift_time: Option<i64>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) check_out_shift_time: Option<i64>,
}

/// A punch.
#[derive(Debug, Deserialize)]
pub(crate) struct Flow {
    /// Seconds.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) check_time: Option<i64>,
    pub(crate) location_name: Option<String>,
    /// 0 person, 1 administrator, 2 correction, 3 system, 4 no punch needed, 5 machine, 6 quick, 7 imported.
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
}

/// A request for leave.
#[derive(Debug, Deserialize)]
pub(crate) struct LeaveRequest {
    pub(crate) leave_request_id: String,
    pub(crate) employment_id: String,
    pub(crate) leave_type_id: Option<String>,
    #[serde(default)]
    pub(crate) leave_type_name: Vec<LangText>,
    /// `2022-09-09`, `2022-09-09 morning`, or with a time.
    pub(crate) start_time: String,
    pub(crate) end_time: String,
    /// A decimal.
    pub(crate) leave_duration: Option<String>,
    /// 1 days, 2 hours.
    pub(crate) leave_duration_unit: Option<i64>,
    /// 1 to 9.
    pub(crate) leave_request_status: i64,
    /// Seconds.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) submitted_at: Option<i64>,
    pub(crate) notes: Option<String>,
    /// `Asia/Shanghai`.
    pub(crate) time_zone: Option<String>,
}

/// How much leave an employee has.
#[derive(Debug, Deserialize)]
pub(crate) struct EmployeeBalances {
    pub(crate) employment_id: String,
    #[serde(default)]
    pub(crate) leave_balance_list: Vec<Balance>,
}

/// Of one kind. Figures are decimals.
#[derive(Debug, Deserialize)]
pub(crate) struct Balance {
    pub(crate) leave_type_id: String,
    #[serde(default)]
    pub(crate) leave_type_name: Vec<LangText>,
    pub(crate) this_cycle_total: Option<String>,
    pub(crate) this_cycle_taken: Option<String>,
    pub(crate) leave_balance: Option<String>,
    /// 1 days, 2 hours.
    pub(crate) leave_duration_unit: Option<i64>,
}

/// Days of these people, by their staff numbers, `from` and `to` as 20190819. Not paged. People whom the vendor does not know, or of
/// whom the app may not know, are left out of the answer and named in it.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn tasks(config: &Config, numbers: &[&str], from: i64, to: i64) -> Result<Response, Failure> {
    let body =
        json!({ "user_ids": numbers, "check_date_from": from, "check_date_to": to, "need_overtime_result": false });
    let request = request(config, "POST", "/open-apis/attendance/v1/user_tasks/query")
        .query("employee_type", "employee_no")
        .query("ignore_invalid_users", true)
        .json(&body);
    ask(request)
}

/// The zone of an attendance group.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn zone_of_group(config: &Config, group: &str) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    struct Group {
        time_zone: Option<String>,
    }
    let request = get(config, &format!("/open-apis/attendance/v1/groups/{group}"))
        .query("employee_type", "employee_no")
        .query("dept_type", "open_id");
    Ok(data::<Group>(&ask(request)?)?.time_zone)
}

/// Requests for leave that end on a day or later, whichever way they went.
pub(crate) fn leave_requests(config: &Config, ends_from: &str, size: u32, token: Option<&str>) -> Request {
    get(config, "/open-apis/corehr/v1/leaves/leave_request_history")
        .query(USER_IDS.0, USER_IDS.1)
        .query("leave_end_date_min", ends_from)
        .query("page_size", size)
        .query_some("page_token", token)
}

/// Balances of every employee.
pub(crate) fn leave_balances(config: &Config, size: u32, token: Option<&str>) -> Request {
    get(config, "/open-apis/corehr/v1/leaves/leave_balances")
        .query(USER_IDS.0, USER_IDS.1)
        .query("page_size", size)
        .query_some("page_token", token)
}
