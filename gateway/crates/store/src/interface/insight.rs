//! Rows for questions of insight: what records say that is asked over hundreds of thousands of them at once.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use tokio::sync::mpsc;

use crate::StoreError;
use crate::insight::{Ask, Batch, GroupsAsk, Read, RowsMade};

/// Streams of rows of a tenant's live records, and the keys that they name records by.
///
/// A packed row of each record that questions need is kept by who follows the feed ([`InsightStore::make_insight_rows`]); commits write none.
/// References are resolved when a question is asked: what they mean, and who is one person, is as it is at that moment, whichever
/// record came first.
#[async_trait]
pub trait InsightStore: Send + Sync {
    /// Sends the rows of the streams that are asked for, one stream after the other, from one moment of the database. Memory is
    /// bounded by [`Ask::entries_max`] and by what the channel holds. Ends early, without an error, when the receiver is dropped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while rows of records that were there before are being made, and after the time limit;
    /// [`StoreError::BadInput`] over `entries_max`. What was sent until then is a part and must not be used.
    async fn insight_rows(&self, tenant: &TenantId, ask: &Ask, to: mpsc::Sender<Batch>) -> Result<Read, StoreError>;

    /// The same, and after people (else first) which protected groups they belong to. Only an audit of fairness may ask this.
    ///
    /// # Errors
    /// As [`InsightStore::insight_rows`].
    async fn audit_rows(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        groups: &GroupsAsk,
        to: mpsc::Sender<Batch>,
    ) -> Result<Read, StoreError>;

    /// Follows the feed by at most so many changes; first, and again where another release packed rows in another way, goes through the records that
    /// are there. To be called until it is done before a question is asked, so that the answer has what was committed until then.
    /// Gateways that do it at the same time do no harm: each step is taken once.
    async fn make_insight_rows(&self, tenant: &TenantId, at_most: u32) -> Result<RowsMade, StoreError>;

    /// The key of a live record: a person and a unit have that of their identity.
    async fn insight_key(&self, tenant: &TenantId, id: RecordId) -> Result<Option<i64>, StoreError>;

    /// Entity and id of the records with these keys, in their order; none for one that is not there.
    async fn insight_ids(&self, tenant: &TenantId, keys: &[i64])
    -> Result<Vec<Option<(String, RecordId)>>, StoreError>;
}
