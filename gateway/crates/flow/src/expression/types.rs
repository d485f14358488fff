//! Whether the types in an expression go together, as far as the schema says what they are. A decimal of a record is a text, so
//! `record.rating.value < 60` never gives an answer: better told where it is written than at the first change.
//!
//! Only what certainly fails, or certainly never is, is refused. A type that is not known (of a custom field, of an item that a
//! macro made) goes with everything; numbers of all kinds count as one.

use std::collections::BTreeMap;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use renmen_schema::{EntityKind, JsonType, Text, field_at, text};

use super::{ENVIRONMENT, Expression};
use crate::links;

/// What the records are that an expression sees.
#[derive(Debug, Clone)]
pub(crate) struct RecordTypes {
    /// Of `record` and `before`.
    pub(crate) record: EntityKind,
    /// Of the records of `with`, by name; true for a list of them.
    pub(crate) related: BTreeMap<String, (EntityKind, bool)>,
}

/// What a value is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    Unknown,
    Null,
    Text,
    Number,
    Boolean,
    List,
    Map,
}

/// Types that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeClash {
    /// Where, in characters from 0.
    pub(crate) at: Option<usize>,
    pub(crate) message: Text,
    pub(crate) help: Text,
}

impl ValueType {
    fn is_known(self) -> bool {
        !matches!(self, Self::Unknown | Self::Null)
    }

    /// Known, and none of these.
    fn is_other_than(self, wanted: &[Self]) -> bool {
        self.is_known() && !wanted.contains(&self)
    }

    /// `a text`.
    pub(crate) fn told(self) -> Text {
        match self {
            Self::Unknown => text!("a value", "值"),
            Self::Null => Text::verbatim("null"),
            Self::Text => text!("a text", "文本"),
            Self::Number => text!("a number", "数字"),
            Self::Boolean => text!("true or false", "true 或 false"),
            Self::List => text!("a list", "列表"),
            Self::Map => text!("an object", "对象"),
        }
    }

    /// Of a plain value.
    pub(crate) fn of_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(_) => Self::Boolean,
            serde_json::Value::Number(_) => Self::Number,
            serde_json::Value::String(_) => Self::Text,
            serde_json::Value::Array(_) => Self::List,
            serde_json::Value::Object(_) => Self::Map,
        }
    }

    /// The type that a JSON Schema names.
    pub(crate) fn of_schema(schema: &serde_json::Value) -> Self {
        match schema["type"].as_str() {
            Some("string") => Self::Text,
            Some("integer" | "number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::List,
            Some("object") => Self::Map,
            _ => Self::Unknown,
        }
    }
}

impl Expression {
    /// What it gives, and where its types do not go together.
    pub(crate) fn types(&self, records: &RecordTypes) -> (ValueType, Vec<TypeClash>) {
        // It was parsed before: this only has the places at hand again.
        let Ok((tree, places)) = ENVIRONMENT.parser().parse_with_source_info(&self.source) else {
            return (ValueType::Unknown, Vec::new());
        };
        let mut walk = Walk { places: &places, clashes: Vec::new() };
        let mut known = Known::new();
        known.insert("record".into(), Meaning::Record(records.record, Vec::new()));
        known.insert("before".into(), Meaning::Record(records.record, Vec::new()));
        known.insert("now".into(), Meaning::Of(ValueType::Text));
        known.insert("change".into(), Meaning::Change);
        for (name, (kind, is_list)) in &records.related {
            let meaning = if *is_list { Meaning::Records(*kind) } else { Meaning::Record(*kind, Vec::new()) };
            known.insert(name.clone(), meaning);
        }
        let given = walk.visit(&tree, &known).value_type();
        (given, walk.clashes)
    }
}

/// What a name or a part of an expression stands for.
#[derive(Debug, Clone)]
enum Meaning {
    /// A place in a record.
    Record(EntityKind, Vec<String>),
    /// A list of records.
    Records(EntityKind),
    /// `change`.
    Change,
    /// Any other value.
    Of(ValueType),
}

type Known = BTreeMap<String, Meaning>;

const UNKNOWN: Meaning = Meaning::Of(ValueType::Unknown);

impl Meaning {
    fn value_type(&self) -> ValueType {
        match self {
            Self::Of(value_type) => *value_type,
            Self::Change => ValueType::Map,
            Self::Records(_) => ValueType::List,
            Self::Record(_, path) if path.is_empty() => ValueType::Map,
            Self::Record(kind, path) => match field_at(*kind, path).map(|field| field.json_type) {
                Some(JsonType::String) => ValueType::Text,
                Some(JsonType::Integer | JsonType::Number) => ValueType::Number,
                Some(JsonType::Boolean) => ValueType::Boolean,
                Some(JsonType::Array) => ValueType::List,
                Some(JsonType::Object) => ValueType::Map,
                Some(JsonType::Any) | None => ValueType::Unknown,
            },
        }
    }

    /// Is it a decimal, which is a text so that it stays exact?
    fn is_decimal(&self) -> bool {
        let Self::Record(kind, path) = self else { return false };
        field_at(*kind, path).is_some_and(|field| field.type_name.as_deref() == Some("Decimal"))
    }

    /// What a key or an index of it leads to.
    fn below(self, segment: &str) -> Self {
        match self {
            Self::Record(kind, mut path) => {
                path.push(segment.to_owned());
                Self::Record(kind, path)
            }
            Self::Records(kind) => Self::Record(kind, Vec::new()),
            Self::Change if matches!(segment, "seq" | "revision") => Self::Of(ValueType::Number),
            Self::Change => Self::Of(ValueType::Text),
            Self::Of(_) => UNKNOWN,
        }
    }
}

struct Walk<'t> {
    places: &'t SourceInfo,
    clashes: Vec<TypeClash>,
}

impl Walk<'_> {
    fn clash(&mut self, part: &IdedExpr, message: Text, help: Text) {
        let at = self.places.offset_for(part.id).and_then(|(start, _)| usize::try_from(start).ok());
        self.clashes.push(TypeClash { at, message, help });
    }

    fn visit(&mut self, tree: &IdedExpr, known: &Known) -> Meaning {
        match &tree.expr {
            Expr::Ident(name) => known.get(name.trim_start_matches('.')).cloned().unwrap_or(UNKNOWN),
            Expr::Literal(literal) => Meaning::Of(of_literal(literal)),
            Expr::Select(select) => {
                let meaning = self.visit(&select.operand, known);
                if select.test { Meaning::Of(ValueType::Boolean) } else { meaning.below(&select.field) }
            }
            Expr::Call(call) => self.call(call, known),
            Expr::List(list) => {
                list.elements.iter().for_each(|item| drop(self.visit(item, known)));
                Meaning::Of(ValueType::List)
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.visit(&entry.key, known);
                        self.visit(&entry.value, known);
                    }
                }
                Meaning::Of(ValueType::Map)
            }
            Expr::Comprehension(parts) => self.comprehension(parts, known),
            Expr::Struct(_) | Expr::Unspecified => UNKNOWN,
        }
    }

    fn comprehension(&mut self, parts: &ComprehensionExpr, known: &Known) -> Meaning {
        let over = self.visit(&parts.iter_range, known);
        if over.value_type().is_other_than(&[ValueType::List, ValueType::Map]) {
            let message = text!("{} has no items to go through", "{}没有可逐项处理的内容", over.value_type().told());
            self.clash(&parts.iter_range, message, text!("name a list", "请写列表"));
        }
        self.visit(&parts.accu_init, known);
        let mut inner = known.clone();
        // Of a map it is a key, of a list an item.
        let item = if over.value_type() == ValueType::Map { UNKNOWN } else { over.below("*") };
        inner.insert(parts.iter_var.clone(), item);
        for name in parts.iter_var2.iter().chain([&parts.accu_var]) {
            inner.insert(name.clone(), UNKNOWN);
        }
        for part in [&parts.loop_cond, &parts.loop_step, &parts.result] {
            self.visit(part, &inner);
        }
        UNKNOWN
    }

    fn call(&mut self, call: &CallExpr, known: &Known) -> Meaning {
        let word = call.func_name.as_str();
        if let (op::INDEX, [list, index]) = (word, call.args.as_slice()) {
            let meaning = self.visit(list, known);
            self.visit(index, known);
            return match &index.expr {
                Expr::Literal(LiteralValue::String(key)) => meaning.below(key.inner()),
                _ => meaning.below("*"),
            };
        }
        let target = call.target.as_deref().map(|target| (target, self.visit(target, known)));
        let args: Vec<(&IdedExpr, Meaning)> = call.args.iter().map(|arg| (arg, self.visit(arg, known))).collect();
        match (word, args.as_slice()) {
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [left, right]) => {
                self.compared(left, right, &text!("cannot be compared", "无法比较"));
                Meaning::Of(ValueType::Boolean)
            }
            (op::EQUALS | op::NOT_EQUALS, [left, right]) => {
                self.compared(left, right, &text!("are never equal", "永远不相等"));
                Meaning::Of(ValueType::Boolean)
            }
            (op::ADD, [left, right]) => self.added(left, right),
            (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE, numbers) => {
                numbers.iter().for_each(|part| self.wants(part, &[ValueType::Number]));
                Meaning::Of(ValueType::Number)
            }
            (op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT, parts) => {
                parts.iter().for_each(|part| self.wants(part, &[ValueType::Boolean]));
                Meaning::Of(ValueType::Boolean)
            }
            (op::CONDITIONAL, [condition, one, other]) => {
                self.wants(condition, &[ValueType::Boolean]);
                let same = one.1.value_type() == other.1.value_type();
                if same { Meaning::Of(one.1.value_type()) } else { UNKNOWN }
            }
            (op::IN, [_, within]) => {
                self.wants(within, &[ValueType::List, ValueType::Map]);
                Meaning::Of(ValueType::Boolean)
            }
            _ => self.function(word, target.as_ref(), &args),
        }
    }

    fn function(
        &mut self,
        word: &str,
        target: Option<&(&IdedExpr, Meaning)>,
        args: &[(&IdedExpr, Meaning)],
    ) -> Meaning {
        let given = match word {
            "startsWith" | "endsWith" | "matches" => {
                target.into_iter().chain(args).for_each(|part| self.wants(part, &[ValueType::Text]));
                ValueType::Boolean
            }
            "contains" => ValueType::Boolean,
            "ms" => {
                args.iter().for_each(|part| self.wants(part, &[ValueType::Text]));
                ValueType::Number
            }
            "int" | "uint" | "double" => {
                args.iter().for_each(|part| self.wants(part, &[ValueType::Text, ValueType::Number]));
                ValueType::Number
            }
            "size" => ValueType::Number,
            "bool" => ValueType::Boolean,
            "string" | "text" | links::FUNCTION => ValueType::Text,
            _ => ValueType::Unknown,
        };
        Meaning::Of(given)
    }

    /// Both sides of a comparison.
    fn compared(&mut self, left: &(&IdedExpr, Meaning), right: &(&IdedExpr, Meaning), relation: &Text) {
        let (one, other) = (left.1.value_type(), right.1.value_type());
        if !one.is_known() || !other.is_known() || one == other {
            return;
        }
        let (this, that) = (told(left), told(right));
        let (one_is, other_is) = (one.told(), other.told());
        let message = text!(
            "{this} is {one_is} and {that} is {other_is}: they {relation}",
            "{this} 是{one_is}，{that} 是{other_is}：{relation}"
        );
        let text = if one == ValueType::Text { left } else { right };
        self.clash(text.0, message, conversion(text, [one, other]));
    }

    fn added(&mut self, left: &(&IdedExpr, Meaning), right: &(&IdedExpr, Meaning)) -> Meaning {
        let addable = [ValueType::Text, ValueType::Number, ValueType::List];
        let types = [left.1.value_type(), right.1.value_type()];
        if types.contains(&ValueType::List) && types.contains(&ValueType::Map) {
            // Odd, and worked out all the same: the keys are added to the list.
            return Meaning::Of(ValueType::List);
        }
        self.wants(left, &addable);
        self.wants(right, &addable);
        let (one, other) = (left.1.value_type(), right.1.value_type());
        let both_fit = addable.contains(&one) && addable.contains(&other);
        if both_fit && one != other {
            let message = text!(
                "{} is {} and {} is {}: they cannot be added",
                "{} 是{}，{} 是{}：不能相加",
                told(left),
                one.told(),
                told(right),
                other.told()
            );
            let number = if one == ValueType::Number { left } else { right };
            let help = match [one, other].contains(&ValueType::Text) && [one, other].contains(&ValueType::Number) {
                true => text!(
                    "write `string({})` to join texts, or `double(…)` around the text to count",
                    "拼接文本请写 `string({})`；计算请给文本加上 `double(…)`",
                    source(number.0)
                ),
                false => Text::default(),
            };
            self.clash(left.0, message, help);
        }
        let same = one == other && one.is_known();
        if same { Meaning::Of(one) } else { UNKNOWN }
    }

    /// A part that must be one of these.
    fn wants(&mut self, part: &(&IdedExpr, Meaning), wanted: &[ValueType]) {
        let given = part.1.value_type();
        if given.is_other_than(wanted) {
            let either = text!(" or ", "或");
            let words =
                || wanted.iter().map(|one| one.told().to_string()).collect::<Vec<_>>().join(&either.to_string());
            let wants = Text::rendered(words);
            let message =
                text!("{} is {}, and {wants} is needed here", "{} 是{}，而此处需要{wants}", told(part), given.told());
            self.clash(part.0, message, conversion(part, [given, wanted[0]]));
        }
    }
}

fn of_literal(literal: &LiteralValue) -> ValueType {
    match literal {
        LiteralValue::Boolean(_) => ValueType::Boolean,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => ValueType::Number,
        LiteralValue::String(_) => ValueType::Text,
        LiteralValue::Null => ValueType::Null,
        LiteralValue::Bytes(_) => ValueType::Unknown,
    }
}

/// What to write instead.
fn conversion(part: &(&IdedExpr, Meaning), types: [ValueType; 2]) -> Text {
    let is_text_for_number = types.contains(&ValueType::Text) && types.contains(&ValueType::Number);
    if part.1.is_decimal() && is_text_for_number {
        let name = source(part.0);
        return text!(
            "a decimal is a text, so that it stays exact: write `double({name})`, and the number as `60.0`",
            "小数以文本保存，以保持精确：请写 `double({name})`，数字写成 `60.0`"
        );
    }
    if is_text_for_number {
        return text!(
            "write `double({})`, or put the other side in quotes",
            "请写 `double({})`，或给另一边加上引号",
            source(part.0)
        );
    }
    if types.contains(&ValueType::Map) {
        return text!(
            "name a field of the object; `renmen schema ENTITY --fields` lists them",
            "请写对象中的字段；`renmen schema ENTITY --fields` 列出字段"
        );
    }
    Text::default()
}

fn told(part: &(&IdedExpr, Meaning)) -> String {
    format!("`{}`", source(part.0))
}

/// A part as it was written, where it is a name or a plain value; otherwise dots. A text that stands there is not repeated.
fn source(part: &IdedExpr) -> String {
    match &part.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => format!("{}.{}", source(&select.operand), select.field),
        Expr::Literal(LiteralValue::Int(number)) => number.inner().to_string(),
        Expr::Literal(LiteralValue::UInt(number)) => number.inner().to_string(),
        Expr::Literal(LiteralValue::Double(number)) => number.inner().to_string(),
        Expr::Literal(LiteralValue::Boolean(flag)) => flag.inner().to_string(),
        Expr::Literal(LiteralValue::String(_)) => "'…'".to_owned(),
        Expr::Call(call) if call.func_name == op::INDEX => match call.args.first() {
            Some(list) => format!("{}[…]", source(list)),
            None => "…".to_owned(),
        },
        Expr::Call(call) if call.func_name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            format!("{}(…)", call.func_name)
        }
        _ => "…".to_owned(),
    }
}
