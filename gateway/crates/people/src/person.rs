//! A person or an organisational unit as its readers see it: sources side by side, the preferred value of each field and why, and what made
//! them one.
//!
//! Must not know who may read what: each value names its record and its place in it, so that the caller leaves out what a reader may not see.

use renmen_identity::{Day, Evidence, Step, Why};
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_store::RecordRow;
use serde_json::Value;

pub use renmen_identity::Subject;

/// Which persons or units are listed.
#[derive(Debug, Clone)]
pub struct PersonQuery {
    /// Persons or units.
    pub subject: Subject,
    /// Only those with a record of this connection.
    pub connection: Option<ConnectionName>,
    /// Only those with a proposal or a conflict.
    pub unresolved: bool,
    /// Only those of at least so many records; 0 and 1: all.
    pub records_min: u32,
    /// Goes on after this one: [`Page::next`].
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: u32,
}

/// A piece of a list.
#[derive(Debug, Clone)]
pub struct Page<T, N> {
    /// In order.
    pub items: Vec<T>,
    /// Where it goes on; none at the end.
    pub next: Option<N>,
}

/// A person or a unit.
#[derive(Debug, Clone)]
pub struct Person {
    /// That of its oldest record. A former id leads here too.
    pub id: RecordId,
    /// Person or unit.
    pub subject: Subject,
    /// Its records, the oldest first; at least one.
    pub sources: Vec<Source>,
    /// Each field that a record has a value of, by name.
    pub fields: Vec<Field>,
    /// No rule linked its records, for too many hold together by rules: see `identity.component_max`.
    pub too_large: bool,
}

/// A record of a person.
#[derive(Debug, Clone)]
pub struct Source {
    /// The record as it stands.
    pub record: RecordRow,
    /// Since when it is one of this person's, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// A field with the values of all sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, by which `[identity.prefer]` names it: `person.names`, `work.title`, `number`.
    pub name: String,
    /// The preferred one first.
    pub values: Vec<FieldValue>,
    /// Why that one is preferred.
    pub why: Why,
}

/// The value of a field in a record.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// As the record has it.
    pub value: Value,
    /// Which record.
    pub record: RecordId,
    /// What it is: with the pointer, what a rule of access asks for.
    pub entity: String,
    /// Of which connection.
    pub connection: ConnectionName,
    /// Where it stands in the record: `/person/names`.
    pub pointer: String,
    /// When its source changed the record, or it was first seen, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// A person with what made it one.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// Who it is.
    pub person: Person,
    /// What links its records, one fewer than there are records.
    pub links: Vec<Link>,
    /// Links that its records had before, the latest first.
    pub past_links: Vec<Link>,
    /// With whom it may be one.
    pub proposals: Vec<Proposal>,
    /// Links of its records that are held back.
    pub conflicts: Vec<Conflict>,
    /// What people decided about its records, also what was undone.
    pub decisions: Vec<Decision>,
    /// It waits to be looked at again: what stands here may change in a moment.
    pub waits: bool,
}

/// What two records have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Grounds {
    /// In a sentence: `staff_number e0***3 (rule 2, 100), the same name (40): 140 of 100`. It shows values in part; a rule that compares
    /// values that a reader may not see is named in [`Grounds::evidence`].
    pub because: Text,
    /// Each rule by which they agree.
    pub evidence: Vec<Evidence>,
    /// The sum of the weights; none for a decision.
    pub score: Option<i32>,
    /// The decision of a person that links them.
    pub decision: Option<i64>,
}

/// A link between two records.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The older record.
    pub a: RecordId,
    /// The younger one.
    pub b: RecordId,
    /// Why.
    pub grounds: Grounds,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
    /// Until when; none for one that is in force.
    pub until_ms: Option<i64>,
}

/// Two persons, or two units, that may be one: a person decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The older one.
    pub one: RecordId,
    /// The younger one.
    pub other: RecordId,
    /// The records that say most for it, one of each.
    pub between: (RecordId, RecordId),
    /// What they say.
    pub grounds: Grounds,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// A link that is held back.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The records that would be linked.
    pub between: (RecordId, RecordId),
    /// The persons or units that they are of.
    pub identities: (RecordId, RecordId),
    /// What for.
    pub grounds: Grounds,
    /// What against, and what to do.
    pub against: Text,
    /// The records that contradict each other, where it is two.
    pub contradiction: Option<(RecordId, RecordId)>,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// What people decide of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They are one.
    Link,
    /// They are not who the other records of their person are.
    Split,
    /// Two persons are never one.
    Never,
}

impl Act {
    /// Every one, with its name.
    pub const ALL: [(Self, &'static str); 3] = [(Self::Link, "link"), (Self::Split, "split"), (Self::Never, "never")];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The one of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(act, _)| *act)
    }
}

/// What a person decides.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What.
    pub act: Act,
    /// Of which records. [`Act::Link`] and [`Act::Never`] take two or more, each standing for its person; [`Act::Split`] takes those that
    /// leave.
    pub records: Vec<RecordId>,
    /// Who decides.
    pub who: String,
    /// Why.
    pub why: String,
    /// A name of the caller's for this request: one that comes again is answered as before.
    pub request: Option<String>,
}

/// A decision that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its number.
    pub number: i64,
    /// It had come before under the same name.
    pub repeated: bool,
    /// It took effect. Where not, it waits for a pass that is under way, or for its turn.
    pub in_force: bool,
    /// Who the records are now, each once.
    pub identities: Vec<RecordId>,
}

/// A decision as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub number: i64,
    /// What.
    pub act: Act,
    /// Of which records, two by two.
    pub pairs: Vec<(RecordId, RecordId)>,
    /// Who decided.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Who undid it, why and when.
    pub undone: Option<(String, String, i64)>,
}

/// A value that too many share to tell one from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedValue {
    /// The rule by which it would count.
    pub rule: String,
    /// On how many records it is; counted up to one more than the limit.
    pub holders: u64,
    /// Some of them.
    pub records: Vec<RecordId>,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// What happened with a person on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub day: Day,
    /// What.
    pub step: Step,
    /// A word about it: the position, the result.
    pub about: Option<String>,
    /// The person's record that it happened to, and the record that tells it.
    pub told_by: Vec<(RecordId, RecordId)>,
}
