//! Feishu: Hire and CoreHR with what they were told, tokens that end, throttling in both statuses, errors inside HTTP 200, page
//! tokens, and events that are encrypted and signed.
//!
//! Contract: the vendor's public documentation of Hire, CoreHR, messages and events, as of 2026-08. What is under `/sim` is not
//! the vendor's: it is where a test or the demo makes something happen.

mod admin;
pub mod approvals;
mod attendance;
mod corehr;
mod events;
mod external;
mod faults;
mod hire;
mod made_up;
mod page;
mod process;
mod token;

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

pub use events::{Sending, event, old_event, send, send_text};
pub use faults::Fault;

/// Everything the simulator knows and counts. Objects are as the vendor words them.
#[derive(Debug, Default)]
pub struct State {
    pub departments: Vec<Value>,
    pub employees: Vec<Value>,
    pub offboardings: Vec<Value>,
    pub jobs: Vec<Value>,
    pub talents: Vec<Value>,
    pub applications: Vec<Value>,
    pub offers: Vec<Value>,
    pub interviews: Vec<Value>,
    pub evaluations: Vec<Value>,
    pub external_applications: Vec<Value>,
    pub external_interviews: Vec<Value>,
    pub background_checks: Vec<Value>,
    pub notes: Vec<Value>,
    /// Paths, or parts of them, for which the app has no permission.
    pub denied: Vec<String>,
    /// Applications that another one of the same candidate locks.
    pub locked: Vec<String>,
    /// Writes to applications that were taken: path's last segment and id.
    pub moves: Vec<(String, String)>,
    pub messages: Vec<Value>,
    pub approvals: Vec<Value>,
    /// The answer to the next approval that is started is lost.
    pub lose_next_approval: bool,
    /// Staff numbers of those whose attendance the app may not see.
    pub unseen: Vec<String>,
    /// Where people's requests for leave stand, by employment, where it is not as made up.
    pub leave_status: std::collections::BTreeMap<String, i64>,
    /// Requests to the token endpoint.
    pub token_requests: u64,
    /// Requests with a good token.
    pub requests: u64,
    /// Every token ends when so many requests were answered.
    pub expire_at_request: Option<u64>,
    /// External ids that made something: the same again is refused.
    made_of: Vec<String>,
    next_id: u64,
    tokens: token::Tokens,
    faults: faults::Queue,
}

impl State {
    /// An id as the vendor's look.
    fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        format!("74{:017}", self.next_id)
    }
}

/// The tenant: shared with tests, which change it while it serves.
pub type Tenant = Arc<Mutex<State>>;

/// The app's credentials.
pub const APP_ID: &str = "cli_simulated";
/// The app's secret. A canary: it must turn up nowhere.
pub const APP_SECRET: &str = "canary-Feishu-app-secret-7b31d0";
/// What events are encrypted and signed with. A canary: it must turn up nowhere.
pub const ENCRYPT_KEY: &str = "canary-Feishu-encrypt-key-c04e22";
/// What every event says of itself. A canary: it must turn up nowhere.
pub const VERIFICATION_TOKEN: &str = "canary-Feishu-verification-token-9d";

/// A company of so many employees with so many candidates.
#[must_use]
pub fn tenant(employees: usize, candidates: usize) -> Tenant {
    Arc::new(Mutex::new(made_up::state(employees, candidates)))
}

/// Puts a fault before the next requests.
pub fn inject(tenant: &Tenant, fault: Fault) {
    tenant.lock().unwrap().faults.push(fault);
}

/// The id of the n-th application.
#[must_use]
pub fn application_id(n: usize) -> String {
    made_up::application_id(n)
}

/// Which made-up person the candidate of the n-th application is, in a tenant of so many employees and candidates.
#[must_use]
pub fn candidate_person(n: usize, employees: usize, candidates: usize) -> usize {
    made_up::candidate_person(n, employees, candidates)
}

/// Moves an application to a stage, as a person does in Hire. `false` if the application or the stage does not exist.
#[must_use]
pub fn move_application(tenant: &Tenant, application: &str, stage_id: &str) -> bool {
    made_up::move_application(&mut tenant.lock().unwrap(), application, stage_id, now_ms())
}

/// The simulator's routes.
pub fn router(tenant: Tenant) -> Router {
    let api = Router::new()
        .merge(hire_routes())
        .merge(external_routes())
        .route("/corehr/v2/departments/search", post(corehr::departments))
        .route("/corehr/v2/departments/batch_get", post(corehr::some_departments))
        .route("/corehr/v2/employees/search", post(corehr::employees))
        .route("/corehr/v2/employees/batch_get", post(corehr::some_employees))
        .route("/corehr/v1/offboardings/search", post(corehr::offboardings))
        .merge(attendance_routes())
        .route("/im/v1/messages", post(admin::message))
        .layer(axum::middleware::from_fn_with_state(tenant.clone(), token::guard))
        .layer(axum::middleware::from_fn_with_state(tenant.clone(), faults::before))
        .route("/auth/v3/tenant_access_token/internal", post(token::issue));
    Router::new()
        .nest("/open-apis", api)
        .route("/sim/faults", post(admin::fault))
        .route("/sim/events", post(admin::send_event))
        .route("/sim/messages", get(admin::messages))
        .route("/sim/applications/{id}/stage", put(admin::move_stage))
        .with_state(tenant)
}

fn hire_routes() -> Router<Tenant> {
    Router::new()
        .route("/hire/v1/jobs", get(hire::jobs))
        .route("/hire/v1/jobs/{id}", get(hire::job))
        .route("/hire/v1/talents", get(hire::talents))
        .route("/hire/v1/talents/{id}", get(hire::talent))
        .route("/hire/v1/applications", get(hire::applications))
        .route("/hire/v1/applications/{id}", get(hire::application))
        .route("/hire/v1/applications/{id}/offer", get(hire::offer_of))
        .route("/hire/v1/offers/{id}", get(hire::offer))
        .route("/hire/v1/applications/{id}/transfer_stage", post(process::transfer_stage))
        .route("/hire/v1/applications/{id}/terminate", post(process::terminate))
        .route("/hire/v1/termination_reasons", get(process::termination_reasons))
        .route("/hire/v1/job_processes", get(process::processes))
        .route("/hire/v1/interviews", get(hire::interviews))
        .route("/hire/v2/interview_records", get(hire::evaluations))
        .route("/hire/v1/notes", get(hire::notes).post(hire::add_note))
}

fn attendance_routes() -> Router<Tenant> {
    Router::new()
        .route("/attendance/v1/user_tasks/query", post(attendance::tasks))
        .route("/attendance/v1/groups/{id}", get(attendance::group))
        .route("/corehr/v1/leaves/leave_request_history", get(attendance::leave))
        .route("/corehr/v1/leaves/leave_balances", get(attendance::balances))
        .route("/approval/v4/instances", post(approvals::start).get(approvals::find))
        .route("/approval/v4/instances/{code}", get(approvals::detail))
}

fn external_routes() -> Router<Tenant> {
    Router::new()
        .route("/hire/v1/external_applications", get(external::applications).post(external::add_application))
        .route("/hire/v1/external_interviews", post(external::add_interview))
        .route("/hire/v1/external_interviews/{id}", put(external::put_interview))
        .route("/hire/v1/external_interviews/batch_query", post(external::interviews))
        .route("/hire/v1/external_interview_assessments", post(external::add_assessment))
        .route("/hire/v1/external_interview_assessments/{id}", patch(external::patch_assessment))
        .route("/hire/v1/external_background_checks/batch_query", post(external::background_checks))
}

fn ok(data: &Value) -> Response {
    Json(json!({ "code": 0, "msg": "success", "data": data })).into_response()
}

fn error(status: StatusCode, code: i64, message: &str) -> Response {
    (status, Json(json!({ "code": code, "msg": message, "error": { "log_id": "sim" } }))).into_response()
}

fn bad_parameter(what: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_002_002, &format!("参数错误: {what}"))
}

/// The object of an id.
fn find<'v>(list: &'v [Value], id: &str) -> Option<&'v Value> {
    list.iter().find(|object| object["id"] == id)
}

/// Now, in milliseconds.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A time that may be a number or a text.
fn ms(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}
