//! The vendor's API: requests, answers, and what its errors mean. Both generations.

mod approval;
mod attendance;
mod error;
mod leavers;
mod message;
mod shapes;

pub use approval::{
    Approvers, FindInstances, FormValue, INSTANCES_MAX, Instance, InstanceIds, StartInstance, find_instances,
    instance_of, instance_request, start_instance,
};
pub use attendance::{
    ATTENDANCE_DAYS_MAX, ATTENDANCE_PEOPLE_MAX, LEAVE_MAX, LeaveStatus, LeaveType, PlannedTime, PunchResult,
    QUOTAS_MAX, Quota, RESULTS_MAX, RawPunch, leave, leave_types, punch_results, quotas, raw_punches, schedules,
};
pub use leavers::{leaver_details, leaver_ids};
pub use message::{Forbidden, SendProgress, SendResult, send_message, send_progress, send_result};
pub use shapes::{
    Department, FieldValue, Leaver, LeaverIds, OnJob, OnJobIds, OneUser, RosterEntry, RosterField, RosterQuery,
    SubDepartments, User, UserList, Users,
};

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Config;

/// A request to the old generation: `POST` with JSON, the token in the query, errors inside HTTP 200.
#[must_use]
pub fn old_request(config: &Config, path: &str, body: &impl Serialize) -> Request {
    Request::post(format!("{}{path}", config.oapi_url.trim_end_matches('/'))).json(body).slot("app_old")
}

/// A request to the new generation: the token in a header, errors as HTTP statuses with a code.
#[must_use]
pub fn new_request(config: &Config, method: &str, path: &str) -> Request {
    Request::new(method, format!("{}{path}", config.api_url.trim_end_matches('/'))).slot("app")
}

/// Asks the old generation and takes `result`.
///
/// # Errors
/// What the answer's code means.
pub fn old<T: DeserializeOwned>(config: &Config, path: &str, body: &impl Serialize) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Answer<T> {
        result: T,
    }
    let response = accept_old(old_request(config, path, body).send()?)?;
    Ok(response.json::<Answer<T>>()?.result)
}

/// The response of the old generation about one thing, whether it is there or not: false when the vendor says that it
/// does not exist.
///
/// # Errors
/// What any other code means.
pub fn one_of_old(response: Response) -> Result<(Response, bool), Failure> {
    if error::is_gone(&response) {
        return Ok((response, false));
    }
    Ok((accept_old(response)?, true))
}

/// The response of the old generation, if it is a good one.
///
/// # Errors
/// What the answer's code means.
pub fn accept_old(response: Response) -> Result<Response, Failure> {
    match error::of_old(&response) {
        None => response.ok(),
        Some(failure) => Err(failure),
    }
}

/// The response of the new generation, if it is a good one.
///
/// # Errors
/// What the answer's code means.
pub fn accept_new(response: Response) -> Result<Response, Failure> {
    match error::of_new(&response) {
        None => response.ok(),
        Some(failure) => Err(failure),
    }
}
