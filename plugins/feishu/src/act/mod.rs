//! Actions: what the gateway writes to Feishu.

mod ai_interview;
mod approval;
mod message;
mod note;
mod stage;
mod terminate;

use renmen_plugin::{Action, Failure, Receipt};
use serde_json::{Map, Value};

use crate::Config;

pub(crate) fn push(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    match action.name.as_str() {
        "ai_interview.upsert" => ai_interview::upsert(config, &action.input()?),
        "application.move" => stage::advance(config, &action.input()?),
        "application.terminate" => terminate::end(config, &action.input()?),
        "approval.get" => approval::get(config, &action.input()?),
        "approval.start" => approval::start(config, &action.idempotency_key, &action.input()?),
        "candidate.note" => note::add(config, &action.input()?),
        "message.send" => message::send(config, &action.idempotency_key, &action.input()?),
        name => Err(Failure::invalid_input(format!("this connector has no action `{name}`"))),
    }
}

/// A receipt of something that the vendor has, and has answered with.
fn done<const N: usize>(reference: &str, facts: [(&str, Value); N]) -> Receipt {
    let detail: Map<String, Value> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Receipt { reference: Some(reference.to_owned()), detail, confirmed: true }
}
