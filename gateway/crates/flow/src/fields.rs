//! Which fields of a record: patterns of JSON Pointers, checked against the schema, and cutting a record down to them.

use renmen_schema::{EntityKind, Indices, Sensitivity, Text, check_place, sensitivity, text, whole_of};
use serde_json::Value;

/// Why a field is absent: its keys are paths, so what is withheld would be named there.
const FIELD_STATE: &str = "field_state";

/// Patterns such as `/person/names` (it and all below it) and `/emails/*/address` (`*` is any item or key); `*` alone is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<Vec<String>>);

impl Fields {
    /// Patterns that need no schema.
    ///
    /// # Errors
    /// The number of the first invalid pattern, and what is wrong with it.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, (usize, Text)> {
        let mut patterns = Vec::new();
        for (number, text) in texts.into_iter().enumerate() {
            if text == "*" {
                patterns.push(Vec::new());
                continue;
            }
            let Some(path) = text.strip_prefix('/').filter(|path| !path.is_empty()) else {
                return Err((
                    number,
                    text!("`{}` is not a field: begin with `/`", "`{}` 不是字段：请以 `/` 开头", shown(text)),
                ));
            };
            patterns.push(segments(&format!("/{path}")));
        }
        Ok(Self(patterns))
    }

    /// Every field of an entity that has at least this class.
    #[must_use]
    pub fn of_class(kind: EntityKind, least: Sensitivity) -> Self {
        let classed = sensitivity(kind).iter().filter(|(_, class)| **class >= least);
        Self(classed.map(|(pattern, _)| pattern.split('/').skip(1).map(str::to_owned).collect()).collect())
    }

    /// All of every record.
    #[must_use]
    pub fn everything() -> Self {
        Self(vec![Vec::new()])
    }

    /// Custom fields.
    #[must_use]
    pub(crate) fn custom() -> Self {
        Self(vec![vec!["ext".to_owned()]])
    }

    /// Of these patterns those that an entity has, each widened to all forms of the value that it names: who must not have a code
    /// must not have the source's word for it either.
    #[must_use]
    pub fn for_kind(&self, kind: EntityKind) -> Self {
        let there = self.iter().filter(|pattern| check_place(kind, pattern, Indices::Item).is_ok());
        Self(there.map(|pattern| pattern[..whole_of(kind, pattern)].to_vec()).collect())
    }

    /// Are there no patterns?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// The patterns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// What of a record these fields are; nothing else of it is left.
    #[must_use]
    pub fn keep(&self, record: &Value) -> Value {
        let patterns: Vec<&[String]> = self.iter().collect();
        keep(record, &patterns).unwrap_or_else(|| Value::Object(serde_json::Map::new()))
    }

    /// A record without these fields, and without a word on why one of them would be absent.
    pub fn remove(&self, record: &mut Value) {
        for pattern in self.iter() {
            remove(record, pattern);
        }
        let Some(Value::Object(states)) = record.get_mut(FIELD_STATE) else { return };
        states.retain(|pointer, _| !self.touch(&segments(pointer)));
        if states.is_empty()
            && let Value::Object(fields) = record
        {
            fields.remove(FIELD_STATE);
        }
    }

    /// Is anything at or below a place among these fields, or anything of which the place is a part?
    pub(crate) fn touch(&self, path: &[String]) -> bool {
        self.iter().any(|pattern| pattern.iter().zip(path).all(|(one, other)| alike(one, other)))
    }
}

fn segments(pointer: &str) -> Vec<String> {
    renmen_schema::pointer::names(pointer)
}

fn alike(one: &str, other: &str) -> bool {
    one == other || one == "*" || other == "*"
}

fn keep(value: &Value, patterns: &[&[String]]) -> Option<Value> {
    if patterns.iter().any(|pattern| pattern.is_empty()) {
        return Some(value.clone());
    }
    let below = |key: &str| -> Vec<&[String]> {
        let fits = |pattern: &&&[String]| pattern.first().is_some_and(|first| first == key || first == "*");
        patterns.iter().filter(fits).map(|pattern| &pattern[1..]).collect()
    };
    match value {
        Value::Object(fields) => {
            let kept: serde_json::Map<String, Value> = fields
                .iter()
                .filter_map(|(key, field)| {
                    let patterns = below(key);
                    Some((key.clone(), keep(field, &patterns).filter(|_| !patterns.is_empty())?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let patterns = below("*");
            // An item with nothing in it keeps its place, so that positions stay what they were.
            let kept = items.iter().map(|item| keep(item, &patterns).unwrap_or(Value::Null));
            (!patterns.is_empty()).then(|| kept.collect())
        }
        _ => None,
    }
}

fn remove(value: &mut Value, pattern: &[String]) {
    let Some((first, rest)) = pattern.split_first() else {
        *value = Value::Object(serde_json::Map::new());
        return;
    };
    match value {
        Value::Object(fields) if rest.is_empty() => fields.retain(|key, _| !alike(first, key)),
        Value::Object(fields) => fields.retain(|key, field| {
            if !alike(first, key) {
                return true;
            }
            let filled = !is_empty(field);
            remove(field, rest);
            // What is left of it would tell that there was something.
            !(filled && is_empty(field))
        }),
        Value::Array(items) if first == "*" && rest.is_empty() => items.clear(),
        Value::Array(items) if first == "*" => items.iter_mut().for_each(|item| remove(item, rest)),
        // Positions stay what they were.
        Value::Array(items) => match first.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
            Some(item) if rest.is_empty() => *item = Value::Null,
            Some(item) => remove(item, rest),
            None => {}
        },
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "number": "7", "person": { "names": { "formatted": "Made Up" }, "gender": { "code": "FEMALE" } },
            "emails": [{ "address": "a@example.com", "kind": "WORK" }, { "kind": "HOME" }],
        })
    }

    fn fields(texts: &[&str]) -> Fields {
        Fields::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn what_is_named_stays_and_nothing_else_does() {
        for (texts, wanted) in [
            (&["/number"][..], json!({ "number": "7" })),
            (&["/person/names"], json!({ "person": { "names": { "formatted": "Made Up" } } })),
            (&["/emails/*/address"], json!({ "emails": [{ "address": "a@example.com" }, null] })),
            (&["/person/*/formatted"], json!({ "person": { "names": { "formatted": "Made Up" } } })),
            (&["/absent"], json!({})),
            (&[], json!({})),
        ] {
            assert_eq!(fields(texts).keep(&record()), wanted, "{texts:?}");
        }
        assert_eq!(fields(&["*"]).keep(&record()), record());
    }

    #[test]
    fn what_is_withheld_goes_and_the_rest_stays() {
        let mut cut = record();
        fields(&["/person/gender/code", "/emails/*/address", "/absent/x"]).remove(&mut cut);
        assert_eq!(
            cut,
            json!({
                "number": "7", "person": { "names": { "formatted": "Made Up" } }, "emails": [{ "kind": "WORK" }, { "kind": "HOME" }],
            })
        );
        fields(&["*"]).remove(&mut cut);
        assert_eq!(cut, json!({}));
    }

    #[test]
    fn a_protected_class_names_its_fields() {
        let special = Fields::of_class(EntityKind::Employee, Sensitivity::Special);
        assert!(special.touch(&["person".to_owned(), "gender".to_owned()]));
        assert!(!special.touch(&["person".to_owned(), "names".to_owned()]));
    }

    #[test]
    fn an_item_by_its_number_is_taken_out_too_and_the_others_keep_their_places() {
        let mut cut = record();
        fields(&["/emails/0/address", "/emails/1"]).remove(&mut cut);
        assert_eq!(cut["emails"], json!([{ "kind": "WORK" }, null]));
    }

    #[test]
    fn why_something_withheld_is_absent_is_withheld_with_it() {
        let state =
            json!({ "/person/gender": "masked", "/person/gender/code": "masked", "/work/title": "unsupported" });
        let mut cut = json!({ "number": "7", "field_state": state });
        fields(&["/person/gender"]).remove(&mut cut);
        assert_eq!(cut, json!({ "number": "7", "field_state": { "/work/title": "unsupported" } }));
        fields(&["/work"]).remove(&mut cut);
        assert_eq!(cut, json!({ "number": "7" }));
    }

    #[test]
    fn all_forms_of_a_value_are_withheld_with_one_of_them() {
        let withheld = fields(&["/person/gender/code", "/overall"]).for_kind(EntityKind::Employee);
        assert_eq!(withheld, fields(&["/person/gender"]), "a field that the entity does not have does not matter here");
        let mut cut = json!({ "person": { "gender": { "code": "OTHER", "raw": "w", "label": { "en": "woman" } } } });
        withheld.remove(&mut cut);
        assert_eq!(cut, json!({}));
    }

    #[test]
    fn a_pattern_begins_with_a_slash() {
        assert!(Fields::parse(["names"]).unwrap_err().1.english().contains("begin with `/`"));
    }
}
