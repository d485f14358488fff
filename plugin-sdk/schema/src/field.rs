//! Every field of an entity in one flat list: what a person reads instead of a JSON Schema of a thousand lines, and what an
//! expression over a record is checked against. Made from the JSON Schema, so it cannot say anything else.

use std::sync::LazyLock;

use serde_json::Value;

use crate::json_schema::{Node, json_schema};
use crate::kind::EntityKind;
use crate::sensitivity::class_of;
use crate::types::Sensitivity;

/// What a value is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// A text; decimals, dates and times are texts too.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// Fields by name, or values by any key.
    Object,
    /// More than one of these, or not known.
    Any,
}

impl JsonType {
    /// As JSON Schema writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Any => "any",
        }
    }

    fn from_schema(name: Option<&Value>) -> Self {
        match name.and_then(Value::as_str) {
            Some("string") => Self::String,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::Array,
            Some("object") => Self::Object,
            _ => Self::Any,
        }
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Field {
    /// `/person/emails/*/address`; `*` is any index of a list or any key of a map.
    pub pointer: String,
    /// What it is in JSON.
    pub json_type: JsonType,
    /// The type that the schema defines for it: `Decimal`, `Localized`, `CodedGender`.
    pub type_name: Option<String>,
    /// The object that contains it must have it.
    pub required: bool,
    /// The highest class of all that is in it.
    pub sensitivity: Sensitivity,
    /// What it means.
    pub description: String,
    /// The words that it may be, where they are listed. Of a coded field its `code` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
}

static ALL: LazyLock<Vec<Vec<Field>>> = LazyLock::new(|| EntityKind::ALL.iter().map(|kind| collected(*kind)).collect());

/// Every field of an entity, each after the one that it is in.
#[must_use]
pub fn fields(kind: EntityKind) -> &'static [Field] {
    &ALL[kind as usize]
}

/// The field at a path of real keys and indices, or `*`; none when the schema has no such place.
#[must_use]
pub fn field_at(kind: EntityKind, path: &[String]) -> Option<&'static Field> {
    let matches = |field: &&Field| {
        let mut segments = field.pointer.split('/').skip(1);
        path.iter().all(|part| segments.next().is_some_and(|segment| segment == "*" || segment == part))
            && segments.next().is_none()
    };
    fields(kind).iter().find(matches)
}

fn collected(kind: EntityKind) -> Vec<Field> {
    let schema = json_schema(kind);
    let mut fields = Vec::new();
    collect(kind, Node::new(&schema, &schema), "", &mut fields);
    fields
}

fn collect(kind: EntityKind, node: Node<'_>, pointer: &str, fields: &mut Vec<Field>) {
    let required = node.required();
    for (segment, child) in node.children() {
        let pointer = format!("{pointer}/{segment}");
        fields.push(Field {
            json_type: JsonType::from_schema(child.get("type")),
            type_name: child.definition_name().map(str::to_owned),
            required: required.contains(&segment),
            sensitivity: class_of(kind, &pointer).unwrap_or(Sensitivity::Internal),
            codes: texts(child.get("enum")),
            description: child.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            pointer: pointer.clone(),
        });
        collect(kind, child, &pointer, fields);
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::sensitivity::sensitivity;

    fn at(kind: EntityKind, pointer: &str) -> Option<&'static Field> {
        field_at(kind, &pointer.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn every_place_that_has_a_class_is_a_field_with_that_class() {
        for kind in EntityKind::ALL {
            let listed: BTreeSet<&str> = fields(*kind).iter().map(|field| field.pointer.as_str()).collect();
            for (pointer, class) in sensitivity(*kind) {
                assert!(listed.contains(pointer.as_str()), "{kind}: {pointer}");
                assert_eq!(at(*kind, pointer).unwrap().sensitivity, *class, "{kind}: {pointer}");
            }
        }
    }

    #[test]
    fn a_field_says_what_it_is_and_whether_it_must_be_there() {
        let review = EntityKind::from_name("performance_review").unwrap();
        let value = at(review, "/rating/value").unwrap();
        assert_eq!((value.json_type, value.type_name.as_deref()), (JsonType::String, Some("Decimal")));
        assert!(at(review, "/reviewee").unwrap().required && !at(review, "/rating").unwrap().required);
        assert_eq!(at(review, "/calibrated").unwrap().json_type, JsonType::Boolean);
        let employee = EntityKind::from_name("employee").unwrap();
        let address = at(employee, "/person/emails/0/address").unwrap();
        assert_eq!(
            (address.pointer.as_str(), address.sensitivity),
            ("/person/emails/*/address", Sensitivity::Personal)
        );
        let codes = &at(employee, "/work/status/code").unwrap().codes;
        assert!(codes.iter().any(|code| code == "PROBATION") && codes.iter().any(|code| code == "OTHER"), "{codes:?}");
        assert!(at(employee, "/person/nothing").is_none() && at(employee, "/number/below").is_none());
    }
}
