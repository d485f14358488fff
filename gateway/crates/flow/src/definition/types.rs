//! The types of a definition's expressions, against the schema and against what the action takes.

use std::collections::BTreeMap;

use renmen_schema::{Text, text};
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
                    message: text!(
                        "a condition gives true or false, and this gives {}",
                        "条件的结果应为 true 或 false，而这里的结果是{}",
                        given.told()
                    ),
                    help: text!(
                        "compare it with something: `record.status == 'ACTIVE'`",
                        "请与某个值比较：`record.status == 'ACTIVE'`"
                    ),
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
                message: text!(
                    "action `{}` takes {} here, and this gives {}",
                    "动作 `{}` 在此处需要{}，而这里的结果是{}",
                    self.to.action,
                    wanted.told(),
                    given.told()
                ),
                help: conversion(wanted, given),
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

fn conversion(wanted: ValueType, given: ValueType) -> Text {
    match (wanted, given) {
        (ValueType::Text, ValueType::Number | ValueType::Boolean) => {
            text!("write `string(…)` around it", "请写成 `string(…)`")
        }
        (ValueType::Number, ValueType::Text) => text!(
            "write `double(…)` around it, or `int(…)` for a whole number",
            "请写成 `double(…)`，整数写成 `int(…)`"
        ),
        (ValueType::List, ValueType::Text) => text!("write a list of it: `[\"…\"]`", "请写成列表：`[\"…\"]`"),
        (ValueType::Text, ValueType::Map) => text!(
            "name a field of it; for a text in several languages `text(…, 'zh-CN')`",
            "请写其中的字段；多语言文本请写 `text(…, 'zh-CN')`"
        ),
        _ => Text::default(),
    }
}
