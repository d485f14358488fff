//! Why a body could not be read. Runs only when reading failed, so it may take its time; what it says never holds the value of
//! a field that is PERSONAL or above.

use serde_json::Value;

use crate::check::Defect;
use crate::kind::{Entity, EntityKind};
use crate::pointer::escape;
use crate::trail::{Segment, trailed};

/// The codes that the shared types refuse a value with.
const VALUE_CODES: &[&str] =
    &["bad_currency", "bad_date", "bad_decimal", "bad_instant", "bad_language", "duplicate_field", "unknown_code"];

/// Characters of a value or name that are shown.
const SHOWN_MAX: usize = 80;

/// Reads again, this time asking where it stops.
pub(crate) fn parse_defect<E: Entity>(kind: EntityKind, payload: &[u8]) -> Defect {
    let (outcome, trail) = trailed(|| serde_json::from_slice::<E>(payload).map(drop));
    defect_of(kind, payload, outcome, &pointer(&trail))
}

/// The part that is the same for every entity.
fn defect_of(kind: EntityKind, payload: &[u8], outcome: serde_json::Result<()>, path: &str) -> Defect {
    let path = path.to_owned();
    let Err(error) = outcome else {
        // It could not be read a moment ago: this is not reached.
        return Defect { path, code: "not_json", message: "a body that could not be read".into() };
    };
    let text = without_place(&error);
    if !error.is_data() {
        let message = format!("unreadable JSON at line {}, column {}: {text}", error.line(), error.column());
        return Defect { path, code: "not_json", message };
    }
    explain(kind, path, &text, payload)
}

fn explain(kind: EntityKind, path: String, text: &str, payload: &[u8]) -> Defect {
    if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Defect {
            path: format!("{path}/{field}"),
            code: "missing_field",
            message: "nothing; this field is required".into(),
        };
    }
    if let Some((name, expected)) =
        text.strip_prefix("unknown field `").and_then(|rest| rest.rsplit_once("`, expected "))
    {
        let message = format!("the unknown field {}; expected {expected}", shown_name(name));
        return Defect { path, code: "unknown_field", message };
    }
    if let Some(name) = text.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
        return Defect { path, code: "duplicate_field", message: format!("the field {name} twice; expected once") };
    }
    if let Some((found, expected)) =
        text.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return Defect { path, code: "wrong_type", message: format!("{}; expected {expected}", json_type(found)) };
    }
    if let Some((code, message)) = text.split_once(": ")
        && let Some(code) = VALUE_CODES.iter().find(|known| **known == code)
    {
        let message = match shown_value(kind, &path, payload) {
            Some(value) => format!("`{value}`: {message}"),
            None => message.to_owned(),
        };
        return Defect { path, code, message };
    }
    // A bad name tells its rule behind the name itself; the name is not repeated.
    if let Some((_, rule)) = text.rsplit_once(" name: use ") {
        return Defect { path, code: "bad_name", message: format!("a name that cannot be one; use {rule}") };
    }
    let expected = text.strip_prefix("invalid value: ").and_then(|rest| rest.rsplit_once(", expected "));
    let expected = expected.map_or("one of another form", |(_, expected)| expected);
    Defect { path, code: "bad_value", message: format!("a value that this field does not take; expected {expected}") }
}

/// The text of an error without serde_json's place in the bytes.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn pointer(trail: &[Segment]) -> String {
    let mut pointer = String::new();
    for segment in trail {
        pointer.push('/');
        match segment {
            Segment::Field(name) => pointer.push_str(&escape(name)),
            Segment::Index(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

/// A name is shown when it looks like one: a connector that used a person's data as a key must not leak it here.
fn shown_name(name: &str) -> String {
    let plain = name.len() <= SHOWN_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain { format!("`{name}`") } else { "(not shown)".to_owned() }
}

/// The JSON type of what serde names with its value: `string "…"`, ``integer `5` ``.
fn json_type(found: &str) -> &'static str {
    const TYPES: &[(&str, &str)] = &[
        ("string", "a string"),
        ("integer", "a number"),
        ("floating point", "a number"),
        ("boolean", "a boolean"),
        ("null", "null"),
        ("unit", "null"),
        ("sequence", "a list"),
        ("map", "an object"),
    ];
    TYPES.iter().find(|(prefix, _)| found.starts_with(prefix)).map_or("another type", |(_, name)| name)
}

/// The value itself, where its class allows that.
fn shown_value(kind: EntityKind, path: &str, payload: &[u8]) -> Option<String> {
    if !crate::sensitivity::class_of(kind, path)?.may_be_shown() {
        return None;
    }
    let body: Value = serde_json::from_slice(payload).ok()?;
    let text = body.pointer(path)?.as_str()?;
    Some(text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect())
}
