//! A change as others take it: one event by CloudEvents 1.0 in its structured JSON form. The change feed and the outgoing events
//! write the same event, so that a receiver may change from one to the other, or read after what it missed.

use serde::Serialize;

use crate::types::Instant;

/// Media type of one event.
pub const EVENT_MEDIA_TYPE: &str = "application/cloudevents+json";

/// Media type of a list of events.
pub const EVENTS_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// What can happen to a record, as an event says it and as a receiver asks for it.
pub const CHANGE_KINDS: [&str; 3] = ["created", "updated", "deleted"];

/// Is this one of [`CHANGE_KINDS`]?
#[must_use]
pub fn is_change_kind(text: &str) -> bool {
    CHANGE_KINDS.contains(&text)
}

/// Is this a JSON Pointer to a field of a record, by which a receiver is given it? Not one to the whole record.
#[must_use]
pub fn is_field_pointer(text: &str) -> bool {
    text.len() > 1 && text.starts_with('/')
}

/// What an event is made of. `D` is its `data`.
#[derive(Debug, Clone)]
pub struct Change<'a, D> {
    /// The tenant that owns the record.
    pub tenant: &'a str,
    /// The connection that the record came through.
    pub connection: &'a str,
    /// The record's entity: `employee`.
    pub entity: &'a str,
    /// The entity in the paths of the API: `employees`; none for an entity that this release does not know.
    pub collection: Option<&'a str>,
    /// The record's id.
    pub record_id: &'a str,
    /// The revision that the change made, from 1.
    pub revision: i64,
    /// `created`, `updated` or `deleted`.
    pub kind: &'a str,
    /// Position in the change feed.
    pub seq: i64,
    /// When it was committed.
    pub at: Instant,
    /// What is told of it.
    pub data: D,
}

/// One event, ready to be written as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct CloudEvent<D> {
    specversion: &'static str,
    /// Of the record and its revision: the same for every reader, on every road and for ever.
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    /// Of the CloudEvents extension of this name: compared as texts, a later change is greater.
    sequence: String,
    data: D,
}

impl<D> Change<'_, D> {
    /// The event of this change.
    #[must_use]
    pub fn into_event(self) -> CloudEvent<D> {
        let Self { tenant, connection, entity, collection, record_id, revision, kind, seq, at, data } = self;
        CloudEvent {
            specversion: "1.0",
            id: format!("{record_id}-{revision}"),
            source: format!("/tenants/{tenant}/connections/{connection}"),
            kind: event_type(entity, kind),
            subject: format!("{}/{record_id}", collection.unwrap_or(entity)),
            time: at.to_string(),
            datacontenttype: "application/json",
            // As many digits as the feed takes for a position.
            sequence: format!("{seq:018}"),
            data,
        }
    }
}

/// `cn.renmen.employee.updated`.
#[must_use]
pub fn event_type(entity: &str, kind: &str) -> String {
    format!("cn.renmen.{entity}.{kind}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn change(seq: i64, revision: i64) -> CloudEvent<serde_json::Value> {
        Change {
            tenant: "acme",
            connection: "people",
            entity: "employee",
            collection: Some("employees"),
            record_id: "0192e5c0-0000-7000-8000-000000000001",
            revision,
            kind: "updated",
            seq,
            at: Instant::parse("2026-11-22T09:20:00+08:00").unwrap(),
            data: serde_json::json!({ "x": 1 }),
        }
        .into_event()
    }

    #[test]
    fn an_event_has_what_cloudevents_asks_for() {
        let json = serde_json::to_value(change(42, 3)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "specversion": "1.0",
                "id": "0192e5c0-0000-7000-8000-000000000001-3",
                "source": "/tenants/acme/connections/people",
                "type": "cn.renmen.employee.updated",
                "subject": "employees/0192e5c0-0000-7000-8000-000000000001",
                "time": "2026-11-22T01:20:00.000Z",
                "datacontenttype": "application/json",
                "sequence": "000000000000000042",
                "data": { "x": 1 },
            })
        );
    }

    #[test]
    fn a_later_change_is_greater_as_text_too() {
        let of = |seq| change(seq, 1).sequence;
        assert!(of(9) < of(10) && of(99_999) < of(100_000) && of(999_999_999_999_999_999).len() == of(1).len());
    }
}
