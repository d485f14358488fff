//! One flow, one change: is there something to send, and what. Nothing but values in, a value out.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{Text, text};
use renmen_store::ContentHash;
use renmen_store::outbox::{DeliveryRow, FeedEntry};
use serde_json::{Map, Value, json};

use crate::definition::{Definition, Delay, Template};
use crate::expression::{EvaluationFault, Scope};
use crate::fields::Fields;
use crate::links::LinkMaker;
use crate::options::{FlowOptions, instant, millis};

/// What a flow makes of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluation {
    /// Nothing is to be sent: why.
    Pass(Text),
    /// This is to be sent.
    Send(Sending),
    /// Something is to be sent, but a record that it refers to is not here: why. The input is worked out when it is.
    Wait(Text, Sending),
    /// The flow cannot tell: why, without a value.
    Fault(Text),
}

/// What is to be sent, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// The action's input; null while it waits for a record.
    pub input: Value,
    /// The earliest time to send it, in milliseconds since the epoch.
    pub not_before_ms: i64,
    /// The latest time to send it, in milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
}

/// A change of which a flow has something to send.
pub(crate) struct MatchedChange {
    scope: Scope,
    not_before_ms: i64,
}

/// Is a flow concerned with a change? `withheld` never reaches its destination.
pub(crate) fn match_change(
    definition: &Definition,
    withheld: &Fields,
    entry: &FeedEntry,
    now_ms: i64,
    options: &FlowOptions,
) -> Result<MatchedChange, Evaluation> {
    let change = &entry.change;
    if !definition.when.kinds.contains(&change.kind) {
        return Err(Evaluation::Pass(text!("another kind of change", "变更种类不符")));
    }
    if !definition.when.connections.is_empty() && !definition.when.connections.contains(&change.connection) {
        return Err(Evaluation::Pass(text!("another connection's record", "记录来自其他连接")));
    }
    let Some((record, before)) = bodies(entry, withheld) else {
        return Err(Evaluation::Fault(text!("the record's body is damaged", "记录内容已损坏")));
    };
    let scope =
        Scope { record, before, change: about(entry), related: BTreeMap::new(), now: instant(now_ms), links: None };
    if let Some(condition) = &definition.when.condition {
        match condition.evaluate(&scope, &options.expression) {
            Ok(Value::Bool(true)) => {}
            Ok(Value::Bool(false)) => return Err(Evaluation::Pass(text!("the condition is not met", "条件不满足"))),
            Ok(_) => {
                return Err(Evaluation::Fault(text!(
                    "when.if: it gives neither true nor false",
                    "when.if：结果既不是 true 也不是 false"
                )));
            }
            Err(EvaluationFault { absent: true, .. }) => {
                return Err(Evaluation::Pass(text!(
                    "the condition asks for what is not there",
                    "条件所需的内容不存在"
                )));
            }
            Err(fault) => return Err(Evaluation::Fault(Text::rendered(|| format!("when.if: {}", fault.message)))),
        }
    }
    // What was committed by a clock that ran ahead is not in the future: without this it would wait until that time has come.
    match due(definition, &scope.record, change.at_ms.min(now_ms)) {
        Ok(Some(not_before_ms)) => Ok(MatchedChange { scope, not_before_ms }),
        Ok(None) => Err(Evaluation::Pass(text!("the record has no such time", "记录没有该时间"))),
        Err(fault) => Err(Evaluation::Fault(fault)),
    }
}

/// The same where a person asks for it now: no condition, no delay.
pub(crate) fn by_hand(withheld: &Fields, entry: &FeedEntry, now_ms: i64) -> Result<MatchedChange, Evaluation> {
    let Some((record, before)) = bodies(entry, withheld) else {
        return Err(Evaluation::Fault(text!("the record's body is damaged", "记录内容已损坏")));
    };
    let (change, related) = (about(entry), BTreeMap::new());
    let scope = Scope { record, before, change, related, now: instant(now_ms), links: None };
    Ok(MatchedChange { scope, not_before_ms: now_ms })
}

impl MatchedChange {
    /// The record with all that may be decided by.
    pub(crate) fn record(&self) -> &Value {
        &self.scope.record
    }

    /// What is to be sent, with the records that it refers to.
    pub(crate) fn fill(
        self,
        definition: &Definition,
        related: BTreeMap<String, Value>,
        links: Option<LinkMaker>,
        options: &FlowOptions,
    ) -> Evaluation {
        let Self { mut scope, not_before_ms } = self;
        scope.related = related;
        scope.links = links;
        scope.record = definition.fields.keep(&scope.record);
        if !scope.before.is_null() {
            scope.before = definition.fields.keep(&scope.before);
        }
        let input = match fill(&definition.map, "map", &scope, options) {
            Ok(input @ Value::Object(_)) => input,
            Ok(_) => return Evaluation::Fault(text!("map: it gives no object", "map：结果不是对象")),
            Err(fault) => return Evaluation::Fault(fault),
        };
        let bytes = input.to_string().len();
        if bytes > options.input_bytes_max {
            let most = options.input_bytes_max;
            return Evaluation::Fault(text!(
                "map: it gives {bytes} bytes; at most {most} are sent: choose fewer fields",
                "map：结果有 {bytes} 字节；最多发送 {most} 字节：请减少字段"
            ));
        }
        Evaluation::Send(sending(definition, input, not_before_ms))
    }

    /// It has to wait.
    pub(crate) fn wait(self, definition: &Definition, why: Text) -> Evaluation {
        Evaluation::Wait(why, sending(definition, Value::Null, self.not_before_ms))
    }
}

fn sending(definition: &Definition, input: Value, not_before_ms: i64) -> Sending {
    let deadline_ms = definition.deadline.map(|deadline| not_before_ms.saturating_add(millis(deadline)));
    Sending { input, not_before_ms, deadline_ms }
}

fn bodies(entry: &FeedEntry, withheld: &Fields) -> Option<(Value, Value)> {
    let read = |body: &[u8]| {
        let mut body: Value = serde_json::from_slice(body).ok()?;
        withheld.remove(&mut body);
        Some(body)
    };
    let before = match &entry.before {
        None => Value::Null,
        Some(body) => read(body)?,
    };
    Some((read(&entry.body)?, before))
}

/// `change`, as expressions see it.
fn about(entry: &FeedEntry) -> Value {
    let change = &entry.change;
    json!({
        "seq": change.seq,
        "kind": change.kind,
        "entity": change.entity,
        "connection": change.connection,
        "id": change.id,
        "external_id": change.external_id,
        "revision": change.revision,
        "at": instant(change.at_ms),
    })
}

fn due(definition: &Definition, record: &Value, at_ms: i64) -> Result<Option<i64>, Text> {
    match &definition.delay {
        None => Ok(Some(at_ms)),
        Some(Delay::After(delay)) => Ok(Some(at_ms.saturating_add(millis(*delay)))),
        Some(Delay::Field { pointer, offset_ms }) => {
            // A time may stand alone or with its zone: {"utc": …, "tz": …}.
            let found = record.pointer(pointer).filter(|value| !value.is_null());
            let Some(found) = found else { return Ok(None) };
            let text = found.as_str().or_else(|| found["utc"].as_str());
            let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let Some(time) = time else {
                return Err(text!(
                    "delay.field: the record has no time in this field",
                    "delay.field：记录的该字段不是时间"
                ));
            };
            Ok(Some(time.as_millisecond().saturating_add(*offset_ms)))
        }
    }
}

fn fill(template: &Template, key: &str, scope: &Scope, options: &FlowOptions) -> Result<Value, Text> {
    match template {
        Template::Expression(expression) => expression
            .evaluate(scope, &options.expression)
            .map_err(|fault| Text::rendered(|| format!("{key}: {}", fault.message))),
        Template::Object(parts) => {
            let filled = parts
                .iter()
                .map(|(name, part)| Ok((name.clone(), fill(part, &format!("{key}.{name}"), scope, options)?)));
            filled.collect::<Result<Map<String, Value>, Text>>().map(Value::Object)
        }
        Template::List(items) => {
            let filled = items.iter().enumerate().map(|(at, item)| fill(item, &format!("{key}[{at}]"), scope, options));
            filled.collect::<Result<Vec<Value>, Text>>().map(Value::Array)
        }
        Template::Constant(value) => Ok(value.clone()),
    }
}

/// The idempotency key of what a flow sends for a change: always the same for the same change, and different for
/// everything else. The record's id and revision name the change, because they stay the same when a feed is rebuilt.
#[must_use]
pub(crate) fn key(tenant: &TenantId, flow: &str, definition: &Definition, entry: &FeedEntry) -> [u8; 16] {
    let (change, to) = (&entry.change, &definition.to);
    key_of(tenant, flow, (change.id, change.revision), (&to.connection, &to.action))
}

fn key_of(
    tenant: &TenantId,
    flow: &str,
    (record, revision): (RecordId, i64),
    (connection, action): (&ConnectionName, &str),
) -> [u8; 16] {
    ContentHash::of(format!("key {tenant} {flow} {record} {revision} {connection} {action}").as_bytes()).0
}

/// Was this delivery made of a record, by a flow's map or by hand? One that tells of another's end was not.
#[must_use]
pub(crate) fn is_mapped(row: &DeliveryRow) -> bool {
    if row.by_hand.is_some() {
        return true;
    }
    let to = (&row.connection, row.action.as_str());
    row.key == key_of(&row.tenant, &row.flow, (row.change.id, row.change.revision), to)
}

/// The lane of a record within a flow: its own, or that of the value by which the flow keeps its order.
#[must_use]
pub(crate) fn lane(tenant: &TenantId, flow: &str, definition: &Definition, entry: &FeedEntry) -> [u8; 16] {
    let shared = definition.sequence.as_deref().and_then(|pointer| shared(entry, pointer));
    let of = shared.unwrap_or_else(|| entry.change.id.to_string());
    ContentHash::of(format!("lane {tenant} {flow} {of}").as_bytes()).0
}

/// The value at a place in a record. Of a reference the id in the other system: ours may be known later.
fn shared(entry: &FeedEntry, pointer: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&entry.body).ok()?;
    let value = body.pointer(pointer).filter(|value| !value.is_null())?;
    let value = value.get("external").filter(|external| external["value"].is_string()).unwrap_or(value);
    Some(format!("{pointer} {value}"))
}
