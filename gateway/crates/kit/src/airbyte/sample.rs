//! Made-up items and configurations: what a connector is tried with before anybody has an account.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::likeness::Property;
use super::stream::Stream;

/// An item with everything that the mapping of a stream looks at; `more` are further pointers that others look at.
pub(super) fn item(stream: &Stream, more: &[String]) -> Value {
    let mut item = json!({});
    let known = &stream.known;
    // What counts for a condition first: a later value does not take its place.
    for (at, value) in &stream.when {
        let value = value.as_array().and_then(|values| values.first()).unwrap_or(value);
        match value.as_str() {
            Some("") => {}
            Some("*") => put(&mut item, at, scalar(at, known, "")),
            _ => put(&mut item, at, value.clone()),
        }
    }
    for at in pointers_of(stream.id.as_deref().unwrap_or_default()).iter().chain(more) {
        put(&mut item, at, scalar(at, known, "ref"));
    }
    if let Some(updated) = &stream.updated {
        source(&mut item, updated, known, "instant");
    }
    if let Some(modified) = stream.changes.by.as_ref().and_then(|by| by["modified"].as_str()) {
        let unit = stream.changes.clock.get("unit").and_then(Value::as_str);
        put(&mut item, modified, time(unit, scalar(modified, known, "instant")));
    }
    for from in stream.mapped.fields.values() {
        source(&mut item, from, known, "");
    }
    item
}

/// Puts what a field comes from.
fn source(item: &mut Value, from: &Value, known: &BTreeMap<String, Property>, form: &str) {
    match from {
        Value::String(at) => put(item, at, scalar(at, known, form)),
        Value::Array(sources) => sources.iter().for_each(|from| source(item, from, known, form)),
        Value::Object(table) => {
            let form = table.get("as").and_then(Value::as_str).unwrap_or(form);
            if let Some(at) = table.get("from").and_then(Value::as_str) {
                put(item, at, time(table.get("unit").and_then(Value::as_str), scalar(at, known, form)));
            }
            for at in pointers_of(table.get("text").and_then(Value::as_str).unwrap_or_default()) {
                put(item, &at, scalar(&at, known, form));
            }
            if let Some((at, fields)) =
                table.get("each").and_then(Value::as_str).zip(table.get("fields").and_then(Value::as_object))
            {
                put(item, at, json!([entry(at, fields)]));
            }
        }
        _ => {}
    }
}

/// An entry of a list.
fn entry(list: &str, fields: &Map<String, Value>) -> Value {
    let mut entry = json!({});
    for from in fields.values().filter_map(Value::as_str) {
        let value = scalar(&format!("{list}{from}"), &BTreeMap::new(), "");
        if from.is_empty() {
            return value;
        }
        put(&mut entry, from, value);
    }
    entry
}

/// A value that fits a member's type and what it means.
fn scalar(at: &str, known: &BTreeMap<String, Property>, form: &str) -> Value {
    let kind = find(at, known);
    let is_number = kind.is_some_and(|kind| (kind.is("integer") || kind.is("number")) && !kind.is("string"));
    let name = at.to_lowercase();
    match form {
        "bool" => return true.into(),
        "date" => return "2024-01-02".into(),
        "json" => return json!(["made up"]),
        "instant" | "zoned" => return "2024-01-01T00:00:00.000Z".into(),
        _ => {}
    }
    if kind.is_some_and(|kind| kind.types == ["boolean"]) {
        return true.into();
    }
    match is_number {
        true => 4001.into(),
        false if name.contains("mail") => "wei@people.example".into(),
        false if name.contains("phone") || name.contains("mobile") => "+8619900000001".into(),
        false if form == "ref" => "id-1".into(),
        false if name.contains("name") || name.ends_with("title") => "Made up".into(),
        false => "made-up".into(),
    }
}

/// A time as a number, where it is one.
fn time(unit: Option<&str>, text: Value) -> Value {
    match unit {
        Some("ms") => 1_704_067_200_000_i64.into(),
        Some("s") => 1_704_067_200.into(),
        _ => text,
    }
}

fn find<'k>(at: &str, known: &'k BTreeMap<String, Property>) -> Option<&'k Property> {
    let mut steps = at.trim_start_matches('/').split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let mut found = known.get(&steps.next()?)?;
    for step in steps {
        found = match found.items.as_deref().filter(|_| step.parse::<usize>().is_ok()) {
            Some(items) => items,
            None => found.members.iter().find(|(name, _)| *name == step).map(|(_, member)| member)?,
        };
    }
    Some(found)
}

/// The pointers into an item that a text names; the text may be one itself.
pub(super) fn pointers_of(text: &str) -> Vec<String> {
    if text.starts_with('/') {
        return vec![text.to_owned()];
    }
    let places = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(place, _)| place);
    places
        .map(|place| place.split('|').next().unwrap_or(place).trim())
        .filter(|place| place.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// Puts a value at a pointer, where nothing stands yet.
pub(super) fn put(root: &mut Value, at: &str, value: Value) {
    let mut place = root;
    for step in at.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")) {
        if let Ok(index) = step.parse::<usize>() {
            if !place.is_array() {
                if !place.is_null() && place != &json!({}) {
                    return;
                }
                *place = json!([]);
            }
            let Some(list) = place.as_array_mut() else { return };
            while list.len() <= index.min(16) {
                list.push(Value::Null);
            }
            place = &mut list[index.min(16)];
        } else {
            if place.is_null() {
                *place = json!({});
            }
            if !place.is_object() {
                return;
            }
            place = &mut place[step.as_str()];
        }
    }
    if place.is_null() {
        *place = value;
    }
}

/// A configuration that fits a schema.
pub(super) fn config(schema: &Value, base_url: &str) -> Value {
    let mut config = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let value = match (name.as_str(), property["type"].as_str()) {
            ("base_url", _) => base_url.into(),
            ("token_url", _) => format!("{base_url}/token").into(),
            (_, Some("object")) => self::config(property, base_url),
            (_, Some("array")) => json!(["one"]),
            (_, Some("integer" | "number")) => 1.into(),
            (_, Some("boolean")) => false.into(),
            _ => text(name, property),
        };
        config.insert(name.clone(), value);
    }
    Value::Object(config)
}

fn text(name: &str, property: &Value) -> Value {
    let first = property["enum"].as_array().and_then(|words| words.first());
    let name = name.to_lowercase();
    match first {
        Some(first) => first.clone(),
        None if property["format"] == "date" => "2024-01-01".into(),
        None if property["format"] == "date-time" || name.contains("date") => {
            // The usual form, with or without its marks.
            let is_compact = property["pattern"].as_str().is_some_and(|pattern| pattern.contains("{8}T"));
            if is_compact { "20240101T000000Z".into() } else { "2024-01-01T00:00:00Z".into() }
        }
        None => "made-up".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_pointers_lead_and_the_first_one_stays() {
        let mut root = json!({});
        put(&mut root, "/a/b", 1.into());
        put(&mut root, "/a/b", 2.into());
        put(&mut root, "/a/b/c", 3.into());
        put(&mut root, "/l/0/id", 4.into());
        put(&mut root, "/x~1y", 5.into());
        assert_eq!(root, json!({ "a": { "b": 1 }, "l": [{ "id": 4 }], "x/y": 5 }));
        assert_eq!(pointers_of("{/a} {config/b} {/c/d | text}"), ["/a", "/c/d"]);
    }
}
