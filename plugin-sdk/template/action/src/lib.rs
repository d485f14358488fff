//! @name@: notes about candidates, written into a recruiting system.
//!
//! A flow of the gateway decides what is sent and when; the gateway repeats an attempt that failed and never one that is refused.
//! Here are the two requests alone.

use renmen_plugin::http::Request;
use renmen_plugin::{Action, Failure, Receipt, Sink, export_sink};
use serde::{Deserialize, Serialize};

/// The connection's `config`, as `config_schema` in plugin.toml allows it.
#[derive(Deserialize)]
pub struct Config {
    base_url: String,
}

/// The input of `note.put`, as plugin.toml describes it.
#[derive(Deserialize)]
struct Note {
    candidate: String,
    text: String,
}

/// What the vendor is sent.
#[derive(Serialize)]
struct Body<'a> {
    text: &'a str,
}

/// The input of `note.status`: the receipt of the note.
#[derive(Deserialize)]
struct Written {
    reference: String,
}

/// What the vendor says of a note.
#[derive(Deserialize)]
struct Answer {
    id: String,
    state: String,
}

/// The connector.
pub struct @type@;

impl Sink for @type@ {
    type Config = Config;

    fn push(config: Config, action: Action) -> Result<Receipt, Failure> {
        match action.name.as_str() {
            "note.put" => put(&config, &action),
            "note.status" => status(&config, &action),
            other => Err(Failure::invalid_input(format!("the action `{other}` is not known here"))),
        }
    }
}

fn put(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    let note: Note = action.input()?;
    let answer = Request::post(format!("{}/candidates", config.base_url))
        // No matter what the id holds, it cannot lead to another path.
        .segment(&note.candidate)
        .segment("notes")
        .slot("api_key")
        // Every attempt at this note has the same key: the vendor files it once.
        .header("idempotency-key", action.idempotency_key.as_str())
        .json(&Body { text: &note.text })
        .send()?;
    if answer.status() == 404 {
        // Another attempt cannot help, and the address is right: tell what is wrong with the input.
        return Err(Failure::invalid_input("the vendor has no such candidate").with_code("candidate_not_found"));
    }
    receipt(&answer.ok()?.json()?)
}

fn status(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    let written: Written = action.input()?;
    let request = Request::get(format!("{}/notes", config.base_url)).segment(&written.reference);
    receipt(&request.slot("api_key").send()?.ok()?.json()?)
}

fn receipt(answer: &Answer) -> Result<Receipt, Failure> {
    match answer.state.as_str() {
        // Not confirmed: the gateway asks `note.status` later.
        "filed" | "queued" => {
            let confirmed = answer.state == "filed";
            Ok(Receipt { reference: Some(answer.id.clone()), confirmed, ..Receipt::default() })
        }
        "refused" => Err(Failure::invalid_input("the vendor refused the note").with_code("note_refused")),
        _ => Err(Failure::upstream_changed("/state in the answer: a state that is not known")),
    }
}

export_sink!(@type@);
