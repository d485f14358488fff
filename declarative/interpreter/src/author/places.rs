//! Every text with places of a mapping, with the keys that lead to it: what is named in them must be there.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::manifest::Manifest;
use serde_json::Value;

use crate::faults::Faults;
use crate::nearest::known;
use crate::template::Template;

/// What a place leads into, and the first name of its pointer: `config` and `base_url`.
type Named = (String, String);

/// Keys that lead to a text, with what the text names.
pub(super) struct Found {
    keys: Vec<String>,
    named: Vec<Named>,
}

/// Everything that a mapping names.
pub(super) fn find(mapping: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    walk(mapping, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, keys: &mut Vec<String>, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                keys.push(name.clone());
                walk(value, keys, found);
                keys.pop();
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                keys.push(number.to_string());
                walk(value, keys, found);
                keys.pop();
            }
        }
        Value::String(text) if text.contains('{') => {
            let Ok(template) = Template::parse(text) else { return };
            let named = template.places().filter_map(|place| {
                let first = renmen_schema::pointer::names(place.pointer.text()).into_iter().next().unwrap_or_default();
                Some((place.root.clone()?, first))
            });
            let named: Vec<Named> = named.collect();
            if !named.is_empty() {
                found.push(Found { keys: keys.clone(), named });
            }
        }
        _ => {}
    }
}

/// The keys of the configuration that are named.
pub(super) fn config_keys(found: &[Found]) -> BTreeSet<String> {
    let all = found.iter().flat_map(|found| &found.named);
    all.filter(|(root, key)| root == "config" && !key.is_empty()).map(|(_, key)| key.clone()).collect()
}

/// What a text below these keys names of a value, by its first name.
pub(super) fn names_below(found: &[Found], below: &[&str], root: &str) -> BTreeSet<String> {
    let here = |found: &&Found| {
        below.len() <= found.keys.len() && below.iter().zip(&found.keys).all(|(wanted, key)| *wanted == key.as_str())
    };
    let named = found.iter().filter(here).flat_map(|found| &found.named);
    named.filter(|(named, _)| named == root).map(|(_, first)| first.clone()).collect()
}

/// Keys of the configuration and of inputs that plugin.toml does not have, where it has all that there are.
pub(super) fn check(found: &[Found], manifest: &Manifest, faults: &mut Faults) {
    let config = manifest.config_schema.as_ref().and_then(closed);
    let inputs: BTreeMap<&str, Vec<&str>> = manifest
        .actions
        .iter()
        // What is read back gets the receipt of what was written.
        .filter(|(name, _)| !manifest.actions.values().any(|other| other.confirm.as_deref() == Some(name.as_str())))
        .filter_map(|(name, action)| Some((name.as_str(), closed(action.input.as_ref()?)?)))
        .collect();
    for Found { keys, named } in found {
        let input = match keys.as_slice() {
            [actions, name, ..] if actions == "actions" => inputs.get(name.as_str()),
            _ => None,
        };
        for (root, first) in named.iter().filter(|(_, first)| !first.is_empty()) {
            let wrong = match root.as_str() {
                "config" => config.as_ref().map(|config| known(first, config, "key of config_schema in plugin.toml")),
                "input" => input.map(|input| known(first, input, "member of the action's input in plugin.toml")),
                _ => None,
            };
            if let Some(Err(message)) = wrong {
                at(keys, faults, &message);
            }
        }
    }
}

fn at(keys: &[String], faults: &mut Faults, message: &str) {
    match keys.split_first() {
        None => faults.add(message),
        Some((first, rest)) => faults.within(first.as_str(), |faults| at(rest, faults, message)),
    }
}

/// The names of a schema that takes no others.
fn closed(schema: &Value) -> Option<Vec<&str>> {
    let no_others = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let names = || schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    no_others.then(|| names().map(|(name, _)| name.as_str()).collect())
}
