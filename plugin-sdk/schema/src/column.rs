//! Records as rows of a table: which columns an entity has where a file or a view wants columns. Made from the JSON Schema, so a new
//! field is a new column.
//!
//! A field below objects is a column of its own, named by the members that lead to it: `/work/hire_date` is `work_hire_date`. What has no
//! fixed number of parts (lists, texts by language) is one column of JSON. Custom fields and reasons for absence have no column:
//! what is in them is not known.

use std::sync::LazyLock;

use crate::field::{Field, JsonType, fields};
use crate::kind::EntityKind;
use crate::types::Sensitivity;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// A text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// An exact decimal: 15 digits before the point, 6 after it.
    Decimal,
    /// A day.
    Day,
    /// A point in time, in milliseconds.
    Time,
    /// JSON.
    Json,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// `work_hire_date`: at most 63 bytes.
    pub name: String,
    /// Members that lead to the value.
    pub path: Vec<String>,
    /// What it holds.
    pub kind: ColumnKind,
    /// The highest class of all that is in it.
    pub sensitivity: Sensitivity,
    /// What it means.
    pub description: String,
}

/// Members of every body that have no columns.
const NO_COLUMNS: [&str; 2] = ["ext", "field_state"];
/// What of an id in another system is of no use in a table.
const OF_IDS: [&str; 3] = ["agency", "scheme", "object_type"];

static ALL: LazyLock<Vec<Vec<Column>>> = LazyLock::new(|| EntityKind::ALL.iter().map(|kind| made(*kind)).collect());

/// The columns of an entity, in the order of its fields.
#[must_use]
pub fn columns(kind: EntityKind) -> &'static [Column] {
    &ALL[kind as usize]
}

fn made(kind: EntityKind) -> Vec<Column> {
    let all = fields(kind);
    all.iter().filter_map(|field| Some(column(field, kind_of(field, all)?))).collect()
}

fn path_of(field: &Field) -> Vec<String> {
    field.pointer.split('/').skip(1).map(str::to_owned).collect()
}

/// None: it has no column, or several.
fn kind_of(field: &Field, all: &[Field]) -> Option<ColumnKind> {
    let path: Vec<&str> = field.pointer.split('/').skip(1).collect();
    if path.contains(&"*") || NO_COLUMNS.contains(&path[0]) {
        return None;
    }
    if let [.., "external", last] = path.as_slice()
        && OF_IDS.contains(last)
    {
        return None;
    }
    Some(match (field.json_type, field.type_name.as_deref()) {
        (JsonType::String, Some("Decimal")) => ColumnKind::Decimal,
        (JsonType::String, Some("LocalDate")) => ColumnKind::Day,
        (JsonType::String, Some("Instant")) => ColumnKind::Time,
        (JsonType::String, _) => ColumnKind::Text,
        (JsonType::Integer, _) => ColumnKind::Integer,
        (JsonType::Number, _) => ColumnKind::Number,
        (JsonType::Boolean, _) => ColumnKind::Flag,
        (JsonType::Array | JsonType::Any, _) => ColumnKind::Json,
        (JsonType::Object, _) => {
            let below = format!("{}/", field.pointer);
            let named = |inner: &Field| {
                inner.pointer.strip_prefix(&below).is_some_and(|rest| !rest.contains('/') && rest != "*")
            };
            // Its members are columns.
            if all.iter().any(named) {
                return None;
            }
            ColumnKind::Json
        }
    })
}

fn column(field: &Field, kind: ColumnKind) -> Column {
    let path = path_of(field);
    Column { name: path.join("_"), path, kind, sensitivity: field.sensitivity, description: field.description.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    fn of(kind: EntityKind, name: &str) -> &'static Column {
        columns(kind).iter().find(|column| column.name == name).unwrap_or_else(|| panic!("{kind} has no {name}"))
    }

    #[test]
    fn every_column_of_every_entity_has_a_name_of_its_own_that_a_database_takes() {
        for kind in EntityKind::ALL {
            let names: BTreeSet<&str> = columns(*kind).iter().map(|column| column.name.as_str()).collect();
            assert_eq!(names.len(), columns(*kind).len(), "{kind}");
            for name in names {
                let fits =
                    name.len() <= 63 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                assert!(fits, "{kind}: {name}");
            }
        }
    }

    #[test]
    fn a_field_is_a_column_of_its_type_with_its_class() {
        let employee = EntityKind::Employee;
        assert_eq!(of(employee, "number").kind, ColumnKind::Text);
        assert_eq!(of(employee, "work_hire_date").kind, ColumnKind::Day);
        assert_eq!(of(employee, "person_names_formatted").sensitivity, Sensitivity::Personal);
        assert_eq!(
            (of(employee, "person_emails").kind, of(employee, "person_emails").sensitivity),
            (ColumnKind::Json, Sensitivity::Personal)
        );
        let slip = EntityKind::PayrollRecord;
        assert_eq!(
            (of(slip, "net_amount").kind, of(slip, "net_amount").sensitivity),
            (ColumnKind::Decimal, Sensitivity::Sensitive)
        );
        assert_eq!(of(slip, "lines").kind, ColumnKind::Json);
        assert_eq!(of(EntityKind::OrgUnit, "name").kind, ColumnKind::Json, "a text by language");
        assert_eq!(of(EntityKind::Interview, "start_utc").kind, ColumnKind::Time);
        for (kind, absent) in
            [(employee, "ext"), (employee, "field_state"), (employee, "employer_external_agency"), (employee, "person")]
        {
            assert!(columns(kind).iter().all(|column| column.name != absent), "{absent}");
        }
    }
}
