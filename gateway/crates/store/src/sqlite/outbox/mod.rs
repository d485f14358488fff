//! [`OutboxStore`] on SQLite: each call is handed to the writer or to a reader.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::query::at_once;
use super::{SqliteStore, feed};
use crate::outbox::{
    Advance, Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Echo, EchoAsk, FeedEntry, FeedPiece,
    FlowPut, FlowRow, FlowVersionRow, HandMade, Repeats, Settle,
};
use crate::outbox::{by_hand, delivery, flow};
use crate::sql::feed as positions;
use crate::{OutboxStore, StoreError, limits};

#[async_trait]
impl OutboxStore for SqliteStore {
    async fn put_flow(&self, put: FlowPut) -> Result<FlowRow, StoreError> {
        self.writer()?.run(move |c| at_once(flow::put(c, &put))).await
    }

    async fn retire_flow(&self, tenant: &TenantId, name: &str, now_ms: i64) -> Result<bool, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.writer()?.run(move |c| at_once(flow::retire(c, &tenant, &name, now_ms))).await
    }

    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.readers.run(move |c| at_once(flow::get(c, &tenant, &name))).await
    }

    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(flow::list(c, &tenant))).await
    }

    async fn flow_versions(
        &self,
        tenant: &TenantId,
        name: &str,
        limit: u32,
    ) -> Result<Vec<FlowVersionRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.readers.run(move |c| at_once(flow::versions(c, &tenant, &name, limit))).await
    }

    async fn feed(&self, tenant: &TenantId, after_seq: i64, entity: &str, limit: u32) -> Result<FeedPiece, StoreError> {
        let (tenant, entity, ids) = (tenant.clone(), entity.to_owned(), self.ids.clone());
        self.readers
            .run(move |c| {
                let (head, limit) = (at_once(positions::head(c, &tenant))?, limits::list_limit(limit));
                let entries = feed::entries(c, &ids, (&tenant, &entity), (after_seq, head), limit)?;
                Ok(flow::piece(entries, (after_seq, head), limit))
            })
            .await
    }

    async fn feed_tail(&self, tenant: &TenantId, entity: &str, limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
        let (tenant, entity, ids) = (tenant.clone(), entity.to_owned(), self.ids.clone());
        self.readers.run(move |c| feed::tail(c, &ids, (&tenant, &entity), limit)).await
    }

    async fn echoes(&self, tenant: &TenantId, asked: &[EchoAsk]) -> Result<Vec<Option<Echo>>, StoreError> {
        let (tenant, asked) = (tenant.clone(), asked.to_vec());
        self.readers.run(move |c| at_once(flow::echoes(c, &tenant, &asked))).await
    }

    async fn repeats(&self, of: Vec<Repeats>) -> Result<Vec<u32>, StoreError> {
        self.readers.run(move |c| at_once(flow::repeats(c, &of))).await
    }

    async fn advance(&self, steps: Vec<Advance>, now_ms: i64) -> Result<u64, StoreError> {
        self.writer()?.run(move |c| at_once(flow::advance(c, &steps, now_ms))).await
    }

    async fn last_change(&self, tenant: &TenantId, record: RecordId) -> Result<Option<FeedEntry>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(by_hand::last_change(c, &ids, &tenant, record))).await
    }

    async fn made_by_hand(&self, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
        self.readers.run(move |c| at_once(by_hand::find(c, key))).await
    }

    async fn make_by_hand(&self, made: HandMade) -> Result<(i64, bool), StoreError> {
        self.writer()?.run(move |c| at_once(by_hand::make(c, &made))).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let (ids, holder) = (self.ids.clone(), self.holder.clone());
        self.writer()?.run(move |c| at_once(delivery::claim(c, (&ids, &holder), &claim))).await
    }

    async fn fill_delivery(&self, id: i64, token: i64, input: Vec<u8>) -> Result<bool, StoreError> {
        self.writer()?.run(move |c| at_once(delivery::fill(c, id, token, &input))).await
    }

    async fn policy(&self, tenant: &TenantId, connection: &ConnectionName) -> Result<Option<[u8; 16]>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.clone());
        self.readers.run(move |c| at_once(delivery::policy(c, &tenant, &connection))).await
    }

    async fn put_policy(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        policy: [u8; 16],
        forget: Vec<i64>,
    ) -> Result<u64, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.clone());
        self.writer()?.run(move |c| at_once(delivery::put_policy(c, &tenant, &connection, &policy, &forget))).await
    }

    async fn settle(&self, ends: Vec<Settle>) -> Result<Vec<bool>, StoreError> {
        self.writer()?.run(move |c| at_once(delivery::settle(c, &ends))).await
    }

    async fn due(&self, now_ms: i64) -> Result<Vec<DueRow>, StoreError> {
        self.readers.run(move |c| at_once(delivery::due(c, now_ms))).await
    }

    async fn delivery(&self, tenant: &TenantId, id: i64) -> Result<Option<DeliveryRow>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(delivery::get(c, &ids, &tenant, id))).await
    }

    async fn deliveries(&self, tenant: &TenantId, query: &DeliveryQuery) -> Result<Vec<DeliveryRow>, StoreError> {
        let (tenant, query, ids) = (tenant.clone(), query.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(delivery::list(c, &ids, &tenant, &query))).await
    }

    async fn delivery_counts(&self, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(delivery::counts(c, &tenant))).await
    }

    async fn replay_delivery(
        &self,
        tenant: &TenantId,
        id: i64,
        input: Option<Vec<u8>>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer()?.run(move |c| at_once(delivery::replay(c, &tenant, id, input.as_deref(), now_ms))).await
    }

    async fn replay_dead(&self, tenant: &TenantId, flow: &str, now_ms: i64) -> Result<u64, StoreError> {
        let (tenant, flow) = (tenant.clone(), flow.to_owned());
        self.writer()?.run(move |c| at_once(delivery::replay_dead(c, &tenant, &flow, now_ms))).await
    }

    async fn prune_deliveries(&self, before_ms: i64, now_ms: i64) -> Result<u64, StoreError> {
        self.writer()?.run(move |c| at_once(delivery::prune(c, before_ms, now_ms))).await
    }

    async fn prunable_deliveries(&self, tenant: &TenantId, before_ms: i64) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(delivery::prunable(c, &tenant, before_ms))).await
    }
}
