//! Where each value of a record came from: connection, stream, run, recorded exchange, pointer into it, what was done
//! to the value, by which code, and when.
//!
//! A revision's body came as a whole from one place of one exchange, so that place is said once, as `origin`; each leaf
//! of the body then has its own pointer. Where the plugin's manifest declares the field, the pointer leads to the
//! vendor's field (`declared`); where it does not, to the vendor's record (`record`).

use std::collections::BTreeMap;

use renmen_schema::manifest::{LineageRule, Manifest};
use renmen_store::{PluginRef, RecordRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::instant::Time;

/// Leaves of one body that are told of; a body with more says so in `truncated`.
const FIELDS_MAX: usize = 10_000;

/// Where the values of one revision came from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lineage {
    /// The place that the whole body came from.
    origin: LineageOrigin,
    /// Every leaf of the body.
    fields: Vec<FieldLineage>,
    /// True: the body has more leaves than are shown.
    truncated: bool,
}

/// The place that a revision came from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineageOrigin {
    /// Through which connection.
    connection: String,
    /// The stream.
    stream: String,
    /// The run.
    run: i64,
    /// The run, as a path of this API.
    run_url: String,
    /// The recorded exchange; null when the page had none.
    exchange: Option<String>,
    /// The exchange, as a path of this API.
    exchange_url: Option<String>,
    /// Where in the exchange's response: an RFC 6901 pointer, or another locator (`Sheet1!17`) where it is not JSON.
    pointer: String,
    /// The plugin that mapped it.
    #[schema(value_type = PluginVersion)]
    plugin: PluginRef,
    /// When it was committed.
    recorded_at: Time,
}

/// Where one value came from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldLineage {
    /// RFC 6901 pointer into the body.
    path: String,
    /// Where in the exchange's response; several when the value was made of several.
    pointers: Vec<String>,
    /// How exact the pointers are.
    basis: Basis,
    /// What was done to the value, where the plugin declares it; null: taken as it was, or not declared.
    transform: Option<String>,
}

/// How exact a field's pointers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Basis {
    /// The vendor's field, as the plugin's manifest declares it.
    Declared,
    /// The vendor's record: the manifest says nothing of this field, or this version of the plugin is no longer loaded.
    Record,
}

/// Which code made a record.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the store's type in the OpenAPI document")]
pub(crate) struct PluginVersion {
    /// `staff-api`.
    name: String,
    /// `0.1.0`.
    version: String,
    /// `sha256:…`.
    digest: String,
}

impl Lineage {
    /// `manifest` is that of exactly the plugin that made this revision, where it is still loaded.
    pub(crate) fn of(row: &RecordRow, manifest: Option<&Manifest>) -> Self {
        let rules = manifest.and_then(|manifest| manifest.lineage.get(&row.entity));
        let mut walk = Walk { record: &row.origin.pointer, rules, fields: Vec::new(), truncated: false };
        // A body that is not JSON has no leaves; showing the record reports the fault.
        if let Ok(body) = serde_json::from_slice::<Value>(&row.body) {
            walk.visit(&body, &mut String::new(), &mut String::new());
        }
        let exchange = row.origin.exchange.map(|id| id.to_string());
        Self {
            origin: LineageOrigin {
                connection: row.connection.to_string(),
                stream: row.origin.stream.to_string(),
                run: row.origin.run.0,
                run_url: format!("/v1/runs/{}", row.origin.run),
                exchange_url: exchange.as_ref().map(|id| format!("/v1/exchanges/{id}")),
                exchange,
                pointer: row.origin.pointer.clone(),
                plugin: row.origin.plugin.clone(),
                recorded_at: Time(row.recorded_at_ms),
            },
            fields: walk.fields,
            truncated: walk.truncated,
        }
    }
}

/// One walk over a body. Bodies are nested 64 deep at most (the schema refuses more), so recursion is bounded.
struct Walk<'a> {
    record: &'a str,
    rules: Option<&'a BTreeMap<String, LineageRule>>,
    fields: Vec<FieldLineage>,
    truncated: bool,
}

impl Walk<'_> {
    /// `path` is the pointer to `value`; `pattern` is the same with `*` for the index of a list.
    fn visit(&mut self, value: &Value, path: &mut String, pattern: &mut String) {
        let (path_len, pattern_len) = (path.len(), pattern.len());
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let token = format!("/{}", renmen_schema::pointer::escape(name));
                    path.push_str(&token);
                    pattern.push_str(&token);
                    self.visit(member, path, pattern);
                    path.truncate(path_len);
                    pattern.truncate(pattern_len);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("/{index}"));
                    pattern.push_str("/*");
                    self.visit(item, path, pattern);
                    path.truncate(path_len);
                    pattern.truncate(pattern_len);
                }
            }
            _ if self.fields.len() >= FIELDS_MAX => self.truncated = true,
            _ => self.fields.push(self.leaf(path, pattern)),
        }
    }

    fn leaf(&self, path: &str, pattern: &str) -> FieldLineage {
        let path = path.to_owned();
        match self.rule(&path, pattern) {
            Some(rule) => {
                let (from, transform) = match rule {
                    LineageRule::From(from) => (from, None),
                    LineageRule::Transformed { from, transform } => (from, Some(transform.clone())),
                };
                let pointers = from.split_whitespace().map(|field| format!("{}{field}", self.record)).collect();
                FieldLineage { path, pointers, basis: Basis::Declared, transform }
            }
            None => {
                FieldLineage { path, pointers: vec![self.record.to_owned()], basis: Basis::Record, transform: None }
            }
        }
    }

    /// The rule of the field itself, else that of the nearest part of the body that holds it.
    fn rule(&self, path: &str, pattern: &str) -> Option<&LineageRule> {
        let rules = self.rules?;
        let (mut path, mut pattern) = (path, pattern);
        loop {
            if let Some(rule) = rules.get(path).or_else(|| rules.get(pattern)) {
                return Some(rule);
            }
            path = &path[..path.rfind('/')?];
            pattern = &pattern[..pattern.rfind('/')?];
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn fields(body: &Value, record: &str, rules: &Value) -> Vec<FieldLineage> {
        let rules: BTreeMap<String, LineageRule> = serde_json::from_value(rules.clone()).unwrap();
        let mut walk = Walk { record, rules: Some(&rules), fields: Vec::new(), truncated: false };
        walk.visit(body, &mut String::new(), &mut String::new());
        walk.fields
    }

    #[test]
    fn a_declared_field_points_to_the_vendors_field_and_another_to_the_vendors_record() {
        let body = json!({"number": "7", "person": {"name": "x"}});
        let found = fields(&body, "/result/0", &json!({"/number": "/job_number"}));
        assert_eq!(found[0].pointers, ["/result/0/job_number"]);
        assert_eq!(found[0].basis, Basis::Declared);
        assert_eq!(found[1].path, "/person/name");
        assert_eq!(found[1].pointers, ["/result/0"]);
        assert_eq!(found[1].basis, Basis::Record);
    }

    #[test]
    fn a_star_stands_for_every_index_and_a_rule_holds_for_what_is_below_it() {
        let body = json!({"phones": [{"e164": "+1"}, {"e164": "+2"}], "work": {"title": "t", "level": "p1"}});
        let rules = json!({"/phones/*/e164": "/mobile", "/work": {"from": "/a /b", "transform": "joined"}});
        let found = fields(&body, "", &rules);
        assert_eq!(found[1].path, "/phones/1/e164");
        assert_eq!(found[1].pointers, ["/mobile"]);
        assert_eq!(found[3].path, "/work/title");
        assert_eq!(found[3].pointers, ["/a", "/b"]);
        assert_eq!(found[3].transform.as_deref(), Some("joined"));
    }

    #[test]
    fn names_with_slashes_are_escaped_and_empty_parts_are_leaves() {
        let found = fields(&json!({"a/b~c": 1, "none": [], "nothing": {}}), "/r", &json!({}));
        let paths: Vec<_> = found.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["/a~1b~0c", "/none", "/nothing"]);
    }

    #[test]
    fn a_body_with_too_many_leaves_says_so() {
        let body = json!(vec![0; FIELDS_MAX + 1]);
        let mut walk = Walk { record: "", rules: None, fields: Vec::new(), truncated: false };
        walk.visit(&body, &mut String::new(), &mut String::new());
        assert!(walk.truncated);
        assert_eq!(walk.fields.len(), FIELDS_MAX);
    }
}
