//! Reads, orders from and listens to any AI interview vendor that serves the interview vendor protocol
//! (docs/interview-vendor-protocol.md).
//!
//! Owns the protocol's shapes ([`vendor`]) and their way into canonical records ([`map`]). Each stream is one collection of the
//! protocol, read by modified time, inclusive, so that nothing is lost at the seam of two runs; an event carries objects of
//! the same collections, so both doors lead through the same mapping (`collection`). `write` places orders and adjust
//! instructions, `receive` takes signed events.

mod collection;
pub mod map;
mod read;
mod receive;
pub mod vendor;
mod write;

use renmen_plugin::http::Request;
use renmen_plugin::paging::Window;
use renmen_plugin::schema::entity::Application;
use renmen_plugin::schema::id::ConnectionName;
use renmen_plugin::schema::types::{ExternalId, Ref};
use renmen_plugin::{
    Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt, Sink, Source, Webhook, export_connector,
};
use serde::Deserialize;

/// The connection's configuration.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// Where the protocol is served.
    pub base_url: String,
    /// The connection whose ids orders name applications and candidates by; none: the vendor's own.
    #[serde(default)]
    pub applications: Option<ConnectionName>,
    /// How late an object may show up.
    #[serde(default)]
    pub overlap_minutes: Option<u32>,
    /// How far ahead its time may lie.
    #[serde(default)]
    pub skew_minutes: Option<u32>,
}

impl Config {
    /// The address of a path below the base.
    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.trim_end_matches('/'))
    }

    /// How far the vendor's clock and lists are trusted.
    fn window(&self) -> Window {
        let ms = |minutes: Option<u32>, usual: i64| minutes.map_or(usual, |minutes| i64::from(minutes) * 60_000);
        let usual = Window::default();
        Window { overlap_ms: ms(self.overlap_minutes, usual.overlap_ms), skew_ms: ms(self.skew_minutes, usual.skew_ms) }
    }

    /// An application as the vendor names it, told apart by whose id that is.
    fn application(&self, mut named: Ref<Application>) -> Ref<Application> {
        if let Some(external) = &mut named.external {
            external.connection.clone_from(&self.applications);
        }
        named
    }

    /// Ids that the customer's system gave, told apart by which system that is.
    fn given(&self, mut ids: Vec<ExternalId>) -> Vec<ExternalId> {
        for id in &mut ids {
            id.connection.clone_from(&self.applications);
        }
        ids
    }
}

/// The connector.
pub struct InterviewVendor;

impl Source for InterviewVendor {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        read::pull(&config, &pull)
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        let answer = Request::get(config.url("candidates"))
            .query("limit", 1)
            .slot("key")
            .send()
            .and_then(|response| read::accept(response, "candidates"));
        Ok(vec![match answer {
            Ok(_) => Finding::good("read candidates", "the vendor answers and takes the key"),
            Err(failure) => Finding::bad("read candidates", failure.to_string()),
        }])
    }
}

impl Sink for InterviewVendor {
    type Config = Config;

    fn push(config: Config, action: Action) -> Result<Receipt, Failure> {
        write::push(&config, &action)
    }
}

impl Webhook for InterviewVendor {
    type Config = Config;

    fn receive(config: Config, delivery: Delivery) -> Result<Outcome, Failure> {
        receive::receive(&config, &delivery)
    }
}

export_connector!(InterviewVendor);
