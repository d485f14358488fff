//! What comes out: records, their revisions and the feed of their changes.

use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, StreamName};
use serde::{Deserialize, Serialize};

use super::PluginRef;

/// BLAKE3 of the canonical body, first 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The hash of a canonical body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(body).as_bytes()[..16]);
        Self(hash)
    }
}

/// Who said that a record is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletedBy {
    /// The vendor, in an event.
    SourceEvent,
    /// The vendor, in a read.
    SourceFlag,
    /// A run that listed everything did not list it.
    FullDiff,
    /// A person.
    Manual,
}

/// What is known of a record without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Of the body.
    pub hash: ContentHash,
    /// Tombstone?
    pub deleted: bool,
}

/// One record as it stands (or stood).
#[derive(Debug, Clone)]
pub struct RecordRow {
    /// Own id.
    pub id: RecordId,
    pub entity: String,
    pub connection: ConnectionName,
    /// The vendor's id.
    pub external_id: String,
    /// From 1.
    pub revision: i64,
    /// Of the body.
    pub hash: ContentHash,
    /// Canonical JSON.
    pub body: Vec<u8>,
    /// Tombstone.
    pub deleted: Option<DeletedBy>,
    /// The vendor's clock.
    pub source_updated_at_ms: Option<i64>,
    /// First commit.
    pub created_at_ms: i64,
    /// This revision's commit.
    pub recorded_at_ms: i64,
    /// Where from.
    pub origin: Origin,
}

/// Where a revision came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    pub stream: StreamName,
    pub run: RunId,
    /// Exchange; none when the page had none.
    pub exchange: Option<ExchangeId>,
    /// Where in it.
    pub pointer: String,
    /// Which code.
    pub plugin: PluginRef,
}

/// What to read.
///
/// Without `updated_since_ms` records come by entity and connection, then by the bytes of their vendor id: a record keeps
/// its place for life. Every record that was there at the first page comes exactly once; one that is created
/// while a client pages may or may not come.
///
/// With `updated_since_ms` records come in the order of their newest change at the time of the first page. Every record
/// with such a change comes exactly once, as it stands when its page is read; what changes later belongs to the next
/// read (or to the change feed).
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    /// Entity; none reads all.
    pub entity: Option<String>,
    /// Only this connection.
    pub connection: Option<ConnectionName>,
    /// Only this vendor id.
    pub external_id: Option<String>,
    /// Only recorded at or after.
    pub updated_since_ms: Option<i64>,
    /// `None`: live only. `Some(true)`: tombstones only. With `include_deleted` both.
    pub deleted: Option<bool>,
    /// Both live and tombstones.
    pub include_deleted: bool,
    /// Opaque: from [`Slice::next`].
    pub after: Option<String>,
    /// At most; the store cuts it at 1,000.
    pub limit: u32,
}

/// A piece of an ordered list.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where it goes on; none at the end.
    pub next: Option<String>,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// First revision.
    Created,
    /// Another body (also a tombstone that came back).
    Updated,
    /// Tombstone.
    Deleted,
}

/// One entry of the change feed: ordered, durable, without gaps that fill later.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// Position.
    pub seq: i64,
    pub kind: ChangeKind,
    pub id: RecordId,
    pub entity: String,
    pub connection: ConnectionName,
    pub external_id: String,
    /// The revision that this change made.
    pub revision: i64,
    pub at_ms: i64,
}

/// How many records of one entity a connection has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityCount {
    /// `employee`.
    pub entity: String,
    /// Through which connection.
    pub connection: ConnectionName,
    /// Records that are there.
    pub live: i64,
    /// Tombstones.
    pub deleted: i64,
}
