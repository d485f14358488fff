//! Facts out of canonical bodies: which fields of which entities count.

mod person;
mod unit;

use renmen_schema::EntityKind;
use serde_json::Value;

use crate::digest::Digests;
use crate::facts::{Collector, Facts, Key};
use crate::rules::Rules;

/// A record as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// Where it came from.
    pub connection: &'a str,
    /// What it is.
    pub kind: EntityKind,
    /// Its id there.
    pub external_id: &'a str,
    /// The canonical bytes.
    pub bytes: &'a [u8],
    /// The applications of this candidate, or those that employments of this employee began with: connection and id there. They stand in other
    /// records, which refer to this one.
    pub applications: &'a [(String, String)],
}

/// Who a record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A person.
    Person,
    /// An organisational unit.
    Unit,
}

impl Subject {
    /// Of records of this kind; none: such records are about a person and are not one.
    #[must_use]
    pub fn of(kind: EntityKind) -> Option<Self> {
        match kind {
            EntityKind::Person | EntityKind::Employee | EntityKind::Candidate => Some(Self::Person),
            EntityKind::OrgUnit => Some(Self::Unit),
            _ => None,
        }
    }
}

/// The facts of a record; none if it is not a person or unit, or its body is not canonical.
#[must_use]
pub fn facts_of(rules: &Rules, digests: &Digests, body: Body<'_>) -> Option<Facts> {
    Some(collected(rules, digests, body, false)?.done())
}

/// What a person may see of the values that count of a record, by key.
#[must_use]
pub fn shown_of(rules: &Rules, digests: &Digests, body: Body<'_>) -> Vec<(Key, String)> {
    collected(rules, digests, body, true).map(|collector| collector.done_with_shown().1).unwrap_or_default()
}

fn collected<'a>(rules: &'a Rules, digests: &'a Digests, body: Body<'a>, shows: bool) -> Option<Collector<'a>> {
    let subject = Subject::of(body.kind)?;
    let value: Value = serde_json::from_slice(body.bytes).ok()?;
    let mut collector = Collector::new(rules, digests, body.connection, body.kind.name(), body.external_id);
    if shows {
        collector = collector.showing();
    }
    match subject {
        Subject::Person => {
            person::read(&value, &mut collector);
            body.applications.iter().for_each(|(connection, id)| collector.application(connection, id));
        }
        Subject::Unit => unit::read(&value, &mut collector),
    }
    Some(collector)
}
