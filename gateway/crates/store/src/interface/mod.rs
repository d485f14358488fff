//! The interface that sync, api and the command line use; both backends stand behind it.

mod author;
mod budget;
mod endpoint;
mod identity;
mod inbox;
mod insight;
mod key;
mod lease;
mod moving;
mod outbox;
mod quota;
mod reference;
mod registry;
mod retention;
mod schedule;
mod screen;
mod sign;
mod sweep;

use async_trait::async_trait;
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, TenantId};
use tokio::sync::watch;

use crate::{
    ChangeRow, CommitOutcome, EntityCount, ExchangeRow, Known, NewRun, PageCommit, PageRow, QuarantineRow, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunRow, Slice, StoreError, StreamKey, StreamState, Trouble, Wakeup,
};

pub use author::AuthorStore;
pub use budget::{BudgetStore, PlacesAsk, PlacesShare, RateAsk};
pub use endpoint::{EndpointOff, EndpointRow, EndpointStore};
pub use identity::IdentityStore;
pub use inbox::InboxStore;
pub use insight::InsightStore;
pub use key::KeyStore;
pub use lease::LeaseStore;
pub use moving::MoveStore;
pub use outbox::OutboxStore;
pub use quota::QuotaStore;
pub use reference::ReferenceStore;
pub use registry::{RegistryStore, RegistryVersions};
pub use retention::RetentionStore;
pub use schedule::ScheduleStore;
pub use screen::ScreenStore;
pub use sign::SignStore;
pub use sweep::SweepStore;

/// The store. Every method may answer [`StoreError::Unavailable`]; every read is given up after the read timeout.
///
/// A write whose future is dropped is not undone: it may still land.
#[async_trait]
pub trait Store:
    AuthorStore
    + SignStore
    + InboxStore
    + OutboxStore
    + EndpointStore
    + ScreenStore
    + KeyStore
    + QuotaStore
    + SweepStore
    + ReferenceStore
    + InsightStore
    + LeaseStore
    + ScheduleStore
    + RegistryStore
    + BudgetStore
    + RetentionStore
    + MoveStore
    + IdentityStore
    + Send
    + Sync
{
    /// `sqlite` or `postgres`.
    fn backend(&self) -> &'static str;

    /// Whether it answers, and can write: asked of the disk where something could not be written.
    async fn ready(&self) -> Result<(), StoreError>;

    /// What is known to be wrong with its file. Nothing where a server keeps it.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// How commits of other gateways are heard of.
    fn wakeup(&self) -> Wakeup {
        Wakeup::Local
    }

    // Runs

    /// Begins a run. Marks an older running run of this stream as interrupted when its lease is over (see [`ScheduleStore`] for the clock); [`StoreError::Busy`]
    /// when it is not.
    async fn begin_run(&self, run: NewRun) -> Result<RunId, StoreError>;

    /// Everything that a page changes, in one transaction; resolves when it is durable. Renews the run's lease.
    ///
    /// The time of the commit is `now_ms`, or that of the newest change when the clock went back: the feed's times never do.
    ///
    /// A sweep that ends puts tombstones on the live records of the stream's connection whose newest revision came through
    /// this stream and that no page of the sweep listed (as a record, as unchanged, or as a quarantined record with its id). Where its brake says that these are too many, it puts none:
    /// the sweep is held until a person releases it ([`SweepStore::release_sweep`]) or a later sweep ends in its place.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the run is no longer the stream's, the stored cursor is not `cursor_before`, or the page goes
    /// on with a sweep that is not under way; [`StoreError::BadInput`] over a limit of the store; [`StoreError::Quota`] when the
    /// connection would keep more than its quota. Nothing was written then.
    async fn commit_page(&self, page: PageCommit) -> Result<CommitOutcome, StoreError>;

    /// Ends a run; [`StoreError::Fenced`] when it ended before.
    async fn finish_run(&self, run: RunId, end: RunEnd) -> Result<(), StoreError>;

    /// One run of this tenant.
    async fn run(&self, tenant: &TenantId, id: RunId) -> Result<Option<RunRow>, StoreError>;

    /// Newest first.
    async fn runs(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError>;

    /// Where a stream stands; a stream that never ran stands at its beginning.
    async fn stream_state(&self, key: &StreamKey) -> Result<StreamState, StoreError>;

    /// Forgets the cursor and a sweep under way: the next run reads everything again. A run that is live is fenced at its next page.
    async fn reset_stream(&self, key: &StreamKey) -> Result<(), StoreError>;

    // Records

    /// What is known of each (entity, vendor id), in the order asked; one look-up for a whole page.
    async fn known(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        asked: &[(String, String)],
    ) -> Result<Vec<Option<Known>>, StoreError>;

    /// One record, tombstones too; none for an id of another tenant.
    async fn record(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordRow>, StoreError>;

    /// A piece of a list; see [`RecordQuery`] for its order.
    async fn records(&self, tenant: &TenantId, query: &RecordQuery) -> Result<Slice<RecordRow>, StoreError>;

    /// Newest first, the current one included.
    async fn revisions(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<RecordRow>, StoreError>;

    /// Live and deleted per entity and connection, in this order.
    async fn counts(&self, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError>;

    // Feed

    /// The tenant's changes after a position, oldest first. Their positions only grow. There may be gaps, for an earlier release counted
    /// all tenants' changes together; none of them fills later.
    async fn changes(
        &self,
        tenant: &TenantId,
        after_seq: i64,
        entity: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError>;

    /// The epoch of the feeds now: kept with a position that is handed out. Asked for after what the position stands for was read.
    async fn epoch(&self) -> Result<u32, StoreError>;

    /// Did the tenant's feed hand the position out? False for one that lies ahead of it, and for one of an epoch that it does not know or
    /// that ended before: its database was restored from an earlier state.
    async fn holds_position(&self, tenant: &TenantId, seq: i64, epoch: Option<u32>) -> Result<bool, StoreError>;

    /// The last position of a tenant's feed, as far as this process knows it; changes when a commit lands (at once for commits of this
    /// process, within a second for others').
    fn watch(&self, tenant: &TenantId) -> watch::Receiver<i64>;

    /// Changes when a commit of any tenant lands.
    fn watch_any(&self) -> watch::Receiver<u64>;

    // Exchanges and replay

    /// One exchange.
    async fn exchange(&self, tenant: &TenantId, id: ExchangeId) -> Result<Option<ExchangeRow>, StoreError>;

    /// A page's exchanges, in their order.
    async fn page_exchanges(&self, tenant: &TenantId, page: i64) -> Result<Vec<ExchangeRow>, StoreError>;

    /// A stream's pages after one, oldest first.
    async fn pages(&self, key: &StreamKey, after_page: i64, limit: u32) -> Result<Vec<PageRow>, StoreError>;

    // Quarantine

    /// What waits, oldest first.
    async fn quarantine(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        after_id: i64,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError>;

    /// One that waits.
    async fn quarantine_get(&self, tenant: &TenantId, id: i64) -> Result<Option<QuarantineRow>, StoreError>;

    /// Takes a record that is good now in and its row out, in one transaction. Origin: the row's page and run.
    ///
    /// # Errors
    /// [`StoreError::BadInput`] when nothing with this id waits.
    async fn quarantine_accept(
        &self,
        tenant: &TenantId,
        id: i64,
        record: RecordWrite,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError>;

    /// Still bad: counts the attempt, keeps the newest reason. [`StoreError::BadInput`] when nothing with this id waits.
    async fn quarantine_still(&self, tenant: &TenantId, id: i64, reason: &Text) -> Result<(), StoreError>;

    /// Gives one up. False when nothing with this id waits.
    async fn quarantine_drop(&self, tenant: &TenantId, id: i64) -> Result<bool, StoreError>;
}

/// What a store that was opened for reading answers to a write.
pub(crate) fn read_only() -> StoreError {
    StoreError::Busy("the store was opened for reading only: ask the running gateway, or stop it and try again".into())
}
