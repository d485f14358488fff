//! Connectors without code: a folder with `plugin.toml` and `mapping.toml` is a connector, and this is what carries it out.
//!
//! Owns the language of `mapping.toml` and its interpreter. Must not know a vendor, the gateway, or a secret.
//!
//! The way of a page: [`language`] is the file as it is written, `plan` reads its pointers ([`pointer`]), templates ([`template`]) and conditions
//! ([`condition`]), `ask` makes a request, `verdict` judges the answer, [`answer`] reads what is needed of it, `record`, `fields` and `form`
//! make records of its items, and `read` says where the list goes on. `act` and `hook` are the two ways besides. For an author, `author` finds
//! what is wrong with a mapping, with its line, and `embed` puts the mapping into the interpreter's module: that is the connector.

mod act;
pub mod answer;
mod ask;
#[cfg(feature = "author")]
pub mod author;
pub mod condition;
mod cursor;
#[cfg(feature = "author")]
pub mod embed;
#[cfg(target_arch = "wasm32")]
mod embedded;
pub mod faults;
mod fields;
mod form;
mod hook;
pub mod language;
#[cfg(feature = "author")]
mod lineage;
pub mod nearest;
mod plan;
pub mod pointer;
mod read;
mod record;
mod shape;
pub mod template;
mod verdict;

use renmen_plugin::{Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt};
use serde_json::Value;

use crate::faults::Faults;
use crate::language::Document;
use crate::read::Reading;

/// Reads the page at `pull.cursor`, or the records that it names.
///
/// # Errors
/// As [`Source::pull`](renmen_plugin::Source::pull).
pub fn pull(document: &Document, config: &Value, pull: &Pull) -> Result<Page, Failure> {
    let reads = sound(|faults| plan::stream(document, &pull.stream, faults))?;
    if reads.is_empty() {
        return Err(pull.unknown_stream());
    }
    let reading = Reading { stream: &pull.stream, reads: &reads, config };
    if pull.only.is_empty() { reading.page(pull) } else { reading.named(&pull.only) }
}

/// Lists one item of the first list of each stream that needs no other.
///
/// # Errors
/// As [`Source::probe`](renmen_plugin::Source::probe).
pub fn probe(document: &Document, config: &Value) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for (name, reads) in &document.streams {
        if reads.0.first().is_none_or(|read| read.for_each.is_some()) {
            continue;
        }
        let one = Pull { stream: name.clone(), max_records: 1, ..Pull::default() };
        findings.push(match pull(document, config, &one) {
            Ok(_) => Finding::good(format!("list {name}"), "the API answers and takes the credential"),
            Err(failure) if failure.message == read::NO_SUCH_LIST => {
                Finding::good(format!("list {name}"), "the vendor has no such list here: leave the stream out")
            }
            Err(failure) => Finding::bad(format!("list {name}"), failure.message),
        });
    }
    Ok(findings)
}

/// Does an action.
///
/// # Errors
/// As [`Sink::push`](renmen_plugin::Sink::push).
pub fn push(document: &Document, config: &Value, action: &Action) -> Result<Receipt, Failure> {
    let name = &action.name;
    let table = document
        .actions
        .get(name)
        .ok_or_else(|| Failure::invalid_input(format!("this connector has no action `{name}`")))?;
    sound(|faults| act::Act::of(table, document, faults))?.push(action, config)
}

/// Says what a delivery means.
///
/// # Errors
/// As [`Webhook::receive`](renmen_plugin::Webhook::receive).
pub fn receive(document: &Document, config: &Value, delivery: &Delivery) -> Result<Outcome, Failure> {
    let table =
        document.webhook.as_ref().ok_or_else(|| Failure::invalid_input("this connector takes no deliveries"))?;
    sound(|faults| hook::Hook::of(table, document, faults))?.receive(delivery, config)
}

/// What was read of a mapping, if nothing was wrong with it: what is, was told when it was built.
fn sound<T>(read: impl FnOnce(&mut Faults) -> T) -> Result<T, Failure> {
    let mut faults = Faults::default();
    let plan = read(&mut faults);
    match faults.all().first() {
        None => Ok(plan),
        Some(fault) => Err(Failure::internal(format!("mapping.toml: {fault}"))),
    }
}
