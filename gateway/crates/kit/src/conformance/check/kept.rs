//! What must not get out: made last, over everything that was seen and heard.

use renmen_misbehave::{Plan, place};
use renmen_plugin_host::CallError;
use renmen_schema::FailureKind;
use serde_json::Value;

use super::bad::PERSONAL;
use super::{CheckVerdict, Checked, rest};
use crate::conformance::bed::Bed;
use crate::conformance::pulled::Stop;
use crate::conformance::secrets::leaks;

/// Texts of the example that are shorter could stand in any sentence. Characters.
const TELLING_CHARS_MIN: usize = 6;

pub(super) async fn grant(bed: &Bed) -> Checked {
    rest(bed)?;
    let run = bed.run(None).await;
    let change = "ask only hosts and methods that plugin.toml names, and let a slot carry the credential";
    if let Some(refused) = bed.watch.heard(|heard| heard.refused.first().cloned()) {
        return Err(CheckVerdict::failed(format!("refused: {refused}"), change));
    }
    match run.stop {
        Some(Stop::Failed(CallError::Failure { kind: FailureKind::NotGranted, message, .. })) => {
            Err(CheckVerdict::failed(message, change))
        }
        _ => Ok(()),
    }
}

pub(super) async fn secrets(bed: &Bed) -> Checked {
    rest(bed)?;
    // A vendor that repeats every credential in its answers.
    bed.server.follow(Plan { echo: true, ..Plan::default() });
    bed.run(None).await;
    let change = "never put what comes from a slot, or from a configuration value that is secret, into what you give back or log";
    if let Some(place) = bed.leaked() {
        return Err(CheckVerdict::failed(format!("a credential is in {place}"), change));
    }
    if bed.said().iter().any(|text| leaks(text.as_bytes())) {
        return Err(CheckVerdict::failed("a credential is in a failure or in the reason of a reject", change));
    }
    if bed.watch.heard(|heard| heard.lines.iter().any(|line| leaks(line.as_bytes()))) {
        return Err(CheckVerdict::failed("a credential is in a log line", change));
    }
    Ok(())
}

pub(super) fn people(bed: &Bed) -> Checked {
    let mut telling = vec![PERSONAL.to_owned()];
    texts(bed, &bed.described().source.record, "", &mut telling);
    let quotes = |text: &str| telling.iter().any(|person| text.contains(person.as_str()));
    let change = "name the member and the type that was found, never its value";
    if let Some(said) = bed.said().iter().find(|text| quotes(text)) {
        return Err(CheckVerdict::failed(format!("a value of a record is quoted: {}", short(said)), change));
    }
    match bed.watch.heard(|heard| heard.lines.iter().find(|line| quotes(line)).cloned()) {
        Some(line) => {
            Err(CheckVerdict::failed(format!("a value of a record is in a log line: {}", short(&line)), change))
        }
        None => Ok(()),
    }
}

/// The example's texts that could tell who it is: not ids, and not words of a vocabulary.
fn texts(bed: &Bed, value: &Value, at: &str, found: &mut Vec<String>) {
    let described = bed.described();
    match value {
        _ if described.fields.plain.iter().any(|plain| plain == at) => {}
        Value::Object(members) => {
            for (name, value) in members {
                texts(bed, value, &(at.to_owned() + &place::step(name)), found);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                texts(bed, item, &format!("{at}/{n}"), found);
            }
        }
        Value::String(text) if at != described.source.id && !described.fields.codes.contains_key(at) => {
            let telling =
                text.chars().count() >= TELLING_CHARS_MIN && text.chars().any(|c| !c.is_ascii_lowercase() && c != '_');
            found.extend(telling.then(|| text.clone()));
        }
        _ => {}
    }
}

fn short(text: &str) -> String {
    text.chars().take(160).collect()
}
