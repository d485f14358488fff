//! The fields of a person: the members of what records say of them, each with its values side by side.

use std::collections::BTreeMap;

use renmen_identity::{Stated, Survivorship};
use serde_json::Value;

use crate::person::{Field, FieldValue, Source};

/// Members whose members are fields of their own.
const OPENED: [&str; 2] = ["person", "work"];
/// What says who a record is, and is not a field.
const LEFT_OUT: [&str; 1] = ["same_person"];

/// Every field that a source has a value of, by name.
pub(crate) fn of(sources: &[Source], prefer: &Survivorship) -> Vec<Field> {
    let mut values: BTreeMap<String, Vec<(usize, FieldValue)>> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&source.record.body) else { continue };
        for (name, value) in body {
            match value {
                Value::Object(members) if OPENED.contains(&name.as_str()) => {
                    for (member, value) in members {
                        let (field, pointer) = (format!("{name}.{member}"), format!("/{name}/{member}"));
                        values.entry(field).or_default().push((at, stated(source, pointer, value)));
                    }
                }
                value if !LEFT_OUT.contains(&name.as_str()) => {
                    let pointer = format!("/{name}");
                    values.entry(name).or_default().push((at, stated(source, pointer, value)));
                }
                _ => {}
            }
        }
    }
    let order = order_of(sources);
    values.into_iter().filter_map(|(name, values)| field(name, values, &order, prefer)).collect()
}

fn stated(source: &Source, pointer: String, value: Value) -> FieldValue {
    let record = &source.record;
    FieldValue {
        value,
        record: record.id,
        entity: record.entity.clone(),
        connection: record.connection.clone(),
        pointer,
        at_ms: record.source_updated_at_ms.unwrap_or(record.recorded_at_ms),
    }
}

/// The place of each source in an order that no arrival changes.
fn order_of(sources: &[Source]) -> Vec<u64> {
    let key = |at: &usize| {
        let record = &sources[*at].record;
        (record.connection.as_str(), record.entity.as_str(), record.external_id.as_str())
    };
    let mut by_name: Vec<usize> = (0..sources.len()).collect();
    by_name.sort_by_key(|at| key(at));
    let mut order = vec![0; sources.len()];
    for (place, at) in by_name.into_iter().enumerate() {
        order[at] = place as u64;
    }
    order
}

fn field(name: String, values: Vec<(usize, FieldValue)>, order: &[u64], prefer: &Survivorship) -> Option<Field> {
    let one = |(at, value): &(usize, FieldValue)| Stated {
        value: value.value.to_string(),
        connection: value.connection.to_string(),
        source: order[*at],
        at_ms: value.at_ms,
    };
    let preferred = prefer.prefer(&name, values.iter().map(one).collect(), None)?;
    let mut by_source: BTreeMap<u64, FieldValue> = values.into_iter().map(|(at, value)| (order[at], value)).collect();
    let values = preferred.stated.iter().filter_map(|stated| by_source.remove(&stated.source)).collect();
    Some(Field { name, values, why: preferred.why })
}
