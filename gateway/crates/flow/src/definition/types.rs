//! The types of a definition's expressions, against the schema and against what the action takes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Defect, Definition, Template};
use crate::expression::{Expression, RecordTypes, TypeClash, ValueType};

impl Definition {
    /// Notes every expression whose types do not go together, and a condition that is not one.
    pub(super) fn check_types(&self, defects: &mut Vec<Defect>) {
        if let Some(condition) = &self.when.condition {
            // A condition sees the changed record alone.
            let records = RecordTypes { record: self.when.entity, related: BTreeMap::new() };
            let given = note_clashes(condition, &records, "when.if", defects);
            if !matches!(given, ValueType::Boolean | ValueType::Unknown) {
                defects.push(Defect {
                    key: "when.if".to_owned(),
                    at: None,
                    message: format!("a condition gives true or false, and this gives {}", given.told()),
                    help: "compare it with something: `record.status == 'ACTIVE'`".to_owned(),
                });
            }
        }
        let records = self.record_types();
        self.map.each("map", &mut |key, expression| {
            note_clashes(expression, &records, key, defects);
        });
    }

    /// Notes what a map gives to an action that takes something else there.
    pub(super) fn check_input_types(&self, schema: &Value, defects: &mut Vec<Defect>) {
        let Template::Object(parts) = &self.map else { return };
        let records = self.record_types();
        for (name, part) in parts {
            let wanted = ValueType::of_schema(&schema["properties"][name.as_str()]);
            let given = match part {
                Template::Expression(expression) => expression.types(&records).0,
                Template::Object(_) => ValueType::Map,
                Template::List(_) => ValueType::List,
                Template::Constant(value) => ValueType::of_json(value),
            };
            if [wanted, given].iter().any(|one| matches!(one, ValueType::Unknown | ValueType::Null)) || wanted == given
            {
                continue;
            }
            defects.push(Defect {
                key: format!("map.{name}"),
                at: None,
                message: format!(
                    "action `{}` takes {} here, and this gives {}",
                    self.to.action,
                    wanted.told(),
                    given.told()
                ),
                help: conversion(wanted, given).to_owned(),
            });
        }
    }

    fn record_types(&self) -> RecordTypes {
        let related = self.with.iter().map(|one| (one.name.clone(), (one.kind, one.is_list())));
        RecordTypes { record: self.when.entity, related: related.collect() }
    }
}

fn note_clashes(expression: &Expression, records: &RecordTypes, key: &str, defects: &mut Vec<Defect>) -> ValueType {
    let (given, clashes) = expression.types(records);
    let defect = |TypeClash { at, message, help }| Defect { key: key.to_owned(), at, message, help };
    defects.extend(clashes.into_iter().map(defect));
    given
}

fn conversion(wanted: ValueType, given: ValueType) -> &'static str {
    match (wanted, given) {
        (ValueType::Text, ValueType::Number | ValueType::Boolean) => "write `string(…)` around it",
        (ValueType::Number, ValueType::Text) => "write `double(…)` around it, or `int(…)` for a whole number",
        (ValueType::List, ValueType::Text) => "write a list of it: `[\"…\"]`",
        (ValueType::Text, ValueType::Map) => "name a field of it; for a text in several languages `text(…, 'zh-CN')`",
        _ => "",
    }
}
