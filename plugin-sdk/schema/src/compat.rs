//! Does a schema break who reads or writes by a released one? Compares two documents of [`crate::all_schemas`].
//!
//! Who wrote a reader for the release goes on reading what it knew: a field may be added, never taken away or changed. Codes may
//! be added to open vocabularies only, because readers of closed ones need not expect more.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::json_schema::Node;
use crate::types::Sensitivity;

/// What kind of break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKind {
    /// A whole entity is gone.
    RemovedEntity,
    /// A field is gone.
    RemovedProperty,
    /// A field is of another type, or refers to another entity.
    ChangedType,
    /// A field must be there that needed not: writers break.
    NewlyRequired,
    /// A field need not be there that had to: readers break.
    NoLongerRequired,
    /// A code is gone: writers break.
    RemovedCode,
    /// A closed vocabulary has a code more: readers break.
    AddedCode,
    /// A pattern, format or limit is another one: narrower breaks writers, wider breaks readers.
    ChangedConstraint,
    /// A field has a lower class: what was masked would be shown.
    LoweredSensitivity,
}

/// One break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The entity, then a pointer pattern: `employee/person/emails/*/address`.
    pub path: String,
    /// The kind of break.
    pub kind: BreakKind,
    /// What it was and what it is.
    pub message: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.path, self.kind, self.message)
    }
}

const CONSTRAINTS: &[&str] = &[
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
];

/// Everything in `current` that breaks who relies on `released`.
#[must_use]
pub fn breaks(released: &Value, current: &Value) -> Vec<Break> {
    let mut found = Vec::new();
    for (name, old) in released["entities"].as_object().into_iter().flatten() {
        match current["entities"].get(name) {
            Some(new) => compare(Node::new(released, old), Node::new(current, new), name, &mut found),
            None => add(&mut found, name, BreakKind::RemovedEntity, "the entity is gone"),
        }
    }
    found
}

fn add(found: &mut Vec<Break>, path: &str, kind: BreakKind, message: impl Into<String>) {
    found.push(Break { path: path.to_owned(), kind, message: message.into() });
}

fn compare(old: Node<'_>, new: Node<'_>, path: &str, found: &mut Vec<Break>) {
    for keyword in ["type", "x-ref-entity"] {
        if old.get(keyword) != new.get(keyword) {
            add(found, path, BreakKind::ChangedType, was_and_is(keyword, old, new));
        }
    }
    for keyword in CONSTRAINTS.iter().filter(|keyword| old.get(keyword) != new.get(keyword)) {
        add(found, path, BreakKind::ChangedConstraint, was_and_is(keyword, old, new));
    }
    compare_codes(old, new, path, found);
    if class(new) < class(old) {
        add(found, path, BreakKind::LoweredSensitivity, was_and_is("x-sensitivity", old, new));
    }
    compare_required(old, new, path, found);
    let children = new.children();
    for (segment, old_child) in old.children() {
        let child_path = format!("{path}/{segment}");
        match children.iter().find(|(name, _)| *name == segment) {
            Some((_, new_child)) => compare(old_child, *new_child, &child_path, found),
            None => add(found, &child_path, BreakKind::RemovedProperty, "the field is gone"),
        }
    }
}

fn compare_codes(old: Node<'_>, new: Node<'_>, path: &str, found: &mut Vec<Break>) {
    let (before, after) = (codes(old), codes(new));
    for code in before.difference(&after) {
        add(found, path, BreakKind::RemovedCode, format!("the code {code} is gone"));
    }
    let open = old.get("x-open-codes") == Some(&Value::Bool(true));
    for code in after.difference(&before).filter(|_| !open) {
        add(found, path, BreakKind::AddedCode, format!("the code {code} is new in a closed vocabulary"));
    }
}

fn compare_required(old: Node<'_>, new: Node<'_>, path: &str, found: &mut Vec<Break>) {
    let (before, after) = (old.required(), new.required());
    for name in after.iter().filter(|name| !before.contains(name)) {
        add(found, &format!("{path}/{name}"), BreakKind::NewlyRequired, "the field is required and was not");
    }
    for name in before.iter().filter(|name| !after.contains(name)) {
        add(found, &format!("{path}/{name}"), BreakKind::NoLongerRequired, "the field is not required and was");
    }
}

fn codes(node: Node<'_>) -> BTreeSet<&str> {
    node.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn class(node: Node<'_>) -> Sensitivity {
    let classes = node.both("x-sensitivity").filter_map(|class| Sensitivity::from_code(class.as_str()?));
    classes.max().unwrap_or(Sensitivity::Internal)
}

fn was_and_is(keyword: &str, old: Node<'_>, new: Node<'_>) -> String {
    let text = |node: Node<'_>| node.get(keyword).map_or_else(|| "nothing".to_owned(), ToString::to_string);
    format!("{keyword} was {} and is {}", text(old), text(new))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{BreakKind, breaks};

    /// A released schema with one of everything.
    fn released() -> Value {
        json!({
            "entities": { "thing": { "$ref": "#/$defs/Thing" }, "other": { "type": "object" } },
            "$defs": {
                "Thing": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "maxLength": 10, "x-sensitivity": "PERSONAL" },
                        "state": { "type": "string", "enum": ["A", "B"], "x-open-codes": false },
                        "sort": { "type": "string", "enum": ["X", "OTHER"], "x-open-codes": true },
                        "parent": { "type": "object", "x-ref-entity": "thing" },
                        "list": { "type": "array", "items": { "$ref": "#/$defs/Item" } },
                        "map": { "type": "object", "additionalProperties": { "type": "string" } },
                    },
                },
                "Item": { "type": "object", "properties": { "n": { "type": "string", "pattern": "^a$" } } },
            },
        })
    }

    /// The kinds of breaks after a change at `pointer`.
    fn after(pointer: &str, value: Value) -> Vec<(String, BreakKind)> {
        let mut current = released();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(node)) = current.pointer_mut(parent) {
            match value {
                Value::Null => node.remove(name),
                value => node.insert(name.to_owned(), value),
            };
        }
        assert_ne!(current, released(), "the change was made");
        breaks(&released(), &current).into_iter().map(|b| (b.path, b.kind)).collect()
    }

    #[test]
    fn what_is_taken_away_breaks() {
        assert_eq!(after("/entities/other", Value::Null), [("other".into(), BreakKind::RemovedEntity)]);
        let at = "/$defs/Thing/properties";
        assert_eq!(after(&format!("{at}/map"), Value::Null), [("thing/map".into(), BreakKind::RemovedProperty)]);
        assert_eq!(
            after("/$defs/Item/properties/n", Value::Null),
            [("thing/list/*/n".into(), BreakKind::RemovedProperty)]
        );
        assert_eq!(
            after(&format!("{at}/sort/enum"), json!(["OTHER"])),
            [("thing/sort".into(), BreakKind::RemovedCode)]
        );
        assert_eq!(after("/$defs/Thing/required", json!([])), [("thing/name".into(), BreakKind::NoLongerRequired)]);
    }

    #[test]
    fn what_is_changed_breaks() {
        let at = "/$defs/Thing/properties";
        assert_eq!(
            after(&format!("{at}/state/type"), json!("object")),
            [("thing/state".into(), BreakKind::ChangedType)]
        );
        assert_eq!(
            after(&format!("{at}/parent/x-ref-entity"), json!("x")),
            [("thing/parent".into(), BreakKind::ChangedType)]
        );
        assert_eq!(
            after(&format!("{at}/map/additionalProperties"), json!({"type": "integer"})),
            [("thing/map/*".into(), BreakKind::ChangedType)]
        );
        for limit in [json!(9), json!(11), Value::Null] {
            let found = after(&format!("{at}/name/maxLength"), limit);
            assert_eq!(found, [("thing/name".into(), BreakKind::ChangedConstraint)]);
        }
        let narrowed = after("/$defs/Item/properties/n/pattern", json!("^b$"));
        assert_eq!(narrowed, [("thing/list/*/n".into(), BreakKind::ChangedConstraint)]);
        let lowered = after(&format!("{at}/name/x-sensitivity"), json!("INTERNAL"));
        assert_eq!(lowered, [("thing/name".into(), BreakKind::LoweredSensitivity)]);
    }

    #[test]
    fn what_is_added_breaks_only_where_somebody_relies_on_its_absence() {
        let at = "/$defs/Thing/properties";
        let required = after("/$defs/Thing/required", json!(["name", "sort"]));
        assert_eq!(required, [("thing/sort".into(), BreakKind::NewlyRequired)]);
        let closed = after(&format!("{at}/state/enum"), json!(["A", "B", "C"]));
        assert_eq!(closed, [("thing/state".into(), BreakKind::AddedCode)]);
        assert!(after(&format!("{at}/sort/enum"), json!(["X", "Y", "OTHER"])).is_empty());
        assert!(after(&format!("{at}/new"), json!({"type": "string"})).is_empty());
        assert!(after("/entities/new", json!({"type": "object"})).is_empty());
        assert!(after(&format!("{at}/name/x-sensitivity"), json!("SPECIAL")).is_empty());
        assert!(after(&format!("{at}/name/description"), json!("words")).is_empty());
        assert!(breaks(&released(), &released()).is_empty());
    }
}
