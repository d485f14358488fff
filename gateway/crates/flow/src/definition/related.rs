//! `with`: what `map` may see besides the changed record, each under a name of its own: a record that is referred to,
//! or the list of records that belong to one.

use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Text, belongs_to, refers_to, text};
use serde_json::Value;

use super::Defect;
use super::reader::{Reader, note};
use crate::expression::is_free_name;
use crate::fields::Fields;

/// Records that one flow looks up for a change.
pub const WITH_MAX: usize = 8;

/// Records of one list, unless the flow says `most`.
const LIST_DEFAULT: u32 = 50;
/// The longest list that a flow may ask for: an input is a message, not an export.
pub const LIST_MAX: u32 = 200;

/// What is looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// What `map` calls it.
    pub name: String,
    /// `of`: which of the others it starts from; none: the changed record.
    pub of: Option<String>,
    /// How it is found.
    pub how: How,
    /// What it is, by the schema.
    pub kind: EntityKind,
    /// `fields`: what of it `map` may see.
    pub fields: Fields,
    /// `connection`: the connections whose records may be looked up, besides those that are safe without being named.
    pub connections: Vec<ConnectionName>,
}

/// How something of `with` is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// `ref`: where the reference to it stands, a JSON Pointer.
    Reference(String),
    /// `list`: all records of an entity that belong to where it starts from.
    List(Bounds),
}

/// How long a list may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// `least`: fewer are waited for.
    pub least: usize,
    /// `wait`: so long after the change, then what is there is all; none: as long as the flow has patience.
    pub wait: Option<Duration>,
    /// `most`: more are refused.
    pub most: usize,
}

impl Related {
    /// Is it a list?
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.how, How::List(_))
    }
}

/// As it stands in the file, before it is known what it starts from.
struct Raw<'v> {
    name: &'v str,
    of: Option<&'v str>,
    what: What<'v>,
    fields: Fields,
    connections: Vec<ConnectionName>,
}

enum What<'v> {
    Reference(&'v str),
    List(EntityKind, Bounds),
}

/// Reads all of them, each after the one that holds its reference.
pub(super) fn read(value: &Value, of: Option<EntityKind>, defects: &mut Vec<Defect>) -> Vec<Related> {
    let Value::Object(object) = value else {
        note(
            defects,
            "with",
            text!("a table is wanted here", "此处应为表"),
            text!(
                "write `with.candidate = {{ ref = \"/candidate\", fields = […] }}`",
                "请写 `with.candidate = {{ ref = \"/candidate\", fields = […] }}`"
            ),
        );
        return Vec::new();
    };
    if object.len() > WITH_MAX {
        note(
            defects,
            "with",
            text!("a flow looks up at most {WITH_MAX} records", "一个流程最多查找 {WITH_MAX} 条记录"),
            text!("take some away", "请减少"),
        );
        return Vec::new();
    }
    let known = defects.len();
    let mut waiting: Vec<Raw<'_>> = object.iter().filter_map(|(name, value)| read_one(name, value, defects)).collect();
    let mut found: Vec<Related> = Vec::new();
    // Each turn takes those whose holder is known; what is left at the end has none, or is its own.
    while let Some(at) = waiting.iter().position(|raw| holder(raw, of, &found).is_some()) {
        let raw = waiting.remove(at);
        found.extend(holder(&raw, of, &found).flatten().and_then(|holder| settle(raw, holder, defects)));
    }
    // One that is wrong itself is missed by those that hang on it: telling that too would lead astray.
    let else_wrong = defects.len() > known;
    for raw in waiting.iter().filter(|_| !else_wrong) {
        let message =
            text!("`{}` is not one of the other names here", "`{}` 不是此处的其他名称", raw.of.unwrap_or_default());
        let help = text!(
            "name one that is a single record and does not come from this one itself",
            "请写一个表示单条记录、且不源自本项的名称"
        );
        note(defects, &format!("with.{}.of", raw.name), message, help);
    }
    found
}

/// The entity in which the reference stands: none while its holder is not read, `Some(None)` when it never will be.
fn holder(raw: &Raw<'_>, of: Option<EntityKind>, found: &[Related]) -> Option<Option<EntityKind>> {
    match raw.of {
        None => Some(of),
        Some(name) => found.iter().find(|one| one.name == name && !one.is_list()).map(|one| Some(one.kind)),
    }
}

fn read_one<'v>(name: &'v str, value: &'v Value, defects: &mut Vec<Defect>) -> Option<Raw<'v>> {
    let key = format!("with.{name}");
    if !is_free_name(name) {
        let help = text!(
            "write a small letter and then small letters, digits and `_`; not record, before, change or now",
            "请以小写字母开头，其后为小写字母、数字与 `_`；不可用 record、before、change、now"
        );
        note(defects, &key, text!("this is not a name for a record", "不能用作记录的名称"), help);
        return None;
    }
    let mut one = Reader::of(value, &key, defects)?;
    let what = read_what(&mut one);
    let of = one.get("of").and_then(|value| one.text("of", value));
    let fields = one.texts("fields");
    let fields = Fields::parse(fields.iter().copied()).map_err(|(number, message)| {
        one.note(
            &format!("fields[{number}]"),
            message,
            text!("write JSON Pointers such as \"/person/names\"", "请写 JSON Pointer，例如 \"/person/names\""),
        );
    });
    let mut connections = Vec::new();
    for name in one.texts("connection") {
        match ConnectionName::new(name) {
            Ok(name) => connections.push(name),
            Err(error) => one.note("connection", Text::rendered(|| error.to_string()), Text::default()),
        }
    }
    one.finish();
    Some(Raw { name, of, what: what?, fields: fields.ok()?, connections })
}

/// `ref`, or `list` with its bounds.
fn read_what<'v>(one: &mut Reader<'v, '_>) -> Option<What<'v>> {
    let Some(list) = one.get("list") else {
        let pointer = one.require(
            "ref",
            text!(
                "name a reference of the record, such as \"/candidate\"",
                "请写记录中的一个引用，例如 \"/candidate\""
            ),
        )?;
        return one.text("ref", pointer).map(What::Reference);
    };
    if one.get("ref").is_some() {
        one.note(
            "list",
            text!("it is either a record (`ref`) or a list", "只能是单条记录（`ref`）或列表之一"),
            text!("take one of the two away", "请删除两者之一"),
        );
        return None;
    }
    let name = one.text("list", list)?;
    let kind = EntityKind::from_name(name);
    if kind.is_none() {
        let shown: String = name.chars().take(80).collect();
        one.note(
            "list",
            text!("unknown entity `{shown}`", "未知的实体 `{shown}`"),
            text!("`renmen schema` lists them", "`renmen schema` 列出全部实体"),
        );
    }
    let least = match one.get("least").and_then(Value::as_u64) {
        Some(0) => 0,
        _ => one.count("least", 0, LIST_MAX),
    };
    let most = one.count("most", LIST_DEFAULT, LIST_MAX);
    if least > most {
        one.note(
            "least",
            text!("it is more than `most`", "大于 `most`"),
            text!("write a smaller number", "请写更小的数字"),
        );
    }
    let wait = one.duration("wait", Duration::from_secs(1), Duration::from_secs(30 * 86_400));
    if wait.is_some() && least == 0 {
        one.note(
            "wait",
            text!("there is nothing to wait for", "没有需要等待的内容"),
            text!("write with `least` how many are waited for", "请用 `least` 写明等待多少条"),
        );
    }
    Some(What::List(kind?, Bounds { least: least as usize, wait, most: most as usize }))
}

fn settle(raw: Raw<'_>, holder: EntityKind, defects: &mut Vec<Defect>) -> Option<Related> {
    let Raw { name, of, what, fields, connections } = raw;
    let (kind, how) = match what {
        What::Reference(pointer) => (referred(name, pointer, holder, defects)?, How::Reference(pointer.to_owned())),
        What::List(kind, bounds) => {
            if !belongs_to(kind, holder) {
                let message = text!(
                    "records of {} do not belong to a record of {}",
                    "{} 的记录不属于 {} 的记录",
                    kind.name(),
                    holder.name()
                );
                let help = text!(
                    "list what hangs on a candidate, an application, an order, an interview, an answer, a result or an \
                            offer, and name that one in `of`",
                    "请列出属于候选人、应聘、面试订单、面试、作答、结果或录用通知的记录，并在 `of` 中写明所属的一项"
                );
                note(defects, &format!("with.{name}.list"), message, help);
                return None;
            }
            (kind, How::List(bounds))
        }
    };
    let (name, of) = (name.to_owned(), of.map(str::to_owned));
    Some(Related { name, of, how, kind, fields, connections })
}

/// What the reference at a place means.
fn referred(name: &str, pointer: &str, holder: EntityKind, defects: &mut Vec<Defect>) -> Option<EntityKind> {
    let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
    let kind = refers_to(holder, &path);
    if kind.is_none() {
        let shown: String = pointer.chars().take(80).collect();
        let message = text!("`{shown}` is not a reference of {}", "`{shown}` 不是 {} 的引用", holder.name());
        let help = text!(
            "`renmen schema {}` shows them: they have an `id` and an `external`",
            "`renmen schema {}` 列出引用：含有 `id` 与 `external` 的字段",
            holder.name()
        );
        note(defects, &format!("with.{name}.ref"), message, help);
    }
    kind
}
