//! What an input by hand is held against: the action's schema, and what must never reach its destination.
//!
//! A map sees no more than a flow's does. What a person types is not made of a record, so it is compared with one: it may neither name a
//! field that is withheld, of any entity, nor repeat what the record has there.

use std::collections::BTreeSet;

use renmen_schema::{EntityKind, Text, text};
use renmen_store::outbox::FeedEntry;
use serde_json::Value;

use crate::catalogue::DestinationEntry;
use crate::definition::Defect;
use crate::fields::Fields;

/// Texts shorter than this are in any input by chance. Bytes.
const TELLING_BYTES_MIN: usize = 4;
/// Defects of one input that are told.
const DEFECTS_MAX: usize = 20;

/// What of an input its action does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputDefect {
    /// Where in the input, as a JSON Pointer; empty: the whole.
    pub pointer: String,
    /// What is wrong. Holds no value of the input.
    pub message: Text,
}

impl InputDefect {
    pub(super) fn told(self) -> Defect {
        let Self { pointer, message } = self;
        let help = text!(
            "`GET /v1/actions` and `renmen act --list` show what each action takes",
            "`GET /v1/actions` 与 `renmen act --list` 列出每个动作的参数"
        );
        Defect { key: format!("input{pointer}"), at: None, message, help }
    }
}

/// Holds an input against the action's schema.
pub(super) fn defects(schema: Option<&Value>, input: &Value) -> Vec<InputDefect> {
    let Some(schema) = schema else { return Vec::new() };
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        // The destination's own fault: it judges the input itself.
        Err(_) => return Vec::new(),
    };
    let told = validator.iter_errors(input).take(DEFECTS_MAX);
    told.map(|error| InputDefect {
        pointer: error.instance_path().to_string(),
        message: Text::verbatim(error.masked().to_string()),
    })
    .collect()
}

/// What of an input is withheld from its destination, in words; none: nothing that can be known.
pub(super) fn told(place: &DestinationEntry, entry: &FeedEntry, input: &Value) -> Option<Text> {
    if !place.withholds() {
        return None;
    }
    let names: BTreeSet<String> = EntityKind::ALL.iter().flat_map(|kind| names(place, *kind)).collect();
    if let Some(pointer) = named(input, "", &names) {
        return Some(text!("`{pointer}` has the name of a field", "`{pointer}` 与某个字段同名"));
    }
    let kind = EntityKind::from_name(&entry.change.entity)?;
    let body: Value = serde_json::from_slice(&entry.body).ok()?;
    let withheld = place.withheld(kind).for_kind(kind).and(&Fields::custom()).keep(&body);
    let mut values = Vec::new();
    texts(&withheld, "", &mut |pointer, text| {
        if text.len() >= TELLING_BYTES_MIN {
            values.push((pointer.to_owned(), text.to_owned()));
        }
    });
    let mut found = None;
    texts(input, "", &mut |pointer, text| {
        let repeated = values.iter().find(|(_, value)| text.contains(value.as_str()));
        if let (None, Some((field, _))) = (&found, repeated) {
            found = Some(text!("`{pointer}` repeats the record's `{field}`", "`{pointer}` 重复了记录的 `{field}`"));
        }
    });
    found
}

/// The names of the fields of an entity that are withheld, each with all its forms.
fn names(place: &DestinationEntry, kind: EntityKind) -> Vec<String> {
    let withheld = place.withheld(kind).for_kind(kind);
    withheld.iter().filter_map(|path| path.iter().rev().find(|segment| *segment != "*").cloned()).collect()
}

fn named(value: &Value, at: &str, names: &BTreeSet<String>) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let pointer = format!("{at}/{key}");
            if names.contains(key) { Some(pointer) } else { named(value, &pointer, names) }
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(number, item)| named(item, &format!("{at}/{number}"), names))
        }
        _ => None,
    }
}

fn texts(value: &Value, at: &str, each: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => each(at, text),
        Value::Number(number) => each(at, &number.to_string()),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| texts(value, &format!("{at}/{key}"), each)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| texts(item, &format!("{at}/{number}"), each));
        }
        Value::Null | Value::Bool(_) => {}
    }
}
