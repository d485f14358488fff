//! The connector against answers as the vendor words them. People in the fixtures are made up.
#![allow(clippy::unwrap_used)]

mod approvals;
mod attendance;
mod events;
mod kept;
mod reads;
mod stages;
mod writes;

use renmen_plugin::testing::Host;
use serde_json::{Value, json};

const BASE: &str = "https://feishu.test";

fn config() -> Value {
    json!({ "base_url": BASE })
}

fn fixtures() -> Host {
    Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

fn payload(record: &renmen_plugin::Envelope) -> Value {
    serde_json::from_slice(&record.payload).unwrap()
}
