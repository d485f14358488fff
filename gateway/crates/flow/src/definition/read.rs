//! From JSON to a [`Definition`]: what can be known to be wrong without any destination.

use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Indices, Text, check_place, text};
use renmen_store::ChangeKind;
use serde_json::Value;

use super::reader::{Reader, duration, note};
use super::related::{self, Related};
use super::{DEFINITION_BYTES_MAX, Defect, Definition, Delay, Target, Template, When};
use crate::destination::{Retries, RetrySchedule};
use crate::expression::{Expression, Name};
use crate::fields::Fields;

const DAY: Duration = Duration::from_secs(86_400);
/// Keys and items of a map, all depths together.
const MAP_PARTS_MAX: usize = 500;

impl Definition {
    /// Reads a definition and checks it against the schema.
    ///
    /// # Errors
    /// Every [`Defect`] that was found.
    pub fn parse(source: &Value) -> Result<Self, Vec<Defect>> {
        let mut defects = Vec::new();
        if source.to_string().len() > DEFINITION_BYTES_MAX {
            note(
                &mut defects,
                "",
                text!("a flow has at most {DEFINITION_BYTES_MAX} bytes", "流程最多 {DEFINITION_BYTES_MAX} 字节"),
                text!("make it shorter", "请缩短"),
            );
            return Err(defects);
        }
        let read = read(source, &mut defects);
        match read {
            Some(definition) if defects.is_empty() => Ok(definition),
            _ => Err(defects),
        }
    }
}

fn read(source: &Value, defects: &mut Vec<Defect>) -> Option<Definition> {
    let mut top = Reader::of(source, "", defects)?;
    let enabled = top.flag("enabled", true);
    let from_beginning = match top.get("start").and_then(Value::as_str) {
        None if top.get("start").is_none() => false,
        Some("now") => false,
        Some("beginning") => true,
        _ => {
            top.note(
                "start",
                text!("this is not a valid starting point", "不是有效的起点"),
                text!("write \"now\" or \"beginning\"", "请写 \"now\" 或 \"beginning\""),
            );
            false
        }
    };
    let when = top.require(
        "when",
        text!(
            "write `when = {{ entity = \"interview_result\" }}`",
            "请写 `when = {{ entity = \"interview_result\" }}`"
        ),
    );
    let to = top.require(
        "to",
        text!(
            "write `to = {{ connection = \"NAME\", action = \"NAME\" }}`",
            "请写 `to = {{ connection = \"名称\", action = \"名称\" }}`"
        ),
    );
    let map = top.require(
        "map",
        text!("write `map = {{ key = \"record.field\" }}`", "请写 `map = {{ key = \"record.field\" }}`"),
    );
    let fields = top.texts("fields");
    let fields = Fields::parse(fields.iter().copied()).map_err(|(number, message)| {
        top.note(
            &format!("fields[{number}]"),
            message,
            text!(
                "write JSON Pointers such as \"/overall\" or \"/emails/*/address\"",
                "请写 JSON Pointer，例如 \"/overall\" 或 \"/emails/*/address\""
            ),
        );
    });
    let with = top.get("with");
    let sequence = top.get("sequence").and_then(|value| top.text("sequence", value));
    let delay = top.get("delay");
    let second = Duration::from_secs(1);
    let deadline = top.duration("deadline", second, 90 * DAY);
    let attempts_max = top.count("attempts", 20, 1_000);
    let patience = top.duration("patience", second, 30 * DAY).unwrap_or(3 * DAY);
    let backoff = top.get("backoff");
    let on_failure = top.get("on_failure").filter(|value| value.as_str() != Some("dead-letter"));
    top.finish();

    let when = when.and_then(|value| read_when(value, defects));
    let to = to.and_then(|value| read_target(value, "to", defects));
    let of = when.as_ref().map(|when| when.entity);
    let with = with.map(|value| related::read(value, of, defects)).unwrap_or_default();
    let map = map.and_then(|value| Templates { with: &with, parts: 0, defects }.read(value, "map"));
    let delay = delay.map(|value| read_delay(value, defects));
    let schedule = read_backoff(backoff, defects);
    let on_failure = on_failure.map(|value| read_target(value, "on_failure", defects));

    let sequence = sequence.filter(|_| when.is_some()).map(str::to_owned);
    let definition = Definition {
        enabled,
        from_beginning,
        when: when?,
        fields: fields.ok()?,
        with,
        sequence,
        to: to?,
        map: map?,
        delay: match delay {
            None => None,
            Some(read) => Some(read?),
        },
        deadline,
        retries: Retries { attempts_max, schedule },
        patience,
        on_failure: match on_failure {
            None => None,
            Some(read) => Some(read?),
        },
        source: source.clone(),
    };
    names(&definition, defects);
    definition.check_types(defects);
    Some(definition)
}

fn read_when(value: &Value, defects: &mut Vec<Defect>) -> Option<When> {
    let mut when = Reader::of(value, "when", defects)?;
    let entity = when.require(
        "entity",
        text!(
            "name one, such as \"interview_result\"; `renmen schema` lists them",
            "请写一个实体，例如 \"interview_result\"；`renmen schema` 列出全部实体"
        ),
    );
    let entity = entity.and_then(|value| when.text("entity", value)).and_then(|name| {
        let kind = EntityKind::from_name(name);
        if kind.is_none() {
            let shown: String = name.chars().take(80).collect();
            when.note(
                "entity",
                text!("unknown entity `{shown}`", "未知的实体 `{shown}`"),
                text!("`renmen schema` lists them", "`renmen schema` 列出全部实体"),
            );
        }
        if let Some(kind) = kind.filter(|kind| kind.is_for_audits_only()) {
            when.note(
                "entity",
                text!("only a key made for audits reads {kind}", "只有用于审计的密钥可以读取 {kind}"),
                text!("no flow carries it; read it over the API", "任何流程都不会携带它；请通过 API 读取"),
            );
            return None;
        }
        kind
    });
    let mut kinds = Vec::new();
    for word in when.texts("change") {
        match word {
            "created" => kinds.push(ChangeKind::Created),
            "updated" => kinds.push(ChangeKind::Updated),
            "deleted" => kinds.push(ChangeKind::Deleted),
            _ => when.note(
                "change",
                text!("unknown kind of change", "未知的变更种类"),
                text!("use \"created\", \"updated\" and \"deleted\"", "请使用 \"created\"、\"updated\" 与 \"deleted\""),
            ),
        }
    }
    if kinds.is_empty() {
        kinds = vec![ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted];
    }
    let mut connections = Vec::new();
    for name in when.texts("connection") {
        match ConnectionName::new(name) {
            Ok(name) => connections.push(name),
            Err(error) => when.note("connection", Text::rendered(|| error.to_string()), Text::default()),
        }
    }
    let condition = when.get("if").and_then(|value| when.text("if", value));
    let condition = condition.and_then(|text| expression(text, "when.if", &[], when.defects));
    when.finish();
    Some(When { entity: entity?, kinds, connections, condition })
}

fn read_target(value: &Value, key: &str, defects: &mut Vec<Defect>) -> Option<Target> {
    let mut target = Reader::of(value, key, defects)?;
    let like = text!(
        "write `{{ connection = \"NAME\", action = \"NAME\" }}`",
        "请写 `{{ connection = \"名称\", action = \"名称\" }}`"
    );
    let connection = target.require("connection", like.clone()).and_then(|value| target.text("connection", value));
    let connection = connection.and_then(|name| {
        ConnectionName::new(name)
            .map_err(|error| target.note("connection", Text::rendered(|| error.to_string()), Text::default()))
            .ok()
    });
    let action = target.require("action", like).and_then(|value| target.text("action", value));
    target.finish();
    Some(Target { connection: connection?, action: action?.to_owned() })
}

/// Reads a map: a tree whose texts are expressions.
struct Templates<'t> {
    with: &'t [Related],
    parts: usize,
    defects: &'t mut Vec<Defect>,
}

impl Templates<'_> {
    fn read(&mut self, value: &Value, key: &str) -> Option<Template> {
        self.parts += 1;
        if self.parts > MAP_PARTS_MAX {
            note(
                self.defects,
                "map",
                text!("a map has at most {MAP_PARTS_MAX} parts", "映射最多 {MAP_PARTS_MAX} 个部分"),
                text!("make it smaller", "请缩小"),
            );
            return None;
        }
        match value {
            Value::String(text) => expression(text, key, self.with, self.defects).map(Template::Expression),
            Value::Object(object) => {
                let all = object
                    .iter()
                    .map(|(name, value)| Some((name.clone(), self.read(value, &format!("{key}.{name}"))?)));
                // Every part is looked at, so that every defect is told.
                all.collect::<Vec<Option<_>>>().into_iter().collect::<Option<Vec<_>>>().map(Template::Object)
            }
            Value::Array(items) => {
                let all = items.iter().enumerate().map(|(number, value)| self.read(value, &format!("{key}[{number}]")));
                all.collect::<Vec<Option<_>>>().into_iter().collect::<Option<Vec<_>>>().map(Template::List)
            }
            constant => Some(Template::Constant(constant.clone())),
        }
    }
}

fn read_delay(value: &Value, defects: &mut Vec<Defect>) -> Option<Delay> {
    if let Value::String(text) = value {
        let found = duration(text).filter(|delay| *delay <= 90 * DAY);
        if found.is_none() {
            note(
                defects,
                "delay",
                text!("this is not a duration of at most 90d", "不是 90d 以内的时长"),
                text!("write such as \"5m\", or {{ field, offset }}", "请写成 \"5m\" 的形式，或 {{ field, offset }}"),
            );
        }
        return found.map(Delay::After);
    }
    let mut delay = Reader::of(value, "delay", defects)?;
    let field = delay.require(
        "field",
        text!("name a time of the record, such as \"/deadline\"", "请写记录中的一个时间字段，例如 \"/deadline\""),
    );
    let field = field.and_then(|value| delay.text("field", value));
    let offset = delay.get("offset").and_then(|value| delay.text("offset", value)).unwrap_or("0s");
    let (sign, size) = match offset.strip_prefix('-') {
        Some(size) => (-1, size),
        None => (1, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let size = duration(size).filter(|size| *size <= 90 * DAY);
    if size.is_none() {
        delay.note(
            "offset",
            text!("this is not a duration of at most 90d", "不是 90d 以内的时长"),
            text!("write such as \"-5m\" or \"10m\"", "请写成 \"-5m\" 或 \"10m\" 的形式"),
        );
    }
    delay.finish();
    let size = i64::try_from(size?.as_millis()).ok()?;
    Some(Delay::Field { pointer: field?.to_owned(), offset_ms: sign * size })
}

fn read_backoff(value: Option<&Value>, defects: &mut Vec<Defect>) -> RetrySchedule {
    let (mut base, mut max) = (Duration::from_secs(5), Duration::from_secs(15 * 60));
    if let Some(value) = value
        && let Some(mut backoff) = Reader::of(value, "backoff", defects)
    {
        let least = Duration::from_millis(10);
        base = backoff.duration("base", least, DAY).unwrap_or(base);
        max = backoff.duration("max", least, DAY).unwrap_or(max.max(base));
        if max < base {
            backoff.note(
                "max",
                text!("it is less than `base`", "小于 `base`"),
                text!("write a longer one", "请写更长的时长"),
            );
        }
        backoff.finish();
    }
    RetrySchedule::Backoff { base, max }
}

fn expression(text: &str, key: &str, with: &[Related], defects: &mut Vec<Defect>) -> Option<Expression> {
    let names: Vec<&str> = with.iter().map(|one| one.name.as_str()).collect();
    match Expression::parse_with(text, &names) {
        Ok(expression) => Some(expression),
        Err(bad) => {
            let help = text!(
                "expressions are CEL over record, before, change and now; in `map` over those of `with` too",
                "表达式为 CEL，可用 record、before、change 与 now；在 `map` 中还可用 `with` 的各项"
            );
            defects.push(Defect { key: key.to_owned(), at: bad.at, message: bad.message, help });
            None
        }
    }
}

/// Names of fields, against the schema and against what may leave.
fn names(definition: &Definition, defects: &mut Vec<Defect>) {
    let kind = definition.when.entity;
    known(kind, &definition.fields, "fields", defects);
    for one in &definition.with {
        known(one.kind, &one.fields, &format!("with.{}.fields", one.name), defects);
    }
    if let Some(condition) = &definition.when.condition {
        if let Some(at) = condition.named().link {
            let message = text!(
                "`decision_link()` has its place in `map`: a condition sends nothing",
                "`decision_link()` 只用于 `map`：条件不发送任何内容"
            );
            defects.push(Defect { key: "when.if".to_owned(), at: Some(at), message, help: Text::default() });
        }
        for name in &condition.named().fields {
            in_schema(kind, name, "when.if", defects);
        }
    }
    if let Some(Delay::Field { pointer, .. }) = &definition.delay {
        let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        if let Err(no) = check_place(kind, &path, Indices::Item) {
            note(
                defects,
                "delay.field",
                no.message,
                text!(
                    "name a time of the record, such as \"/deadline\"",
                    "请写记录中的一个时间字段，例如 \"/deadline\""
                ),
            );
        }
    }
    if let Some(pointer) = &definition.sequence {
        let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        if let Err(no) = check_place(kind, &path, Indices::Item) {
            note(
                defects,
                "sequence",
                no.message,
                text!(
                    "name a reference of the record, such as \"/interview\"",
                    "请写记录中的一个引用，例如 \"/interview\""
                ),
            );
        }
        if definition.delay.is_some() {
            let message = text!(
                "`delay` lets a newer change of the same record take the place of one that waits",
                "使用 `delay` 时，同一记录的新变更会取代等待中的变更"
            );
            note(defects, "sequence", message, text!("take one of the two away", "请删除两者之一"));
        }
    }
    definition.map.each("map", &mut |key, expression| {
        if let Some(at) = expression.named().link.filter(|_| kind != EntityKind::Decision) {
            let message = text!(
                "`decision_link()` leads to a decision, and this flow is about `{}`",
                "`decision_link()` 指向一项决定，而此流程针对 `{}`",
                kind.name()
            );
            let help = text!(
                "write it in a flow with `when.entity = \"decision\"`",
                "请写在 `when.entity = \"decision\"` 的流程中"
            );
            defects.push(Defect { key: key.to_owned(), at: Some(at), message, help });
        }
        for name in &expression.named().fields {
            may_leave(definition, name, key, defects);
        }
    });
}

fn known(kind: EntityKind, fields: &Fields, key: &str, defects: &mut Vec<Defect>) {
    for (number, pattern) in fields.iter().enumerate() {
        if let Err(no) = check_place(kind, pattern, Indices::Refused) {
            note(defects, &format!("{key}[{number}]"), no.message, no.help);
        }
    }
}

fn in_schema(kind: EntityKind, name: &Name, key: &str, defects: &mut Vec<Defect>) -> bool {
    let Err(no) = check_place(kind, &name.path, Indices::Item) else { return true };
    let help = text!("`renmen schema {}` shows its fields", "`renmen schema {}` 列出其字段", kind.name());
    defects.push(Defect { key: key.to_owned(), at: name.at, message: no.message, help });
    false
}

/// A map that names what may not leave would find nothing there.
fn may_leave(definition: &Definition, name: &Name, key: &str, defects: &mut Vec<Defect>) {
    let related = definition.with.iter().find(|one| *one.name == *name.variable);
    let (kind, fields, list) = match related {
        Some(one) => (one.kind, &one.fields, format!("with.{}.fields", one.name)),
        None => (definition.when.entity, &definition.fields, "fields".to_owned()),
    };
    let mut name = name.clone();
    if related.is_some_and(Related::is_list) && !name.path.is_empty() && name.path.remove(0) != "*" {
        let message = text!("`{}` is a list", "`{}` 是列表", name.variable);
        let help = text!(
            "go through it: `{0}.map(one, one.…)`, or ask for its `size({0})`",
            "请逐项处理：`{0}.map(one, one.…)`，或取其 `size({0})`",
            name.variable
        );
        defects.push(Defect { key: key.to_owned(), at: name.at, message, help });
        return;
    }
    if !in_schema(kind, &name, key, defects) || name.path.is_empty() || fields.touch(&name.path) {
        return;
    }
    let place = name.path.join("/");
    defects.push(Defect {
        key: key.to_owned(),
        at: name.at,
        message: text!(
            "`/{place}` is not among `{list}`, so nothing of it would be there",
            "`/{place}` 不在 `{list}` 中，因此不会有其内容"
        ),
        help: text!("add \"/{place}\" to `{list}` if it may leave", "若允许发出，请把 \"/{place}\" 加到 `{list}`"),
    });
}

impl Template {
    /// Is there a link to a decision in it?
    pub(crate) fn asks_for_a_link(&self) -> bool {
        let mut asks = false;
        self.each("map", &mut |_, expression| asks |= expression.named().link.is_some());
        asks
    }

    /// Every expression in it with its key.
    pub(crate) fn each(&self, key: &str, visit: &mut impl FnMut(&str, &Expression)) {
        match self {
            Self::Expression(expression) => visit(key, expression),
            Self::Object(parts) => parts.iter().for_each(|(name, part)| part.each(&format!("{key}.{name}"), visit)),
            Self::List(items) => {
                items.iter().enumerate().for_each(|(number, item)| item.each(&format!("{key}[{number}]"), visit));
            }
            Self::Constant(_) => {}
        }
    }
}
