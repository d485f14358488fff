//! DingTalk: contacts and the smart-HR roster.
//!
//! Owns the vendor's two API generations ([`api`]), how its lists are walked ([`walk`] and the `streams`), and the way of
//! its objects into canonical records ([`map`]). Facts of the contract are marked in README.md with how well they are known.

pub mod api;
pub mod map;
mod streams;

use renmen_plugin::{Failure, Finding, Page, Pull, Source, export_source};
use serde::Deserialize;

/// The connection's configuration.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// New generation.
    pub api_url: String,
    /// Old generation.
    pub oapi_url: String,
    /// Where the walk over departments begins.
    #[serde(default = "company")]
    pub root_department: i64,
}

/// The vendor's id of the whole company.
fn company() -> i64 {
    1
}

/// The connector.
pub struct DingTalk;

impl Source for DingTalk {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        match pull.stream.as_str() {
            "departments" => streams::departments::pull(&config, &pull),
            "users" => streams::users::pull(&config, &pull),
            "roster" => streams::roster::pull(&config, &pull),
            "leavers" => streams::leavers::pull(&config, &pull),
            _ => Err(pull.unknown_stream()),
        }
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        let departments = api::old::<Vec<api::Department>>(
            &config,
            "/topapi/v2/department/listsub",
            &api::SubDepartments { dept_id: config.root_department },
        );
        let leavers = api::leaver_ids(&config, None, 1);
        Ok(vec![
            finding("list departments (old generation)", "contacts can be read", departments.err()),
            finding("list leavers (new generation)", "smart HR can be read", leavers.err()),
        ])
    }
}

fn finding(name: &str, good: &str, failure: Option<Failure>) -> Finding {
    match failure {
        None => Finding::good(name, good),
        Some(failure) => Finding::bad(name, failure.to_string()),
    }
}

export_source!(DingTalk);
