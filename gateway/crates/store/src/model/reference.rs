//! References by alternate key: what one means, and which ones mean nothing yet.

use renmen_schema::id::ConnectionName;

use super::RecordRow;

/// What a key means among live records.
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
