//! One file a stream: what is asked, in which order, and what the cursor remembers.

mod applications;
mod approvals;
mod attendance;
mod candidates;
mod departments;
pub(crate) mod employees;
mod external;
mod interviews;
mod jobs;
mod leave;
mod offers;

use renmen_plugin::http::{Request, Response, send_all};
use renmen_plugin::{Failure, Finding, Page, Pull};

use crate::Config;
use crate::api::{self, corehr, hire};

/// Records asked for by id in one call; a targeted read brings few.
const ONLY_MAX: usize = 200;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if pull.only.len() > ONLY_MAX {
        return Err(Failure::invalid_input(format!("{} ids at once, {ONLY_MAX} are taken", pull.only.len())));
    }
    match pull.stream.as_str() {
        "departments" => departments::pull(config, pull),
        "employees" => employees::pull(config, pull),
        "jobs" => jobs::pull(config, pull),
        "candidates" => candidates::pull(config, pull),
        "applications" => applications::pull(config, pull),
        "interviews" => interviews::pull(config, pull),
        "offers" => offers::pull(config, pull),
        "attendance" => attendance::pull(config, pull),
        "leave" => leave::requests(config, pull),
        "leave_balances" => leave::balances(config, pull),
        "approvals" => approvals::pull(config, pull),
        "external_records" => external::pull(config, pull),
        _ => Err(pull.unknown_stream()),
    }
}

/// The answers for these ids, in their order, with the ids.
fn each(ids: &[String], request: impl Fn(&str) -> Request) -> impl Iterator<Item = (&str, Result<Response, Failure>)> {
    let answers = send_all(ids.iter().map(|id| request(id)).collect());
    ids.iter().map(String::as_str).zip(answers)
}

/// How many of these fit into a page, at most as many as the vendor gives at once.
fn size(max_records: u32, records_each: u32, vendor_max: u32) -> u32 {
    (max_records / records_each).clamp(1, vendor_max)
}

/// One small question to each part of the API: the token, and the permissions for it.
pub(crate) fn probe(config: &Config) -> Vec<Finding> {
    let list = |path: &str| api::get(config, path).query("page_size", 1);
    let search =
        |path: &str, ids: (&str, &str)| api::request(config, "POST", path).query("page_size", 1).query(ids.0, ids.1);
    let tried = [
        ("list jobs (Hire)", list("/open-apis/hire/v1/jobs")),
        ("list talents (Hire)", list("/open-apis/hire/v1/talents").query("query_option", "ignore_empty_error")),
        ("list applications (Hire)", list("/open-apis/hire/v1/applications")),
        (
            "search departments (CoreHR)",
            search("/open-apis/corehr/v2/departments/search", hire::DEPARTMENT_IDS).json(&serde_json::json!({})),
        ),
        (
            "search employees (CoreHR)",
            search("/open-apis/corehr/v2/employees/search", corehr::USER_IDS).json(&serde_json::json!({})),
        ),
    ];
    let finding = |(name, request): (&str, Request)| match api::ask(request) {
        Ok(_) => Finding::good(name, "works"),
        Err(failure) => Finding::bad(name, failure.to_string()),
    };
    tried.into_iter().map(finding).collect()
}
