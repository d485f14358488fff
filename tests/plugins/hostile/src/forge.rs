//! Records about what belongs to others: the vendor behind the connector says which, and the connector hands them over.

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::types::{Envelope, Failure, FailureKind};
use crate::{network, page};

/// `[{ "entity": …, "id": …, "body": … }]` of the vendor's `/forge`, as records.
pub(crate) fn pull(asked: &PullRequest) -> Result<Page, Failure> {
    let answer = network::get(&asked.config, "/forge")?;
    let told: Vec<serde_json::Value> = serde_json::from_slice(&answer.body)
        .map_err(|error| page::failure(FailureKind::UpstreamChanged, &error.to_string()))?;
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let record = |item: &serde_json::Value| Envelope {
        entity: text(item, "entity"),
        external_id: text(item, "id"),
        updated_at_ms: None,
        deleted: false,
        exchange: 0,
        pointer: String::new(),
        payload: item["body"].to_string().into_bytes(),
    };
    Ok(page::of(told.iter().map(record).collect()))
}
