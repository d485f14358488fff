//! The record: the only writer of SQL.
//!
//! Owns the tables, their migrations, the transactions, and what is promised about them. Knows nothing of plugins, HTTP
//! or schedules: what a body says is opaque here, but for the alternate keys that the schema reads out of it.
//!
//! What both backends promise (and the same tests ask of both):
//! - a page's records, revisions, changes, exchanges, quarantine and cursor become visible and durable together or not at
//!   all: *a change exists iff its row version exists iff its page is at or before the cursor*;
//! - an unchanged record writes nothing; a superseded version is kept; a deletion is a tombstone that keeps the last body;
//! - positions of a tenant's change feed are given out in the order in which they become visible: a gap never fills later; commits of
//!   two tenants do not wait for each other on PostgreSQL;
//! - every key begins with the tenant: the id of another tenant's record is as unknown as one that was never made.
//!
//! Map: [`Store`] is the interface, `model` its shapes. `decide`, `seen`, `identity`, `listing` and `rows` are rules without a
//! statement; `sql` and `outbox` hold the statements that both backends run, `sqlite` and `postgres` those of one alone, and
//! when and where each runs.

mod authored;
mod codes;
mod copy;
mod decide;
mod error;
mod failpoint;
mod heads;
mod holder;
mod identity;
pub mod inbox;
pub mod insight;
mod interface;
mod keyed;
mod limits;
mod list_token;
mod listing;
mod model;
mod moving;
mod options;
pub mod outbox;
mod places;
#[cfg(test)]
mod plans;
mod postgres;
mod quota;
mod retention;
mod rows;
mod seen;
mod sql;
mod sqlite;

use std::sync::Arc;

pub use copy::{CopiedTable, CopyProgress, copy_store};
pub use error::{StoreError, Trouble};
pub use heads::Wakeup;
pub use interface::{
    AuthorStore, BudgetStore, EndpointOff, EndpointRow, EndpointStore, IdentityStore, InboxStore, InsightStore,
    KeyStore, LeaseStore, MoveStore, OutboxStore, PlacesAsk, PlacesShare, QuotaStore, RateAsk, ReferenceStore,
    RegistryStore, RegistryVersions, RetentionStore, ScheduleStore, ScreenStore, SignStore, Store, SweepStore,
};
pub use limits::{
    CURSOR_BYTES_MAX, EXCHANGES_MAX, EXTERNAL_ID_BYTES_MAX, LIST_LIMIT_MAX, PAGE_RECORDS_MAX, POINTER_BYTES_MAX,
};
pub use model::{
    Answered, ApiKeyRow, ApplicationRow, AuthorOutcome, AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, Brake,
    Cause, ChangeKind, ChangeRow, CommitOutcome, ConflictRow, Content, ContentHash, DecisionCommit, DecisionKept,
    DecisionRow, DeletedBy, DigestKey, EntityCount, ExchangeRow, ExchangeWrite, FILE_RULES_STREAM, FactRow, FactWrite,
    FactsCommit, Follow, FoundKey, HeldRecord, HeldSweep, HolderRow, IdentityAsk, IdentityCounts, IdentityFound,
    IdentityKept, IdentityKind, IdentityLink, IdentityPass, IdentityQuery, IdentityStand, KeyId, KeyRole, Keyed, Known,
    LINKS_STREAM, LeaseRow, LinkWrite, LinkedQuery, MESSAGES_STREAM, MemberRow, MoveState, Named, NewRun, NotAKeyId,
    NumberedId, NumberedRecord, Once, OnceKey, Origin, PEOPLES_RECORDS_STREAM, PERSON, PageCommit, PageNotes, PageRow,
    Parent, PendingRow, PluginRef, ProposalRow, QuarantineRow, QuarantineWrite, ReadUpTo, RecordIdentity, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunFinding, RunOmission, RunRow, RunState, RunTrigger, ScreenTokenRow,
    SettledCommit, Signature, SignedRevision, Slice, StreamKey, StreamStand, StreamState, SubjectBody, Subjects, Sweep,
    TenantMove, TimerRow, TimerWrite, UNIT, Undone, UnresolvedKeys, WornRow,
};
pub use moving::{
    Arrival, Departure, MoveProgress, MoveStep, MovedTable, TellMove, export_tenant, forget_tenant, import_tenant,
    resume_tenant, tenant_moved, tenants,
};
use options::StoreLocation;
pub use options::{Pooler, StoreOptions, StorePassword};
pub use quota::{DiskUse, Quota};
pub use retention::{Retained, RetainedKind, RetentionPass};

/// Opens for reading and writing: creates what is missing, locks against a second gateway (SQLite), migrates, and marks the
/// runs of an ended process as interrupted (SQLite; on PostgreSQL their lease tells).
///
/// # Errors
/// [`StoreError::Configuration`] for an invalid URL and for a server that cannot be trusted or logged in to, [`StoreError::Busy`] when another gateway holds the file,
/// [`StoreError::Unavailable`] when the database is away, [`StoreError::Fault`] when it is newer than this program.
pub async fn open(options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match options.location()? {
        StoreLocation::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open(path, options).await?)),
        StoreLocation::Postgres(address) => {
            Ok(Arc::new(postgres::PostgresStore::open(&address, &options, true).await?))
        }
    }
}

/// Opens for reading while a gateway may be running: takes no lock, creates and migrates nothing; every write returns
/// [`StoreError::Busy`].
///
/// # Errors
/// As [`open`]; [`StoreError::Unavailable`] when there is no database yet or it must be migrated first.
pub async fn open_read_only(options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match options.location()? {
        StoreLocation::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open_read_only(path, options).await?)),
        StoreLocation::Postgres(address) => {
            Ok(Arc::new(postgres::PostgresStore::open(&address, &options, false).await?))
        }
    }
}

/// Opens only the keys, while a gateway may be running on the same store. When there is no store yet, or it must be
/// migrated, it is opened as [`open`] does.
///
/// A key that is revoked in this way is refused by a running gateway as soon as it asks the store again.
///
/// # Errors
/// As [`open`]; [`StoreError::Busy`] only while a gateway of an older release holds the file.
pub async fn open_keys(options: StoreOptions) -> Result<Arc<dyn KeyStore>, StoreError> {
    match options.location()? {
        StoreLocation::Sqlite(path) => match sqlite::KeyFile::open(&path, &options).await? {
            Some(keys) => Ok(Arc::new(keys)),
            None => Ok(Arc::new(sqlite::SqliteStore::open(path, options).await?)),
        },
        StoreLocation::Postgres(address) => {
            Ok(Arc::new(postgres::PostgresStore::open(&address, &options, true).await?))
        }
    }
}
