//! What deliveries need of the store: to be taken in once, to be listed, and to have what they only announced read.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::StoreError;
use crate::inbox::{InboxRow, Intake, RefreshDone, RefreshFailed, RefreshRow, Taken};

/// The inbox. What it promises besides [`Store`](crate::Store):
/// - a delivery's row, its records, changes, exchanges and refreshes become durable together, and a repeated delivery changes
///   nothing but the count of its repeats;
/// - of two states of a record that both carry the vendor's time, the older never takes the place of the newer, in any
///   order, a deletion of what was never seen included (for as long as [`InboxStore::purge_inbox`] leaves it);
/// - a refresh is there until it is reported done; one that is asked for again while it is being read is read again.
#[async_trait]
pub trait InboxStore: Send + Sync {
    /// Takes a delivery in, or what a targeted read brought; resolves when it is durable. Several may share a transaction.
    ///
    /// # Errors
    /// [`StoreError::BadInput`] over a limit of the store; [`StoreError::Fenced`] when a claim that it was read under is another
    /// gateway's by now. Nothing was written then.
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError>;

    /// Deliveries, newest first, before a row when one is named.
    async fn inbox(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError>;

    /// Forgets deliveries, and deletions of what was never seen, older than a time; at most `limit` of each. Gives how many.
    async fn purge_inbox(&self, before_ms: i64, limit: u32, now_ms: i64) -> Result<u64, StoreError>;

    /// When the next refresh is due; none when none waits. May lie in the past.
    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError>;

    /// Takes refreshes that are due, in the order in which they were first asked for, but none of the connections that are
    /// named. No other caller gets them for `lease_ms`, by the same clock as the leases of runs.
    async fn claim_refreshes(
        &self,
        now_ms: i64,
        lease_ms: i64,
        but_of: &[(TenantId, ConnectionName)],
        limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError>;

    /// Keeps claims for `lease_ms` more.
    async fn renew_refreshes(&self, claims: Vec<RefreshDone>, now_ms: i64, lease_ms: i64) -> Result<(), StoreError>;

    /// Ends refreshes that were claimed, those left out that are another gateway's by now: what is done goes away unless it was asked for again meanwhile.
    async fn settle_refreshes(
        &self,
        done: Vec<RefreshDone>,
        failed: Vec<RefreshFailed>,
        now_ms: i64,
    ) -> Result<(), StoreError>;
}
