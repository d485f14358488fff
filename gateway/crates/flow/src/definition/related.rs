//! `with`: records that the changed one refers to, each under a name of its own, which `map` may see beside it.

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, refers_to};
use serde_json::Value;

use super::Defect;
use super::reader::{Reader, note};
use crate::expression::is_free_name;
use crate::fields::Fields;

/// Records that one flow looks up for a change.
pub const WITH_MAX: usize = 8;

/// A record that is looked up by a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// What `map` calls it.
    pub name: String,
    /// `of`: which of the others holds the reference; none: the changed record.
    pub of: Option<String>,
    /// `ref`: where in it the reference stands, a JSON Pointer.
    pub pointer: String,
    /// What it refers to, by the schema.
    pub kind: EntityKind,
    /// `fields`: what of it `map` may see.
    pub fields: Fields,
    /// `connection`: whose records the reference may lead to; empty: what is safe without saying so.
    pub connections: Vec<ConnectionName>,
}

/// As it stands in the file, before it is known what holds its reference.
struct Raw<'v> {
    name: &'v str,
    of: Option<&'v str>,
    pointer: &'v str,
    fields: Fields,
    connections: Vec<ConnectionName>,
}

/// Reads all of them, each after the one that holds its reference.
pub(super) fn read(value: &Value, of: Option<EntityKind>, defects: &mut Vec<Defect>) -> Vec<Related> {
    let Value::Object(object) = value else {
        note(
            defects,
            "with",
            "a table is wanted here",
            "write `with.candidate = { ref = \"/candidate\", fields = […] }`",
        );
        return Vec::new();
    };
    if object.len() > WITH_MAX {
        note(defects, "with", format!("a flow looks up at most {WITH_MAX} records"), "take some away");
        return Vec::new();
    }
    let known = defects.len();
    let mut waiting: Vec<Raw<'_>> = object.iter().filter_map(|(name, value)| read_one(name, value, defects)).collect();
    let mut found: Vec<Related> = Vec::new();
    // Each turn takes those whose holder is known; what is left at the end has none, or is its own.
    while let Some(at) = waiting.iter().position(|raw| holder(raw, of, &found).is_some()) {
        let raw = waiting.remove(at);
        found.extend(holder(&raw, of, &found).flatten().and_then(|holder| settle(raw, holder, defects)));
    }
    // One that is wrong itself is missed by those that hang on it: telling that too would lead astray.
    let else_wrong = defects.len() > known;
    for raw in waiting.iter().filter(|_| !else_wrong) {
        let message = format!("`{}` is none of the others here", raw.of.unwrap_or_default());
        note(defects, &format!("with.{}.of", raw.name), message, "name one that does not come from this one itself");
    }
    found
}

/// The entity in which the reference stands: none while its holder is not read, `Some(None)` when it never will be.
fn holder(raw: &Raw<'_>, of: Option<EntityKind>, found: &[Related]) -> Option<Option<EntityKind>> {
    match raw.of {
        None => Some(of),
        Some(name) => found.iter().find(|one| one.name == name).map(|one| Some(one.kind)),
    }
}

fn read_one<'v>(name: &'v str, value: &'v Value, defects: &mut Vec<Defect>) -> Option<Raw<'v>> {
    let key = format!("with.{name}");
    if !is_free_name(name) {
        let help = "write a small letter and then small letters, digits and `_`; not record, before, change or now";
        note(defects, &key, "this is no name for a record", help);
        return None;
    }
    let mut one = Reader::of(value, &key, defects)?;
    let pointer = one.require("ref", "name a reference of the record, such as \"/candidate\"");
    let pointer = pointer.and_then(|value| one.text("ref", value));
    let of = one.get("of").and_then(|value| one.text("of", value));
    let fields = one.texts("fields");
    let fields = Fields::parse(fields.iter().copied()).map_err(|(number, message)| {
        one.note(&format!("fields[{number}]"), message, "write JSON Pointers such as \"/person/names\"");
    });
    let mut connections = Vec::new();
    for name in one.texts("connection") {
        match ConnectionName::new(name) {
            Ok(name) => connections.push(name),
            Err(error) => one.note("connection", error.to_string(), ""),
        }
    }
    one.finish();
    Some(Raw { name, of, pointer: pointer?, fields: fields.ok()?, connections })
}

fn settle(raw: Raw<'_>, holder: EntityKind, defects: &mut Vec<Defect>) -> Option<Related> {
    let path: Vec<String> = raw.pointer.split('/').skip(1).map(str::to_owned).collect();
    let Some(kind) = refers_to(holder, &path) else {
        let shown: String = raw.pointer.chars().take(80).collect();
        let message = format!("`{shown}` is no reference of {}", holder.name());
        let help = format!("`renmen schema {}` shows them: they have an `id` and an `external`", holder.name());
        note(defects, &format!("with.{}.ref", raw.name), message, &help);
        return None;
    };
    let Raw { name, of, pointer, fields, connections } = raw;
    let (name, of) = (name.to_owned(), of.map(str::to_owned));
    Some(Related { name, of, pointer: pointer.to_owned(), kind, fields, connections })
}
