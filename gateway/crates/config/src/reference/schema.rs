//! The JSON Schema with which editors complete and check `connectors.toml`.
//!
//! It is no stricter than the reader: a text that holds a variable (`${NAME}`) fits wherever a text does.

use serde_json::{Map, Value, json};

use super::{KeySpec, SectionSpec, ValueKind, sections};

/// Names of connections, streams, slots and the like.
const NAME: &str = "^[a-z][a-z0-9_-]{0,62}$";

/// The schema, from the list of keys.
#[must_use]
pub fn configuration_schema() -> Value {
    let all = sections();
    let definitions: Map<String, Value> =
        all.iter().map(|section| (definition_name(section.id), section_schema(section, &all))).collect();
    let mut properties = Map::new();
    for section in all.iter().filter(|section| section.within.is_empty()) {
        match section.path.strip_suffix(".NAME") {
            Some(plural) => {
                properties.insert(plural.to_owned(), json!({ "type": "object", "description": section.meaning }));
            }
            None => {
                properties.insert(section.path.to_owned(), reference(section.id));
            }
        }
    }
    for (plural, member) in properties.iter_mut().filter(|(_, member)| member.get("$ref").is_none()) {
        let path = format!("{plural}.NAME");
        let kinds: Vec<Value> = all.iter().filter(|one| one.path == path).map(|one| reference(one.id)).collect();
        member["propertyNames"] = json!({ "pattern": NAME });
        // Several kinds are told apart by `kind`; an editor then names the key at fault and not the whole table.
        member["additionalProperties"] = match kinds.as_slice() {
            [only] => only.clone(),
            _ => by_kind(&all, &path),
        };
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Renmen connectors.toml",
        "description": "Generated from the code; docs/configuration.md says the same as a page.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "definitions": definitions,
    })
}

/// `if kind is X then the section of X`, for each kind of a path.
fn by_kind(all: &[SectionSpec], path: &str) -> Value {
    let cases: Vec<Value> = all
        .iter()
        .filter(|section| section.path == path)
        .map(|section| {
            let kind = section.keys.iter().find(|key| key.name == "kind").map(|key| key.kind);
            let word = match kind {
                Some(ValueKind::OneOf([word])) => *word,
                _ => "",
            };
            let is_kind = json!({ "properties": { "kind": { "const": word } }, "required": required_kind(section) });
            json!({ "if": is_kind, "then": reference(section.id) })
        })
        .collect();
    let words: Vec<&Value> = cases.iter().filter_map(|case| case.pointer("/if/properties/kind/const")).collect();
    // Where one kind is meant by default, none needs to be named.
    let by_default = all.iter().any(|section| section.path == path && required_kind(section).is_empty());
    let required = if by_default { &[][..] } else { &["kind"] };
    json!({ "type": "object", "required": required, "properties": { "kind": { "enum": words } }, "allOf": cases })
}

fn required_kind(section: &SectionSpec) -> &'static [&'static str] {
    if section.keys.iter().any(|key| key.name == "kind" && key.required) { &["kind"] } else { &[] }
}

fn definition_name(id: &str) -> String {
    id.replace([' ', '(', ')'], "")
}

fn reference(id: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{}", definition_name(id)) })
}

fn section_schema(section: &SectionSpec, all: &[SectionSpec]) -> Value {
    let mut properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_owned(), key_schema(key))).collect();
    // Tables that are sections of their own and that no key names, as `limits.rate`, are named by their place.
    for inner in all.iter().filter(|inner| inner.within == section.id) {
        let name = inner.path.strip_prefix(section.path).unwrap_or_default().trim_start_matches('.');
        if !name.is_empty() && !name.contains('.') && !properties.contains_key(name) {
            properties.insert(name.to_owned(), reference(inner.id));
        }
    }
    // Of keys that take each other's place none is required by itself.
    let replaced =
        |key: &KeySpec| section.keys.iter().any(|other| other.instead_of == key.name && other.needs.is_empty());
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.required && !replaced(key)).map(|key| key.name).collect();
    json!({
        "type": "object",
        "description": section.meaning,
        "additionalProperties": !section.closed,
        "required": required,
        "properties": properties,
    })
}

fn key_schema(key: &KeySpec) -> Value {
    let mut schema = kind_schema(key.kind);
    if let Some(members) = schema.as_object_mut() {
        // Next to `$ref` draft 7 ignores other members, so a reference is wrapped.
        if members.contains_key("$ref") {
            let inner = Value::Object(std::mem::take(members));
            members.insert("allOf".to_owned(), json!([inner]));
        }
        members.insert("description".to_owned(), json!(key.meaning));
        if let Some(default) = key.default_value().and_then(toml_value) {
            members.insert("default".to_owned(), default);
        }
        if let Some(example) = toml_value(&key.example) {
            members.insert("examples".to_owned(), json!([example]));
        }
    }
    schema
}

/// A value as it is written in TOML, as JSON.
fn toml_value(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

/// A text of a form, or one that holds a variable.
fn text(form: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{form}|\\$\\{{") })
}

fn words(list: &[&str]) -> Value {
    text(&format!("^({})$", list.join("|")))
}

fn kind_schema(kind: ValueKind) -> Value {
    match kind {
        ValueKind::Text | ValueKind::Path => json!({ "type": "string" }),
        ValueKind::Name => text(NAME),
        ValueKind::Variable => text("^[A-Za-z_][A-Za-z0-9_]*$"),
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Count => json!({ "type": "integer", "minimum": 0 }),
        ValueKind::Number => json!({ "type": "number" }),
        ValueKind::Bytes => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, text("^[0-9_]+ ?(B|[KMG]i?B)?$")] }),
        ValueKind::Duration => text("^[0-9_]+ ?(ms|s|m|h|d)$"),
        ValueKind::OneOf([only]) => json!({ "const": only }),
        ValueKind::OneOf(list) => words(list),
        ValueKind::SomeOf(list) => json!({ "type": "array", "items": words(list) }),
        ValueKind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        ValueKind::Numbers => json!({ "type": "array", "items": { "type": "number" } }),
        ValueKind::TextOrTexts => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        ValueKind::Table(id) => reference(id),
        ValueKind::Named(id) => {
            json!({ "type": "object", "propertyNames": { "pattern": "^[a-zA-Z0-9_-]{1,63}$" }, "additionalProperties": reference(id) })
        }
        ValueKind::Map(value) => json!({ "type": "object", "additionalProperties": kind_schema(*value) }),
        ValueKind::Any => json!({}),
    }
}
