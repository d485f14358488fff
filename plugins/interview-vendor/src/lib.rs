//! Reads any AI interview vendor that serves the interview vendor protocol (docs/interview-vendor-protocol.md).
//!
//! Owns the protocol's shapes ([`vendor`]) and their way into canonical records ([`map`]). Each stream is one collection
//! of the protocol, read by modified time, inclusive, so that nothing is lost at the seam of two runs.

pub mod map;
mod read;
pub mod vendor;

use renmen_plugin::http::Request;
use renmen_plugin::{Failure, Finding, Page, Pull, Source, export_source};
use serde::Deserialize;

/// The connection's configuration.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// Where the protocol is served.
    pub base_url: String,
}

/// The connector.
pub struct InterviewVendor;

impl Source for InterviewVendor {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        match pull.stream.as_str() {
            "candidates" => read::collection(&config, &pull, map::candidate),
            "applications" => read::collection(&config, &pull, map::application),
            "orders" => read::collection(&config, &pull, map::order),
            "interviews" => read::collection(&config, &pull, map::interview),
            "answers" => read::collection(&config, &pull, map::answer),
            "dimension_scores" => read::collection(&config, &pull, map::dimension_score),
            "environment_events" => read::collection(&config, &pull, map::environment_event),
            "process_nodes" => read::collection(&config, &pull, map::process_node),
            "results" => read::collection(&config, &pull, map::result),
            _ => Err(pull.unknown_stream()),
        }
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        let url = format!("{}/candidates", config.base_url.trim_end_matches('/'));
        let answer = Request::get(url)
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

export_source!(InterviewVendor);
