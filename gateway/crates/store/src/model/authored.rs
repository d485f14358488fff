//! What the gateway itself writes, and what it keeps to know when to write.

use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};

use super::{CommitOutcome, DeletedBy, Once, Signature};

/// The connection that stands for the gateway itself. No configuration can name one like it.
pub const BUILT_IN_CONNECTION: &str = "renmen";

/// The stream by which a notification or an adjust instruction of the gateway's own follows its deliveries: whenever one of them ends,
/// its timer there is due, in the same transaction and under the record's external id.
pub const MESSAGES_STREAM: &str = "interview-messages";

/// The stream whose place in the feed says up to where it is known what belongs to what ([`LinkWrite`]).
pub const LINKS_STREAM: &str = "interview-loop";

/// The stream by which the rules of the configuration file are published as records. A record of it belongs to the file.
pub const FILE_RULES_STREAM: &str = "decision-rules";

/// The stream by which people write records over the API. Its place counts their commits, so that what is checked across records
/// still holds when it is written.
pub const PEOPLES_RECORDS_STREAM: &str = "records";

/// Records of the gateway's own, with all that must become true together with them.
#[derive(Debug, Clone)]
pub struct AuthoredCommit {
    pub tenant: TenantId,
    /// Which part of the gateway writes: `decisions`, `watch`.
    pub stream: StreamName,
    /// Set by a follower of the change feed: how far it has read.
    pub follow: Option<Follow>,
    /// No two with the same entity and id.
    pub records: Vec<AuthoredRecord>,
    /// What belongs to what.
    pub links: Vec<LinkWrite>,
    /// When to look again.
    pub timers: Vec<TimerWrite>,
    /// Set where a person wrote: kept with every revision that this makes.
    pub signed: Option<Signature>,
    /// The request that this is the answer to: the first record is what it is answered with.
    pub once: Option<Once>,
    /// The clock of the commit.
    pub now_ms: i64,
}

impl AuthoredCommit {
    /// Nothing yet.
    #[must_use]
    pub fn of(tenant: TenantId, stream: StreamName, now_ms: i64) -> Self {
        let (records, links, timers) = (Vec::new(), Vec::new(), Vec::new());
        Self { tenant, stream, follow: None, records, links, timers, signed: None, once: None, now_ms }
    }
}

/// A follower's step through the change feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// Where it stood; refused with [`crate::StoreError::Fenced`] when it stands elsewhere. 0 before its first step.
    pub from: i64,
    /// Where it stands now.
    pub to: i64,
}

/// One record on its way in: valid and canonical.
#[derive(Debug, Clone)]
pub struct AuthoredRecord {
    /// `decision`.
    pub entity: String,
    /// The gateway's own id of it, the same whenever it is written for the same reason.
    pub external_id: String,
    /// Canonical JSON; empty for a tombstone, which keeps the last one.
    pub body: Vec<u8>,
    /// Set for a tombstone.
    pub deleted: Option<DeletedBy>,
    /// What it was made from.
    pub causes: Vec<Cause>,
    /// The revision that it must have now, 0 for none; refused with [`crate::StoreError::Fenced`] when it has another.
    pub expect: Option<i64>,
    /// What it belongs to: linked in the same commit. Empty leaves what is known.
    pub parents: Vec<Parent>,
}

/// A revision that another was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause {
    pub record: RecordId,
    /// Which revision of it.
    pub revision: i64,
}

/// Which records a record belongs to. Takes the place of what was known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWrite {
    pub child: RecordId,
    /// What it belongs to.
    pub parents: Vec<Parent>,
}

/// A record by the id that a reference to it carries: it may not have arrived yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parent {
    /// Through which connection.
    pub connection: ConnectionName,
    pub entity: String,
    /// The id there.
    pub external_id: String,
}

/// Which children of a record to read. Only children that came through the named connections are read.
#[derive(Debug, Clone)]
pub struct LinkedQuery {
    /// What they were linked to.
    pub parent: Parent,
    /// The connections that they came through.
    pub connections: Vec<ConnectionName>,
    /// Of which entities; empty: of any.
    pub entities: Vec<String>,
    /// Only those after this one.
    pub after: Option<RecordId>,
    /// At most; the store cuts it at 1,000.
    pub limit: u32,
}

/// A time at which a follower wants to look again. It outlives the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerWrite {
    /// Sets it, or moves it.
    Set {
        /// The follower's own name for it.
        name: String,
        due_ms: i64,
    },
    /// Takes it away; one that is not there is as good.
    Clear {
        /// The follower's own name for it.
        name: String,
    },
    /// Takes it away if it still stands where it was read: one that was set meanwhile stays.
    Done {
        /// The follower's own name for it.
        name: String,
        /// When it was due, as it was read.
        due_ms: i64,
    },
}

/// A timer as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerRow {
    /// The follower's own name for it.
    pub name: String,
    /// When it was due.
    pub due_ms: i64,
}

/// What an authored commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorOutcome {
    /// The records' own ids, in the order given.
    pub ids: Vec<RecordId>,
    pub outcome: CommitOutcome,
}
