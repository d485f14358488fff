//! Feishu (飞书), in the role of the HR system of record: Hire (招聘) and CoreHR (人事).
//!
//! Owns how the vendor is asked ([`api`]), how its lists are walked (`streams`), the way of its objects into canonical records
//! ([`map`]), the actions that write to it ([`act`]) and the events that it sends ([`event`]). Must not know: who orders an
//! interview or decides on it, and any secret. Facts of the contract are marked in README.md with how well they are known.

mod act;
mod api;
mod changed;
mod event;
mod map;
mod marker;
mod part;
mod streams;

use std::collections::BTreeMap;

use renmen_plugin::{
    Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt, Sink, Source, Webhook, export_connector,
};
use serde::Deserialize;

/// The connection's configuration.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// `https://open.feishu.cn`, or `https://open.larksuite.com` outside of China.
    pub base_url: String,
    /// The name under which an AI interview's assessment stands in Hire.
    #[serde(default = "interviewer")]
    pub interviewer: String,
    /// The résumé source under which our external applications stand in Hire. It is also how they are found again.
    #[serde(default = "source")]
    pub source: String,
    /// Interviews that began longer ago than this many days are read by a full run alone.
    #[serde(default = "lookback")]
    pub interview_lookback_days: u32,
    /// Read leavers' applications, for the day and the reason of leaving? It needs a permission of its own.
    #[serde(default = "yes")]
    pub offboardings: bool,
    /// What the company's reasons for the end of an application mean: their ids or names in Hire, with codes of outcome reasons.
    #[serde(default)]
    pub reasons: BTreeMap<String, String>,
    /// How many days the stream `attendance` reads, today the last of them. At most 180.
    #[serde(default = "a_week")]
    pub attendance_days: u32,
    /// The stream `leave` reads what ends so many days back or later. At most 730.
    #[serde(default = "a_month")]
    pub leave_days: u32,
    /// The approval forms that the stream `approvals` looks into, by code.
    #[serde(default)]
    pub approval_forms: Vec<String>,
    /// The text field of those forms, by its id, that says what an approval is about.
    #[serde(default)]
    pub approval_reference: Option<String>,
    /// How far back that stream looks, by the day an approval was started. Days, at most 90.
    #[serde(default = "a_week")]
    pub approval_days: u32,
}

impl Config {
    /// The form's field that says what an approval is about.
    ///
    /// # Errors
    /// [`FailureKind::BadConfig`](renmen_plugin::FailureKind) when it is not set.
    pub fn reference_field(&self) -> Result<&str, Failure> {
        self.approval_reference.as_deref().ok_or_else(|| {
            Failure::bad_config(
                "`approval_reference` is not set: add a text field to the approval form and name its id here",
            )
        })
    }
}

fn a_week() -> u32 {
    7
}

fn a_month() -> u32 {
    30
}

fn interviewer() -> String {
    "AI 面试官".into()
}

fn source() -> String {
    "AI 面试".into()
}

fn lookback() -> u32 {
    90
}

fn yes() -> bool {
    true
}

/// The connector.
pub struct Feishu;

impl Source for Feishu {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        streams::pull(&config, &pull)
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        Ok(streams::probe(&config))
    }
}

impl Sink for Feishu {
    type Config = Config;

    fn push(config: Config, action: Action) -> Result<Receipt, Failure> {
        act::push(&config, &action)
    }
}

impl Webhook for Feishu {
    type Config = Config;

    fn receive(_: Config, delivery: Delivery) -> Result<Outcome, Failure> {
        event::receive(&delivery)
    }
}

export_connector!(Feishu);
