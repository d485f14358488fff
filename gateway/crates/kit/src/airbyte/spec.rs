//! The manifest's `spec`: which keys of the configuration there are, which of them are secrets, and the schema of those that are used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::yaml::Node;

/// Keys of the configuration. A key within another is `credentials/client_id`.
#[derive(Debug, Default)]
pub(super) struct Spec {
    keys: BTreeMap<String, Value>,
    required: BTreeSet<String>,
    pub(super) secrets: BTreeSet<String>,
    /// The plain values of keys where nothing is written.
    pub(super) defaults: BTreeMap<String, String>,
}

/// What of a key's schema is kept.
const KEPT: &[&str] = &["type", "format", "pattern", "enum", "minimum", "maximum", "items", "minItems", "maxItems"];

impl Spec {
    pub(super) fn of(manifest: &Node) -> Self {
        let mut spec = Self::default();
        let schema = manifest.get("spec").and_then(|spec| spec.get("connection_specification"));
        if let Some(schema) = schema {
            spec.add(schema, "");
        }
        spec
    }

    fn add(&mut self, schema: &Node, within: &str) {
        let full = |name: &str| if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") };
        let required = schema.get("required").map(Node::items).unwrap_or_default();
        self.required.extend(required.iter().filter_map(Node::text).map(full));
        for (name, property) in schema.get("properties").map(Node::members).unwrap_or_default() {
            let key = full(name);
            if property.truth("airbyte_secret") == Some(true) {
                self.secrets.insert(key.clone());
            }
            let default = property.get("default").filter(|default| !default.is_falsy()).and_then(Node::scalar);
            self.defaults.extend(default.map(|default| (key.clone(), default)));
            self.add(property, &key);
            self.keys.insert(key, property.json());
        }
        // One of several ways to connect: their keys stand next to each other.
        for choice in schema.get("oneOf").map(Node::items).unwrap_or_default() {
            self.add(choice, within);
        }
    }

    /// What people read about a key.
    pub(super) fn about(&self, key: &str) -> String {
        let text = |name: &str| self.keys.get(key)?.get(name)?.as_str().map(without_tags);
        let title = text("title").unwrap_or_else(|| key.rsplit('/').next().unwrap_or(key).to_owned());
        match text("description") {
            Some(description) if description != title => format!("{title}: {description}"),
            _ => title,
        }
    }

    /// The schema of a configuration with these keys.
    pub(super) fn schema(&self, used: &BTreeSet<String>) -> Value {
        let mut root = json!({ "type": "object", "additionalProperties": false, "required": [], "properties": {} });
        for key in used {
            let steps: Vec<&str> = key.split('/').collect();
            let (mut at, mut path) = (&mut root, String::new());
            for (number, step) in steps.iter().enumerate() {
                path = if path.is_empty() { (*step).to_owned() } else { format!("{path}/{step}") };
                // A key that expressions give a default needs no value.
                if self.required.contains(&path) && !self.defaults.contains_key(&path) {
                    require(at, step);
                }
                let last = number + 1 == steps.len();
                let Some(properties) = at.get_mut("properties").and_then(Value::as_object_mut) else { break };
                at = properties.entry(*step).or_insert_with(|| match last {
                    true => self.property(key),
                    false => {
                        json!({ "type": "object", "additionalProperties": false, "required": [], "properties": {} })
                    }
                });
            }
        }
        root
    }

    fn property(&self, key: &str) -> Value {
        let mut kept = Map::new();
        let schema = self.keys.get(key);
        for name in KEPT {
            kept.extend(schema.and_then(|schema| schema.get(*name)).map(|value| ((*name).to_owned(), value.clone())));
        }
        kept.entry("type").or_insert_with(|| "string".into());
        kept.insert("description".to_owned(), self.about(key).into());
        Value::Object(kept)
    }
}

fn require(schema: &mut Value, name: &str) {
    let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) else { return };
    if !required.iter().any(|known| known == name) {
        required.push(name.into());
    }
}

/// A text without its markup, on one line.
fn without_tags(text: &str) -> String {
    let (mut plain, mut within) = (String::new(), false);
    for c in text.chars() {
        match c {
            '<' => within = true,
            '>' if within => within = false,
            c if !within => plain.push(c),
            _ => {}
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read;
    use super::*;

    #[test]
    fn the_schema_has_the_keys_that_are_used_and_secrets_are_known() {
        let text = "spec: { connection_specification: { required: [start, zone], properties: { start: { type: string, format: date-time, title: Start, description: 'See <a href=\"x\">here</a>.' }, zone: { type: string, default: eu }, other: { type: string }, credentials: { type: object, oneOf: [ { required: [token], properties: { token: { airbyte_secret: true }, account: { type: integer } } } ] } } } }";
        let spec = Spec::of(&read(text).unwrap());
        assert_eq!(spec.secrets, BTreeSet::from(["credentials/token".to_owned()]));
        let used = ["start", "zone", "credentials/account"].map(str::to_owned);
        let schema = spec.schema(&BTreeSet::from(used));
        assert_eq!(schema["required"], json!(["start"]), "what has a default may be left out");
        assert_eq!(schema["properties"]["start"]["description"], "Start: See here.");
        assert_eq!(schema["properties"]["credentials"]["properties"]["account"]["type"], "integer");
        assert_eq!(schema["properties"].get("other"), None);
    }
}
