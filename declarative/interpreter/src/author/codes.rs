//! Words of ours in a mapping: what a map leads to, and constants, must be words that the field has.

use renmen_schema::{EntityKind, Field, field_at};
use serde_json::{Map, Value};

use crate::faults::Faults;
use crate::language::SourceTable;
use crate::nearest::known;

/// The maps of a mapping, by name.
pub(super) type Maps = std::collections::BTreeMap<String, Map<String, Value>>;

/// The words that a source may give its field.
pub(super) fn check_source(kind: EntityKind, to: &str, table: &SourceTable, maps: &Maps, faults: &mut Faults) {
    let is_coded = words_at(kind, &format!("{to}/code"));
    match (table.form.as_deref(), is_coded) {
        (Some("code"), Some(words)) | (Some("choice"), Some(words)) => {
            if table.form.as_deref() == Some("choice") {
                faults.within("as", |faults| faults.add("a coded field: write as = \"code\""));
            }
            check_map(table, maps, words, faults);
        }
        (Some("code"), None) => {
            let help = match words_at(kind, to) {
                Some(words) => {
                    check_map(table, maps, words, faults);
                    "it has a closed list of words: write as = \"choice\""
                }
                None => "this field is not coded",
            };
            if field(kind, to).is_some() {
                faults.within("as", |faults| faults.add(help));
            }
        }
        (Some("choice"), None) => check_map(table, maps, words_at(kind, to).unwrap_or_default(), faults),
        (None | Some("text"), Some(_)) if table.from.is_some() || table.text.is_some() => {
            faults.add("a coded field: write as = \"code\", and a `map` from the vendor's words to ours");
        }
        _ => {}
    }
    for (key, value) in [("value", &table.value), ("default", &table.default)] {
        if let Some(value) = value {
            faults.within(key, |faults| check_constant(kind, to, value, faults));
        }
    }
}

/// The words in a constant.
pub(super) fn check_constant(kind: EntityKind, to: &str, value: &Value, faults: &mut Faults) {
    match value {
        Value::String(word) => {
            if let Some(words) = words_at(kind, to)
                && let Err(wrong) = known(word, words, "word of this field")
            {
                faults.add(wrong);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                faults.within(name, |faults| check_constant(kind, &format!("{to}/{name}"), value, faults));
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                faults.within(number.to_string(), |faults| check_constant(kind, &format!("{to}/*"), value, faults));
            }
        }
        _ => {}
    }
}

/// Does every line of the map lead to a word that there is?
fn check_map(table: &SourceTable, maps: &Maps, words: &[String], faults: &mut Faults) {
    let (lines, shared) = match &table.map {
        Some(Value::Object(lines)) => (lines, None),
        Some(Value::String(name)) => match maps.get(name) {
            Some(lines) => (lines, Some(name)),
            None => return,
        },
        _ => return,
    };
    if words.is_empty() {
        return;
    }
    for (theirs, ours) in lines {
        let Value::String(ours) = ours else { continue };
        let Err(wrong) = known(ours, words, "word of this field") else { continue };
        faults.within("map", |faults| match shared {
            // The line that is wrong stands elsewhere, and is right for another field perhaps.
            Some(name) => faults.add(format!("[maps] {name}, `{theirs}`: {wrong}")),
            None => faults.within(theirs, |faults| faults.add(wrong)),
        });
    }
}

/// The words that a field may have; `None` where they are not listed.
fn words_at(kind: EntityKind, to: &str) -> Option<&'static [String]> {
    field(kind, to).map(|field| field.codes.as_slice()).filter(|codes| !codes.is_empty())
}

fn field(kind: EntityKind, to: &str) -> Option<&'static Field> {
    let path: Vec<String> = to.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    field_at(kind, &path)
}
