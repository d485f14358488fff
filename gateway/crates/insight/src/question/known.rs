//! A record with its id: what the questions about one application or band are given, so that their answers name their sources.

use renmen_schema::id::RecordId;
use renmen_schema::{Entity, EntityKind};

/// A record that is known, and where it came from.
#[derive(Debug)]
pub struct Known<'a, T> {
    /// Its id.
    pub id: RecordId,
    /// The record, or the part of it that counts.
    pub value: &'a T,
    /// Of which kind the record is.
    pub kind: EntityKind,
    /// The connection that it came from.
    pub connection: &'a str,
}

// By hand, because a derive would ask the same of `T`, of which only a reference is held.
impl<T> Clone for Known<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Known<'_, T> {}

impl<'a, T: Entity> Known<'a, T> {
    /// A whole record.
    #[must_use]
    pub fn record(id: RecordId, value: &'a T, connection: &'a str) -> Self {
        Self { id, value, kind: T::KIND, connection }
    }
}

impl<'a, T> Known<'a, T> {
    /// A part of a record.
    #[must_use]
    pub fn part(kind: EntityKind, id: RecordId, value: &'a T, connection: &'a str) -> Self {
        Self { id, value, kind, connection }
    }

    /// Entity and id, as records refer to it in text.
    pub(super) fn reference(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }
}
