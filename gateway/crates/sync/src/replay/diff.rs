//! Which fields of two canonical bodies differ. Values are shown only where the schema says that anybody inside may see
//! them; of everything else only the place is named.

use renmen_schema::types::Sensitivity;
use renmen_schema::{EntityKind, class_of};
use serde::Serialize;
use serde_json::Value;

/// Fields shown of one record.
const FIELDS_SHOWN: usize = 50;
/// Characters shown of one value.
const VALUE_SHOWN: usize = 200;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// RFC 6901 pointer into the body.
    pub pointer: String,
    /// What is stored; none when there is nothing, or when `masked`.
    pub before: Option<String>,
    /// What the connector makes now; none when there is nothing, or when `masked`.
    pub after: Option<String>,
    /// True: the field is personal or more, or of no known class. Only its place is shown.
    pub masked: bool,
}

/// Every leaf that differs, at most [`FIELDS_SHOWN`]. A body that is not JSON counts as one difference at its root.
pub(super) fn fields(entity: &str, before: &[u8], after: &[u8]) -> Vec<FieldDifference> {
    let (Ok(before), Ok(after)) = (serde_json::from_slice(before), serde_json::from_slice(after)) else {
        return vec![FieldDifference { pointer: String::new(), before: None, after: None, masked: true }];
    };
    let mut walk = Walk { kind: EntityKind::from_name(entity), path: Vec::new(), found: Vec::new() };
    walk.compare(Some(&before), Some(&after));
    walk.found
}

struct Walk {
    kind: Option<EntityKind>,
    path: Vec<String>,
    found: Vec<FieldDifference>,
}

impl Walk {
    fn compare(&mut self, before: Option<&Value>, after: Option<&Value>) {
        if before == after || self.found.len() >= FIELDS_SHOWN {
            return;
        }
        let mut steps: Vec<String> = Vec::new();
        for value in [before, after].into_iter().flatten() {
            let own: Vec<String> = match value {
                Value::Object(fields) => fields.keys().cloned().collect(),
                Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
                _ => Vec::new(),
            };
            steps.extend(own.into_iter().filter(|step| !steps.contains(step)).collect::<Vec<_>>());
        }
        if steps.is_empty() || before.is_some_and(is_leaf) || after.is_some_and(is_leaf) {
            self.leaf(before, after);
            return;
        }
        for step in steps {
            let (one, other) =
                (before.and_then(|value| child(value, &step)), after.and_then(|value| child(value, &step)));
            self.path.push(step);
            self.compare(one, other);
            self.path.pop();
        }
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let pointer: String =
            self.path.iter().map(|step| format!("/{}", renmen_schema::pointer::escape(step))).collect();
        // What the schema does not name is closed.
        let class = self.kind.and_then(|kind| class_of(kind, &pointer));
        let masked = !class.is_some_and(Sensitivity::may_be_shown);
        let show = |value: Option<&Value>| value.filter(|_| !masked).map(shown);
        self.found.push(FieldDifference { pointer, before: show(before), after: show(after), masked });
    }
}

fn is_leaf(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}

fn child<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(VALUE_SHOWN).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn between(entity: &str, before: &str, after: &str) -> Vec<FieldDifference> {
        fields(entity, before.as_bytes(), after.as_bytes())
    }

    #[test]
    fn a_personal_field_is_named_and_its_values_are_not_shown() {
        let found = between(
            "candidate",
            r#"{"person":{"emails":[{"address":"before@example.com"}]}}"#,
            r#"{"person":{"emails":[{"address":"after@example.com"}]}}"#,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pointer, "/person/emails/0/address");
        assert!(found[0].masked && found[0].before.is_none() && found[0].after.is_none());
    }

    #[test]
    fn an_internal_field_shows_both_values() {
        let found = between("org_unit", r#"{"code":"A","position":1}"#, r#"{"code":"B"}"#);
        let shown: Vec<_> =
            found.iter().map(|f| (f.pointer.as_str(), f.before.as_deref(), f.after.as_deref())).collect();
        assert_eq!(shown, [("/code", Some("A"), Some("B")), ("/position", Some("1"), None)]);
    }

    #[test]
    fn what_the_schema_does_not_name_is_closed() {
        for (entity, before) in [("org_unit", r#"{"stray":"x"}"#), ("stranger", r#"{"code":"x"}"#)] {
            let found = between(entity, before, "{}");
            assert!(found[0].masked && found[0].before.is_none(), "{entity}");
        }
        assert!(between("org_unit", "not json", "{}")[0].masked);
    }

    #[test]
    fn a_branch_that_came_or_went_is_told_leaf_by_leaf_and_only_so_many() {
        let found = between("org_unit", r#"{"name":{"en":"x"}}"#, r#"{"name":{"en":"x","zh-CN":"y"}}"#);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pointer, "/name/zh-CN");
        let many: Vec<_> = (0..200).map(|n| format!("\"f{n}\":1")).collect();
        assert_eq!(between("org_unit", "{}", &format!("{{{}}}", many.join(","))).len(), FIELDS_SHOWN);
    }
}
