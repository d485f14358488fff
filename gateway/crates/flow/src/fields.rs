//! Which fields of a record: patterns of JSON Pointers, checked against the schema, and cutting a record down to them.

use renmen_schema::{EntityKind, Sensitivity, sensitivity};
use serde_json::Value;

/// Patterns such as `/person/names` (it and all below it) and `/emails/*/address` (`*` is any item or key); `*` alone is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<Vec<String>>);

impl Fields {
    /// Patterns that need no schema.
    ///
    /// # Errors
    /// The number of the pattern that is none, with what is wrong.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, (usize, String)> {
        let mut patterns = Vec::new();
        for (number, text) in texts.into_iter().enumerate() {
            if text == "*" {
                patterns.push(Vec::new());
                continue;
            }
            let Some(path) = text.strip_prefix('/').filter(|path| !path.is_empty()) else {
                return Err((number, format!("`{}` is no field: begin with `/`", shown(text))));
            };
            patterns.push(path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect());
        }
        Ok(Self(patterns))
    }

    /// Every field of an entity that has at least this class.
    #[must_use]
    pub fn of_class(kind: EntityKind, least: Sensitivity) -> Self {
        let classed = sensitivity(kind).iter().filter(|(_, class)| **class >= least);
        Self(classed.map(|(pattern, _)| pattern.split('/').skip(1).map(str::to_owned).collect()).collect())
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

    /// A record without these fields.
    pub fn remove(&self, record: &mut Value) {
        for pattern in self.iter() {
            remove(record, pattern);
        }
    }

    /// Is anything at or below a place among these fields, or anything of which the place is a part?
    pub(crate) fn touch(&self, path: &[String]) -> bool {
        self.iter().any(|pattern| pattern.iter().zip(path).all(|(one, other)| alike(one, other)))
    }
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

/// Is there such a place in an entity's schema? Else: what there is instead, where its path is left.
pub(crate) fn known(kind: EntityKind, path: &[String]) -> Result<(), String> {
    let leaves: Vec<Vec<&str>> = sensitivity(kind).keys().map(|pattern| pattern.split('/').skip(1).collect()).collect();
    for end in 1..=path.len() {
        let begins = |leaf: &&Vec<&str>| leaf.len() >= end && leaf.iter().zip(&path[..end]).all(|(l, p)| alike(l, p));
        if leaves.iter().any(|leaf| begins(&leaf)) {
            continue;
        }
        let above = &path[..end - 1];
        let mut there: Vec<&str> = leaves
            .iter()
            .filter(|leaf| leaf.len() >= end && leaf.iter().zip(above).all(|(l, p)| alike(l, p)))
            .map(|leaf| leaf[end - 1])
            .collect();
        there.sort_unstable();
        there.dedup();
        let place = if above.is_empty() { kind.name().to_owned() } else { format!("/{}", above.join("/")) };
        return Err(match there.as_slice() {
            [] => format!("`{place}` has no parts"),
            ["*"] => format!("`{place}` is a list or a map: use `*` or an index"),
            _ => format!("{place} has no `{}`; it has {}", shown(&path[end - 1]), there.join(", ")),
        });
    }
    Ok(())
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
    fn a_place_that_the_schema_does_not_have_is_told_with_what_there_is() {
        let path = |text: &str| text.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
        for good in [
            "/person",
            "/person/names/formatted",
            "/person/emails/*/address",
            "/person/emails/0/address",
            "/person/gender/code",
        ] {
            assert_eq!(known(EntityKind::Employee, &path(good)), Ok(()), "{good}");
        }
        let told = known(EntityKind::Employee, &path("/wrok")).unwrap_err();
        assert!(told.contains("employee has no `wrok`; it has ") && told.contains("work"), "{told}");
        assert!(known(EntityKind::Employee, &path("/work/titel")).unwrap_err().contains("/work has no `titel`"));
        assert!(known(EntityKind::Employee, &path("/work/title/x")).unwrap_err().contains("no parts"));
        assert!(Fields::parse(["names"]).unwrap_err().1.contains("begin with `/`"));
    }
}
