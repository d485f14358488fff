//! DingTalk in both directions: contacts, the smart-HR roster, attendance, leave and approvals in; events by callback and by Stream; work
//! notifications and approvals out.
//!
//! Owns the vendor's two API generations ([`api`]), how its lists are walked (the `streams`), the way of its objects into
//! canonical records ([`map`]), what its events mean ([`callback`]) and what can be done there ([`actions`]). Facts of the
//! contract are marked in README.md with how well they are known.

pub mod actions;
pub mod api;
pub mod callback;
mod config;
pub mod map;
mod streams;

use renmen_plugin::{
    Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt, Sink, Source, Webhook, export_connector,
};

pub use config::Config;

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
            "attendance" => streams::attendance::pull(&config, &pull),
            "schedules" => streams::schedules::pull(&config, &pull),
            "leave" => streams::leave::pull(&config, &pull),
            "leave_balances" => streams::leave_balances::pull(&config, &pull),
            "approvals" => streams::approvals::pull(&config, &pull),
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

impl Sink for DingTalk {
    type Config = Config;

    fn push(config: Config, action: Action) -> Result<Receipt, Failure> {
        match action.name.as_str() {
            "message.send" => actions::message::send(&config, &action),
            "message.result" => actions::message::result(&config, &action),
            "approval.start" => actions::approval::start(&config, &action),
            "approval.get" => actions::approval::get(&config, &action),
            other => Err(Failure::invalid_input(format!("this connector has no action `{other}`"))),
        }
    }
}

impl Webhook for DingTalk {
    type Config = Config;

    fn receive(_: Config, delivery: Delivery) -> Result<Outcome, Failure> {
        callback::receive(&delivery)
    }
}

fn finding(name: &str, good: &str, failure: Option<Failure>) -> Finding {
    match failure {
        None => Finding::good(name, good),
        Some(failure) => Finding::bad(name, failure.to_string()),
    }
}

export_connector!(DingTalk);
