//! References: what one says and what it means, and which ones by alternate key mean nothing yet.

use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::{EntityKind, Reference, WantedKey, external_of};

use super::RecordRow;

/// What a reference says of the record that it means: the first of the three that it carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// Our own id, of a record of this entity.
    Id(EntityKind, RecordId),
    /// The id that the system of this connection gave.
    External(EntityKind, ConnectionName, String),
    /// An alternate key.
    Key(WantedKey),
}

impl Named {
    /// What a reference in a record of this connection says. None for one that no record can be meant by.
    #[must_use]
    pub fn of(reference: &Reference<'_>, from: &ConnectionName) -> Option<Self> {
        if let Some(key) = WantedKey::of(reference.value, reference.to) {
            return Some(Self::Key(key));
        }
        if let Some(id) = reference.value["id"].as_str() {
            return Some(Self::Id(reference.to, id.parse().ok()?));
        }
        let (connection, external_id) = external_of(reference.value, from)?;
        Some(Self::External(reference.to, connection, external_id.to_owned()))
    }

    /// The key, where it is one.
    pub(crate) fn key(&self) -> Option<&WantedKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Id(..) | Self::External(..) => None,
        }
    }
}

/// What a name means among live records.
#[derive(Debug, Clone)]
pub enum Keyed {
    /// Nothing: no record has it, or none any more.
    Nothing,
    /// The one record that has it.
    One(Box<RecordRow>),
    /// So many records have it, so it means none of them.
    Several(u64),
}

impl Keyed {
    /// The record, where there is exactly one.
    #[must_use]
    pub fn one(self) -> Option<RecordRow> {
        match self {
            Self::One(row) => Some(*row),
            Self::Nothing | Self::Several(_) => None,
        }
    }
}

/// References by one key scheme that mean no record, in figures: never with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedKeys {
    /// What they refer to: `employee`.
    pub entity: String,
    /// By which key.
    pub scheme: String,
    /// The connection whose record they ask for; none: any connection's.
    pub connection: Option<ConnectionName>,
    /// True: several records have the key. False: none has it yet.
    pub ambiguous: bool,
    /// How many records refer so; one that refers by two such keys counts twice.
    pub records: u64,
    /// By how many different values.
    pub values: u64,
    /// How many records have the same key, at most; 0 where none has it.
    pub matches_max: u64,
    /// Since when the first of them stands so.
    pub since_ms: i64,
}
