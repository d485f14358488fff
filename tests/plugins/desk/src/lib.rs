//! A connector that only writes: each action is one POST with the gateway's idempotency key in a header.

use renmen_plugin::http::Request;
use renmen_plugin::{Action, Failure, Receipt, Sink, export_sink};
use serde_json::{Map, Value};

/// The connection's configuration.
#[derive(serde::Deserialize)]
pub struct Config {
    base_url: String,
}

/// The connector.
pub struct Desk;

#[derive(serde::Deserialize)]
struct Taken<'a> {
    id: &'a str,
}

impl Sink for Desk {
    type Config = Config;

    fn push(config: Config, action: Action) -> Result<Receipt, Failure> {
        let note: Map<String, Value> = action.input()?;
        let answer = Request::post(format!("{}/notes", config.base_url))
            .header("idempotency-key", action.idempotency_key.as_str())
            .json(&note)
            .send()?
            .ok()?;
        let taken: Taken<'_> = answer.json()?;
        Ok(Receipt { reference: Some(taken.id.to_owned()), detail: Map::new(), confirmed: true })
    }
}

export_sink!(Desk);
