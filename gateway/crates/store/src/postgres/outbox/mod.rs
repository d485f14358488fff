//! [`OutboxStore`] on PostgreSQL: each call takes a connection, a write a transaction.

mod by_hand;
mod delivery;
mod flow;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::{PostgresStore, in_time};
use crate::outbox::{
    Advance, Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Echo, EchoAsk, FeedEntry, FeedPiece,
    FlowPut, FlowRow, FlowVersionRow, HandMade, Repeats, Settle,
};
use crate::{OutboxStore, StoreError};

#[async_trait]
impl OutboxStore for PostgresStore {
    async fn put_flow(&self, put: FlowPut) -> Result<FlowRow, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let flow = flow::put(&transaction, &put).await?;
            transaction.commit().await?;
            Ok(flow)
        })
        .await
    }

    async fn retire_flow(&self, tenant: &TenantId, name: &str, now_ms: i64) -> Result<bool, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let retired = flow::retire(&transaction, tenant, name, now_ms).await?;
            transaction.commit().await?;
            Ok(retired)
        })
        .await
    }

    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError> {
        self.read(|c| async move { flow::get(&c, tenant, name, false).await }).await
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
        self.read(|c| async move { flow::feed(&c, &self.ids, tenant, after_seq, entity, limit).await }).await
    }

    async fn feed_tail(&self, tenant: &TenantId, entity: &str, limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
        self.read(|c| async move { flow::feed_tail(&c, &self.ids, tenant, entity, limit).await }).await
    }

    async fn echoes(
        &self,
        tenant: &TenantId,
        asked: &[EchoAsk],
        since_ms: i64,
    ) -> Result<Vec<Option<Echo>>, StoreError> {
        self.read(|c| async move { flow::echoes(&c, tenant, asked, since_ms).await }).await
    }

    async fn repeats(&self, of: Repeats) -> Result<u32, StoreError> {
        self.read(|c| async move { flow::repeats(&c, &of).await }).await
    }

    async fn advance(&self, steps: Vec<Advance>, now_ms: i64) -> Result<u64, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let made = flow::advance(&transaction, &steps, now_ms).await?;
            transaction.commit().await?;
            Ok(made)
        })
        .await
    }

    async fn last_change(&self, tenant: &TenantId, record: RecordId) -> Result<Option<FeedEntry>, StoreError> {
        self.read(|c| async move { by_hand::last_change(&c, &self.ids, tenant, record).await }).await
    }

    async fn made_by_hand(&self, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
        self.read(|c| async move { by_hand::made(&c, key).await }).await
    }

    async fn make_by_hand(&self, made: HandMade) -> Result<(i64, bool), StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let done = by_hand::make(&transaction, &made).await?;
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let claimed = delivery::claim(&transaction, &self.ids, &claim).await?;
            transaction.commit().await?;
            Ok(claimed)
        })
        .await
    }

    async fn fill_delivery(&self, id: i64, token: i64, input: Vec<u8>) -> Result<bool, StoreError> {
        in_time(async { delivery::fill(&self.client().await?, id, token, input).await }).await
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
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let forgotten = delivery::put_policy(&transaction, tenant, connection, &policy, &forget).await?;
            transaction.commit().await?;
            Ok(forgotten)
        })
        .await
    }

    async fn settle(&self, ends: Vec<Settle>) -> Result<Vec<bool>, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let taken = delivery::settle(&transaction, &ends).await?;
            transaction.commit().await?;
            Ok(taken)
        })
        .await
    }

    async fn due(&self) -> Result<Vec<DueRow>, StoreError> {
        self.read(|c| async move { delivery::due(&c).await }).await
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
        in_time(async { delivery::replay(&self.client().await?, tenant, id, input, now_ms).await }).await
    }

    async fn replay_dead(&self, tenant: &TenantId, flow: &str, now_ms: i64) -> Result<u64, StoreError> {
        in_time(async { delivery::replay_dead(&self.client().await?, tenant, flow, now_ms).await }).await
    }

    async fn prune_deliveries(&self, before_ms: i64) -> Result<u64, StoreError> {
        in_time(async { delivery::prune(&self.client().await?, before_ms).await }).await
    }
}
