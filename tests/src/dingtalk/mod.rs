//! DingTalk: both API generations, both error shapes, the token rules, the throttling answers.
//!
//! Contract: the vendor's public documentation of contacts, smart-HR roster and error codes, as of 2026-08. Old and new
//! generation share one listener here; in the connector's configuration they are two origins.

pub mod approvals;
pub mod attendance;
mod contacts;
mod crypto;
pub mod events;
mod faults;
pub mod messages;
pub mod pace;
mod roster;
mod stream_mode;
mod token;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};

pub use crypto::Keys;
pub use faults::Fault;

use crate::people::person;

/// A department.
#[derive(Debug, Clone)]
pub struct Department {
    pub id: i64,
    pub parent: i64,
    pub name: String,
}

/// A member of the company.
#[derive(Debug, Clone)]
pub struct User {
    pub userid: String,
    pub name: String,
    pub mobile: String,
    pub email: String,
    pub title: String,
    pub job_number: String,
    pub departments: Vec<i64>,
    /// Milliseconds of midnight in China.
    pub hired_ms: i64,
    /// Smart-HR status: 2 probation, 3 regular, 5 leaving.
    pub status: u8,
}

/// A former member.
#[derive(Debug, Clone)]
pub struct Leaver {
    pub userid: String,
    pub name: String,
    pub department: i64,
    pub last_day_ms: i64,
    pub voluntary: Vec<String>,
}

/// Everything the simulator knows and counts.
#[derive(Debug)]
pub struct State {
    pub departments: Vec<Department>,
    pub users: Vec<User>,
    pub leavers: Vec<Leaver>,
    /// The fields that the app has no permission for: absent from every answer.
    pub hidden_fields: Vec<String>,
    /// Requests to token endpoints.
    pub token_requests: u64,
    /// Requests with a good token.
    pub requests: u64,
    /// Every token ends when so many requests were answered, as when the vendor rotates them in the middle of a run.
    pub expire_at_request: Option<u64>,
    pub events: events::Events,
    /// Everything that came back over Stream mode.
    pub stream_answers: Vec<Value>,
    /// Work notifications, in their order.
    pub tasks: Vec<messages::Task>,
    /// Work notifications that one person gets a day; more are left out in silence.
    pub messages_a_day: usize,
    pub approvals: Vec<approvals::Approval>,
    pub attendance: attendance::Attendance,
    /// Calls a second, as the vendor counts them; counted by the tests that ask for it.
    pub pace: pace::Pace,
    /// Departments outside of what the app may see.
    pub out_of_range: Vec<i64>,
    tokens: token::Tokens,
    faults: faults::Queue,
}

/// The company: shared with tests, which change it while it serves.
pub type Company = Arc<Mutex<State>>;

/// The app's credentials.
pub const APP_KEY: &str = "dingsimulatedapp";
/// The app's secret. A canary: it must turn up nowhere.
pub const APP_SECRET: &str = "canary-DingTalk-app-secret-5f2c9a";

const DAY_MS: i64 = 86_400_000;
/// 2020-01-01T00:00:00+08:00.
const HIRED_FROM_MS: i64 = 1_577_808_000_000;

/// A company of `n` people in nine departments, with a leaver for every tenth.
#[must_use]
pub fn company(n: usize) -> Company {
    let names = ["研发部", "销售部", "人力资源部", "财务部", "平台组", "数据组", "华东区", "华南区"];
    let departments: Vec<Department> = std::iter::once(Department { id: 1, parent: 0, name: "示例科技".into() })
        .chain(names.iter().enumerate().map(|(i, name)| Department {
            id: 100 + i as i64,
            // the last four hang below the first two, so that a walk must go down
            parent: if i < 4 { 1 } else { 100 + (i as i64 - 4) / 2 },
            name: (*name).into(),
        }))
        .collect();
    let titles = ["工程师", "高级工程师", "销售经理", "招聘专员", "会计", "数据分析师"];
    let users = (0..n)
        .map(|i| {
            let who = person(i);
            let mut of = vec![100 + (i % names.len()) as i64];
            if i % 7 == 0 {
                of.push(100 + ((i + 3) % names.len()) as i64);
            }
            User {
                userid: format!("user{i:05}"),
                name: who.name,
                mobile: who.mobile,
                email: format!("{}@example.test", who.latin),
                title: titles[i % titles.len()].into(),
                job_number: format!("E{i:05}"),
                departments: of,
                hired_ms: HIRED_FROM_MS + (i as i64 * 13 % 1_500) * DAY_MS,
                status: if i % 9 == 0 { 2 } else { 3 },
            }
        })
        .collect();
    let leavers = (0..n / 10)
        .map(|i| Leaver {
            userid: format!("left{i:05}"),
            name: person(10_000 + i).name,
            department: 100 + (i % names.len()) as i64,
            last_day_ms: HIRED_FROM_MS + (1_600 + i as i64) * DAY_MS,
            voluntary: vec![["家庭原因", "个人原因", "薪资原因"][i % 3].into()],
        })
        .collect();
    Arc::new(Mutex::new(State {
        departments,
        users,
        leavers,
        hidden_fields: Vec::new(),
        token_requests: 0,
        requests: 0,
        expire_at_request: None,
        events: events::Events::default(),
        stream_answers: Vec::new(),
        tasks: Vec::new(),
        messages_a_day: 500,
        approvals: Vec::new(),
        attendance: attendance::Attendance::of("user00000"),
        pace: pace::Pace::default(),
        out_of_range: Vec::new(),
        tokens: token::Tokens::default(),
        faults: faults::Queue::default(),
    }))
}

/// Puts a fault before the next matching requests.
pub fn inject(company: &Company, fault: Fault) {
    company.lock().unwrap().faults.push(fault);
}

/// The simulator's routes.
pub fn router(company: Company) -> Router {
    Router::new()
        .route("/topapi/v2/department/get", post(contacts::department))
        .route("/topapi/v2/department/listsub", post(contacts::sub_departments))
        .route("/topapi/v2/user/list", post(contacts::users))
        .route("/topapi/smartwork/hrm/employee/queryonjob", post(roster::on_job))
        .route("/v1.0/hrm/rosters/lists/query", post(roster::fields))
        .route("/v1.0/hrm/employees/dismissions", get(roster::dismissions))
        .route("/v1.0/hrm/employees/dimissionInfos", get(roster::dismission_details))
        .route("/topapi/v2/user/get", post(contacts::user_detail))
        .route("/topapi/message/corpconversation/asyncsend_v2", post(messages::send))
        .route("/topapi/message/corpconversation/getsendprogress", post(messages::progress))
        .route("/topapi/message/corpconversation/getsendresult", post(messages::result))
        .route("/v1.0/workflow/processInstances", post(approvals::start).get(approvals::detail))
        .route("/v1.0/workflow/processes/instanceIds/query", post(approvals::find))
        .merge(attendance_routes())
        .layer(axum::middleware::from_fn_with_state(company.clone(), token::guard))
        .layer(axum::middleware::from_fn_with_state(company.clone(), faults::before))
        .route("/v1.0/gateway/connections/open", post(stream_mode::open))
        .route("/connect", get(stream_mode::connect))
        .route("/gettoken", get(token::old))
        .route("/v1.0/oauth2/accessToken", post(token::new))
        .with_state(company)
}

fn attendance_routes() -> Router<Company> {
    Router::new()
        .route("/attendance/list", post(attendance::results))
        .route("/attendance/listRecord", post(attendance::punches))
        .route("/topapi/attendance/schedule/listbyusers", post(attendance::plans))
        .route("/topapi/attendance/getleavestatus", post(attendance::leave))
        .route("/topapi/attendance/vacation/type/list", post(attendance::types))
        .route("/topapi/attendance/vacation/quota/list", post(attendance::quotas))
}

/// The old generation's answer.
fn ok(result: &Value) -> axum::Json<Value> {
    axum::Json(json!({ "errcode": 0, "errmsg": "ok", "request_id": "sim", "result": result }))
}

/// What the vendor's gateway refuses before the old interface is asked: wrapped in 88, with the code that counts in
/// `sub_code`, as text. Recorded from `/topapi/v2/user/get` with an invalid token, on 2026-09-11.
fn old_refusal(code: i64, message: &str) -> axum::Json<Value> {
    axum::Json(json!({ "errcode": 88, "sub_code": code.to_string(), "sub_msg": message, "request_id": "sim",
                       "errmsg": format!("ding talk error[subcode={code},submsg={message}]") }))
}

/// The old generation's error: HTTP 200 all the same.
fn old_error(code: i64, message: &str) -> axum::Json<Value> {
    axum::Json(json!({ "errcode": code, "errmsg": message, "request_id": "sim" }))
}
