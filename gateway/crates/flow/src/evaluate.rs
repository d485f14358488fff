//! One flow, one change: is there something to send, and what. Nothing but values in, a value out.

use renmen_schema::id::TenantId;
use renmen_store::ContentHash;
use renmen_store::outbox::FeedEntry;
use serde_json::{Map, Value, json};

use crate::definition::{Definition, Delay, Template};
use crate::expression::{EvaluationFault, Scope};
use crate::fields::Fields;
use crate::options::{FlowOptions, instant, millis};

/// What a flow says to a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing is to be sent: why.
    Pass(&'static str),
    /// This is to be sent.
    Send(Sending),
    /// The flow cannot tell: why, without a value.
    Fault(String),
}

/// What is to be sent, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// The action's input.
    pub input: Value,
    /// Not before. Milliseconds since the epoch.
    pub not_before_ms: i64,
    /// Not after.
    pub deadline_ms: Option<i64>,
}

/// Asks a flow about a change. `withheld` never reaches its destination.
#[must_use]
pub(crate) fn evaluate(
    definition: &Definition,
    withheld: &Fields,
    entry: &FeedEntry,
    now_ms: i64,
    options: &FlowOptions,
) -> Verdict {
    let change = &entry.change;
    if !definition.when.kinds.contains(&change.kind) {
        return Verdict::Pass("another kind of change");
    }
    if !definition.when.connections.is_empty() && !definition.when.connections.contains(&change.connection) {
        return Verdict::Pass("another connection's record");
    }
    let Some((record, before)) = bodies(entry, withheld) else {
        return Verdict::Fault("the record's body is damaged".to_owned());
    };
    let mut scope = Scope { record, before, change: about(entry), now: instant(now_ms) };
    if let Some(condition) = &definition.when.condition {
        match condition.evaluate(&scope, &options.expression) {
            Ok(Value::Bool(true)) => {}
            Ok(Value::Bool(false)) => return Verdict::Pass("the condition is not met"),
            Ok(_) => return Verdict::Fault("when.if: it gives neither true nor false".to_owned()),
            Err(EvaluationFault { absent: true, .. }) => {
                return Verdict::Pass("the condition asks for what is not there");
            }
            Err(fault) => return Verdict::Fault(format!("when.if: {}", fault.message)),
        }
    }
    let not_before_ms = match due(definition, &scope.record, change.at_ms) {
        Ok(Some(time)) => time,
        Ok(None) => return Verdict::Pass("the record has no such time"),
        Err(fault) => return Verdict::Fault(fault),
    };
    scope.record = definition.fields.keep(&scope.record);
    if !scope.before.is_null() {
        scope.before = definition.fields.keep(&scope.before);
    }
    let input = match fill(&definition.map, "map", &scope, options) {
        Ok(input @ Value::Object(_)) => input,
        Ok(_) => return Verdict::Fault("map: it gives no object".to_owned()),
        Err(fault) => return Verdict::Fault(fault),
    };
    let bytes = input.to_string().len();
    if bytes > options.input_bytes_max {
        let most = options.input_bytes_max;
        return Verdict::Fault(format!("map: it gives {bytes} bytes; at most {most} are sent: choose fewer fields"));
    }
    let deadline_ms = definition.deadline.map(|deadline| not_before_ms.saturating_add(millis(deadline)));
    Verdict::Send(Sending { input, not_before_ms, deadline_ms })
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

fn due(definition: &Definition, record: &Value, at_ms: i64) -> Result<Option<i64>, String> {
    match &definition.delay {
        None => Ok(Some(at_ms)),
        Some(Delay::After(delay)) => Ok(Some(at_ms.saturating_add(millis(*delay)))),
        Some(Delay::Field { pointer, offset_ms }) => {
            // A time may stand alone or with its zone: {"utc": …, "tz": …}.
            let found = record.pointer(pointer).filter(|value| !value.is_null());
            let Some(found) = found else { return Ok(None) };
            let text = found.as_str().or_else(|| found["utc"].as_str());
            let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let Some(time) = time else { return Err("delay.field: there is no time at this place".to_owned()) };
            Ok(Some(time.as_millisecond().saturating_add(*offset_ms)))
        }
    }
}

fn fill(template: &Template, key: &str, scope: &Scope, options: &FlowOptions) -> Result<Value, String> {
    match template {
        Template::Expression(expression) => {
            expression.evaluate(scope, &options.expression).map_err(|fault| format!("{key}: {}", fault.message))
        }
        Template::Object(parts) => {
            let filled = parts
                .iter()
                .map(|(name, part)| Ok((name.clone(), fill(part, &format!("{key}.{name}"), scope, options)?)));
            filled.collect::<Result<Map<String, Value>, String>>().map(Value::Object)
        }
        Template::List(items) => {
            let filled = items.iter().enumerate().map(|(at, item)| fill(item, &format!("{key}[{at}]"), scope, options));
            filled.collect::<Result<Vec<Value>, String>>().map(Value::Array)
        }
        Template::Constant(value) => Ok(value.clone()),
    }
}

/// The idempotency key of what a flow sends for a change: the same for ever, and another for everything else. The record's id and
/// revision name the change, because they stay what they are when a feed is made anew.
#[must_use]
pub(crate) fn key(tenant: &TenantId, flow: &str, definition: &Definition, entry: &FeedEntry) -> [u8; 16] {
    let (change, to) = (&entry.change, &definition.to);
    let text = format!("key {tenant} {flow} {} {} {} {}", change.id, change.revision, to.connection, to.action);
    ContentHash::of(text.as_bytes()).0
}

/// The lane of a record within a flow.
#[must_use]
pub(crate) fn lane(tenant: &TenantId, flow: &str, entry: &FeedEntry) -> [u8; 16] {
    ContentHash::of(format!("lane {tenant} {flow} {}", entry.change.id).as_bytes()).0
}
