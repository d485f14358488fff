//! [`OutboxStore`] on PostgreSQL: each call takes a connection, a write a transaction.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::{PostgresStore, feed, in_transaction};
use crate::outbox::{
    Advance, Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Echo, EchoAsk, FeedEntry, FeedPiece,
    FlowPut, FlowRow, FlowVersionRow, HandMade, Repeats, Settle,
};
use crate::outbox::{by_hand, delivery, flow};
use crate::{OutboxStore, StoreError, limits, sql};

#[async_trait]
impl OutboxStore for PostgresStore {
    async fn put_flow(&self, put: FlowPut) -> Result<FlowRow, StoreError> {
        in_transaction!(self, |transaction| flow::put(&transaction, &put))
    }

    async fn retire_flow(&self, tenant: &TenantId, name: &str, now_ms: i64) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| flow::retire(&transaction, tenant, name, now_ms))
    }

    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError> {
        self.read(|c| async move { flow::get(&c, tenant, name).await }).await
    }

    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
        self.read(|c| async move { flow::list(&c, tenant).await }).await
    }

    async fn flow_versions(
        &self,
        tenant: &TenantId,
        name: &str,
        limit: u32,
    ) -> Result<Vec<FlowVersionRow>, StoreError> {
        self.read(|c| async move { flow::versions(&c, tenant, name, limit).await }).await
    }

    async fn feed(&self, tenant: &TenantId, after_seq: i64, entity: &str, limit: u32) -> Result<FeedPiece, StoreError> {
        self.read(|c| async move {
            // The head first: what becomes visible between the two reads is left for the next piece.
            let (head, limit) = (sql::feed::head(&c, tenant).await?, limits::list_limit(limit));
            let entries = feed::entries(&*c, &self.ids, (tenant, entity), (after_seq, head), limit).await?;
            Ok(flow::piece(entries, (after_seq, head), limit))
        })
        .await
    }

    async fn feed_tail(&self, tenant: &TenantId, entity: &str, limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
        self.read(|c| async move { feed::tail(&*c, &self.ids, (tenant, entity), limit).await }).await
    }

    async fn echoes(&self, tenant: &TenantId, asked: &[EchoAsk]) -> Result<Vec<Option<Echo>>, StoreError> {
        self.read(|c| async move { flow::echoes(&c, tenant, asked).await }).await
    }

    async fn repeats(&self, of: Vec<Repeats>) -> Result<Vec<u32>, StoreError> {
        self.read(|c| async move { flow::repeats(&c, &of).await }).await
    }

    async fn advance(&self, steps: Vec<Advance>, now_ms: i64) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| flow::advance(&transaction, &steps, now_ms))
    }

    async fn last_change(&self, tenant: &TenantId, record: RecordId) -> Result<Option<FeedEntry>, StoreError> {
        self.read(|c| async move { by_hand::last_change(&c, &self.ids, tenant, record).await }).await
    }

    async fn made_by_hand(&self, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
        self.read(|c| async move { by_hand::find(&c, key).await }).await
    }

    async fn make_by_hand(&self, made: HandMade) -> Result<(i64, bool), StoreError> {
        in_transaction!(self, |transaction| by_hand::make(&transaction, &made))
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        in_transaction!(self, |transaction| delivery::claim(&transaction, (&self.ids, &self.holder), &claim))
    }

    async fn fill_delivery(&self, id: i64, token: i64, input: Vec<u8>) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| delivery::fill(&transaction, id, token, &input))
    }

    async fn policy(&self, tenant: &TenantId, connection: &ConnectionName) -> Result<Option<[u8; 16]>, StoreError> {
        self.read(|c| async move { delivery::policy(&c, tenant, connection).await }).await
    }

    async fn put_policy(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        policy: [u8; 16],
        forget: Vec<i64>,
    ) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| delivery::put_policy(&transaction, tenant, connection, &policy, &forget))
    }

    async fn settle(&self, ends: Vec<Settle>) -> Result<Vec<bool>, StoreError> {
        in_transaction!(self, |transaction| delivery::settle(&transaction, &ends))
    }

    async fn due(&self, now_ms: i64) -> Result<Vec<DueRow>, StoreError> {
        self.read(|c| async move { delivery::due(&c, now_ms).await }).await
    }

    async fn delivery(&self, tenant: &TenantId, id: i64) -> Result<Option<DeliveryRow>, StoreError> {
        self.read(|c| async move { delivery::get(&c, &self.ids, tenant, id).await }).await
    }

    async fn deliveries(&self, tenant: &TenantId, query: &DeliveryQuery) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|c| async move { delivery::list(&c, &self.ids, tenant, query).await }).await
    }

    async fn delivery_counts(&self, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
        self.read(|c| async move { delivery::counts(&c, tenant).await }).await
    }

    async fn replay_delivery(
        &self,
        tenant: &TenantId,
        id: i64,
        input: Option<Vec<u8>>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| delivery::replay(&transaction, tenant, id, input.as_deref(), now_ms))
    }

    async fn replay_dead(&self, tenant: &TenantId, flow: &str, now_ms: i64) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| delivery::replay_dead(&transaction, tenant, flow, now_ms))
    }

    async fn prune_deliveries(&self, before_ms: i64, now_ms: i64) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| delivery::prune(&transaction, before_ms, now_ms))
    }

    async fn prunable_deliveries(&self, tenant: &TenantId, before_ms: i64) -> Result<u64, StoreError> {
        self.read(|c| async move { delivery::prunable(&c, tenant, before_ms).await }).await
    }
}
