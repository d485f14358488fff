//! Hire (招聘): jobs, talents, applications, interviews, offers. Shapes with the members that are used, and the requests that
//! more than one stream or action needs.

mod application;
mod interview;
mod job;
mod offer;
mod talent;

pub(crate) use application::{
    Application, JOINED, Process, ProcessStage, SHOWN_ONLY, StageTime, THEY_REFUSED, TerminationReason,
};
pub(crate) use interview::{Evaluation, Interview, InterviewRecord};
pub(crate) use job::Job;
pub(crate) use offer::{BasicSalary, Offer, SalaryPlan};
pub(crate) use talent::{Career, Education, Project, Talent};

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, Response, path_segment};
use serde::Deserialize;

use super::{accept, all, data, get, is_gone};
use crate::Config;

/// Which kind of user id answers carry: the vendor's default for Hire.
pub(crate) const USER_IDS: (&str, &str) = ("user_id_type", "open_id");
/// Which kind of department id answers carry, in Hire and CoreHR alike, so that they meet.
pub(crate) const DEPARTMENT_IDS: (&str, &str) = ("department_id_type", "open_department_id");

/// The path of applications.
pub(crate) const APPLICATIONS: &str = "/open-apis/hire/v1/applications";

/// `GET /hire/v1/applications/:id`.
pub(crate) fn application(config: &Config, id: &str) -> Request {
    get(config, APPLICATIONS).segment(id).query(USER_IDS.0, USER_IDS.1)
}

/// An application that an action is about.
///
/// # Errors
/// `InvalidInput` for one that Hire does not have; the vendor's.
pub(crate) fn found(config: &Config, id: &str) -> Result<Application, Failure> {
    let response = application(config, id).send()?;
    if is_gone(&response) {
        return Err(Failure::invalid_input("Hire has no application of this application_id"));
    }
    application_in(&accept(response)?)
}

/// The application in an answer to [`application`].
///
/// # Errors
/// `UpstreamChanged` when it is not of that shape.
pub(crate) fn application_in(response: &Response) -> Result<Application, Failure> {
    #[derive(Deserialize)]
    struct Found {
        application: Application,
    }
    Ok(data::<Found>(response)?.application)
}

/// The path of an application.
///
/// # Errors
/// `InvalidInput` for what is not an id.
pub(crate) fn application_path(id: &str) -> Result<String, Failure> {
    Ok(format!("{APPLICATIONS}/{}", path_segment(id)?))
}

/// `GET /hire/v1/jobs/:id`. The newer `get_detail` has another shape than the list: a record must not look different by the
/// way that it came.
pub(crate) fn job(config: &Config, id: &str) -> Request {
    get(config, "/open-apis/hire/v1/jobs")
        .segment(id)
        .query(USER_IDS.0, USER_IDS.1)
        .query(DEPARTMENT_IDS.0, DEPARTMENT_IDS.1)
}

/// `GET /hire/v1/talents/:id`: the shape of the list, as for [`job`].
pub(crate) fn talent(config: &Config, id: &str) -> Request {
    get(config, "/open-apis/hire/v1/talents").segment(id).query(USER_IDS.0, USER_IDS.1)
}

/// `GET /hire/v1/job_processes`: every process with its stages.
///
/// # Errors
/// The vendor's.
pub(crate) fn processes(config: &Config) -> Result<Vec<Process>, Failure> {
    /// Of 100 each.
    const PAGES_MAX: usize = 10;
    all(PAGES_MAX, |token| {
        get(config, "/open-apis/hire/v1/job_processes").query("page_size", 100).query_some("page_token", token)
    })
}

/// `GET /hire/v1/termination_reasons`: the vendor's own reasons and those of the company.
///
/// # Errors
/// The vendor's.
pub(crate) fn termination_reasons(config: &Config) -> Result<Vec<TerminationReason>, Failure> {
    /// Of 200 each.
    const PAGES_MAX: usize = 10;
    all(PAGES_MAX, |token| {
        get(config, "/open-apis/hire/v1/termination_reasons").query("page_size", 200).query_some("page_token", token)
    })
}
