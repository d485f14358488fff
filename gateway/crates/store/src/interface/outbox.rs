//! What flows need of the store: their definitions, their positions in the feed, and their deliveries.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use crate::StoreError;
use crate::outbox::{
    Advance, Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Echo, EchoAsk, FeedEntry, FeedPiece,
    FlowPut, FlowRow, FlowVersionRow, HandMade, Repeats, Settle,
};

/// The outbox. What it promises besides [`Store`](crate::Store):
/// - a flow's position and the deliveries of the changes that it passed become durable together: a change makes each
///   delivery once, no matter when a process ends;
/// - of a lane, at most one delivery is claimed at a time, and none before an earlier one has come to its end (delivered, taken,
///   dead, withheld or expired);
/// - an end is taken only from the last claim: a slow answer that comes after another claim changes nothing.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Keeps a flow, or its new definition as its next version. One that was off or away begins with the next change.
    async fn put_flow(&self, put: FlowPut) -> Result<FlowRow, StoreError>;

    /// Takes a flow away; what it still has to send is withheld. False when there is none.
    async fn retire_flow(&self, tenant: &TenantId, name: &str, now_ms: i64) -> Result<bool, StoreError>;

    /// One flow, retired or not.
    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError>;

    /// A tenant's flows by name, the retired ones left out.
    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError>;

    /// A flow's versions, newest first.
    async fn flow_versions(&self, tenant: &TenantId, name: &str, limit: u32)
    -> Result<Vec<FlowVersionRow>, StoreError>;

    /// Changes of one entity after a position, oldest first, with their bodies.
    async fn feed(&self, tenant: &TenantId, after_seq: i64, entity: &str, limit: u32) -> Result<FeedPiece, StoreError>;

    /// The last changes of one entity, oldest first, with their bodies.
    async fn feed_tail(&self, tenant: &TenantId, entity: &str, limit: u32) -> Result<Vec<FeedEntry>, StoreError>;

    /// For each change: the newest delivery since its time that went to the change's connection and either named the record's vendor
    /// id in its receipt or was made for the record itself.
    async fn echoes(&self, tenant: &TenantId, asked: &[EchoAsk]) -> Result<Vec<Option<Echo>>, StoreError>;

    /// For each: how many deliveries with the same input there were for a record.
    async fn repeats(&self, of: Vec<Repeats>) -> Result<Vec<u32>, StoreError>;

    /// Makes deliveries and moves positions, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a flow does not stand at `from`, has another version, or is gone: read it again.
    async fn advance(&self, steps: Vec<Advance>, now_ms: i64) -> Result<u64, StoreError>;

    /// The last change of a record, with its bodies; none for a record that is not this tenant's.
    async fn last_change(&self, tenant: &TenantId, record: RecordId) -> Result<Option<FeedEntry>, StoreError>;

    /// The number of the delivery that a person made with a key; none before they did.
    async fn made_by_hand(&self, key: [u8; 16]) -> Result<Option<i64>, StoreError>;

    /// Makes a delivery that a person asked for, unless one was made by a person with its key: its number, and false for the one that
    /// was there.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when its flow has another version or is gone: read it again.
    async fn make_by_hand(&self, made: HandMade) -> Result<(i64, bool), StoreError>;

    /// Takes what is due, each of another lane, oldest first. Due is what its time by the caller's clock has come for; a lease is over
    /// by the store's own clock where several gateways share it, so that a gateway whose clock is wrong takes nothing from another.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;

    /// Gives a claimed delivery its input, which could not be worked out when it was made. False when the claim is another's by now,
    /// or when it has an input.
    async fn fill_delivery(&self, id: i64, token: i64, input: Vec<u8>) -> Result<bool, StoreError>;

    /// By which policy (see [`OutboxStore::put_policy`]) the deliveries to a destination are made; none when it was never said.
    async fn policy(&self, tenant: &TenantId, connection: &ConnectionName) -> Result<Option<[u8; 16]>, StoreError>;

    /// Keeps the policy by which deliveries to a destination are made from now on, and in the same transaction takes the inputs of
    /// these deliveries to it away, so that they are worked out again. One that arrived, or is being confirmed, keeps its own. How
    /// many were taken.
    async fn put_policy(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        policy: [u8; 16],
        forget: Vec<i64>,
    ) -> Result<u64, StoreError>;

    /// Ends attempts, in one transaction. False for one that is another claimer's by now: nothing of it was written.
    async fn settle(&self, ends: Vec<Settle>) -> Result<Vec<bool>, StoreError>;

    /// Which destinations have work that is not at its end, and when the first of it may be due by the caller's clock.
    async fn due(&self, now_ms: i64) -> Result<Vec<DueRow>, StoreError>;

    /// One delivery with its input.
    async fn delivery(&self, tenant: &TenantId, id: i64) -> Result<Option<DeliveryRow>, StoreError>;

    /// Newest first, without their inputs.
    async fn deliveries(&self, tenant: &TenantId, query: &DeliveryQuery) -> Result<Vec<DeliveryRow>, StoreError>;

    /// How many there are of each flow and state.
    async fn delivery_counts(&self, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError>;

    /// Sends a dead, withheld or expired delivery again, with the same key and a new count of attempts; its deadline no longer counts.
    /// `input` is for one that never had any. False when it is in another state, or has no input.
    async fn replay_delivery(
        &self,
        tenant: &TenantId,
        id: i64,
        input: Option<Vec<u8>>,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// The same for every dead delivery of a flow that has an input; how many.
    async fn replay_dead(&self, tenant: &TenantId, flow: &str, now_ms: i64) -> Result<u64, StoreError>;

    /// Forgets deliveries that came to their end before a time, at most [`crate::outbox::PRUNED_MAX`] of them; how many.
    async fn prune_deliveries(&self, before_ms: i64, now_ms: i64) -> Result<u64, StoreError>;

    /// How many of a tenant's deliveries came to their end before a time, counted up to [`crate::outbox::PRUNABLE_MAX`].
    async fn prunable_deliveries(&self, tenant: &TenantId, before_ms: i64) -> Result<u64, StoreError>;
}
