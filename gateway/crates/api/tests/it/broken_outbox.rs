//! The flows and deliveries of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::outbox::{
    Advance, Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Echo, EchoAsk, FeedEntry, FeedPiece,
    FlowPut, FlowRow, FlowVersionRow, HandMade, Repeats, Settle,
};
use renmen_store::{OutboxStore, StoreError};

use crate::broken_store::BrokenStore;

#[async_trait]
impl OutboxStore for BrokenStore {
    async fn put_flow(&self, _put: FlowPut) -> Result<FlowRow, StoreError> {
        self.fail().await
    }
    async fn retire_flow(&self, _tenant: &TenantId, _name: &str, _now_ms: i64) -> Result<bool, StoreError> {
        self.fail().await
    }
    async fn flow(&self, _tenant: &TenantId, _name: &str) -> Result<Option<FlowRow>, StoreError> {
        self.fail().await
    }
    async fn flows(&self, _tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
        self.fail().await
    }
    async fn flow_versions(
        &self,
        _tenant: &TenantId,
        _name: &str,
        _limit: u32,
    ) -> Result<Vec<FlowVersionRow>, StoreError> {
        self.fail().await
    }
    async fn feed(
        &self,
        _tenant: &TenantId,
        _after_seq: i64,
        _entity: &str,
        _limit: u32,
    ) -> Result<FeedPiece, StoreError> {
        self.fail().await
    }
    async fn feed_tail(&self, _tenant: &TenantId, _entity: &str, _limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
        self.fail().await
    }
    async fn echoes(&self, _tenant: &TenantId, _asked: &[EchoAsk]) -> Result<Vec<Option<Echo>>, StoreError> {
        self.fail().await
    }
    async fn repeats(&self, _of: Vec<Repeats>) -> Result<Vec<u32>, StoreError> {
        self.fail().await
    }
    async fn advance(&self, _steps: Vec<Advance>, _now_ms: i64) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn last_change(&self, _tenant: &TenantId, _record: RecordId) -> Result<Option<FeedEntry>, StoreError> {
        self.fail().await
    }
    async fn made_by_hand(&self, _key: [u8; 16]) -> Result<Option<i64>, StoreError> {
        self.fail().await
    }
    async fn make_by_hand(&self, _made: HandMade) -> Result<(i64, bool), StoreError> {
        self.fail().await
    }
    async fn claim(&self, _claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.fail().await
    }
    async fn fill_delivery(&self, _id: i64, _token: i64, _input: Vec<u8>) -> Result<bool, StoreError> {
        self.fail().await
    }
    async fn policy(&self, _tenant: &TenantId, _connection: &ConnectionName) -> Result<Option<[u8; 16]>, StoreError> {
        self.fail().await
    }
    async fn put_policy(
        &self,
        _tenant: &TenantId,
        _connection: &ConnectionName,
        _policy: [u8; 16],
        _forget: Vec<i64>,
    ) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn settle(&self, _ends: Vec<Settle>) -> Result<Vec<bool>, StoreError> {
        self.fail().await
    }
    async fn due(&self, _now_ms: i64) -> Result<Vec<DueRow>, StoreError> {
        self.fail().await
    }
    async fn delivery(&self, _tenant: &TenantId, _id: i64) -> Result<Option<DeliveryRow>, StoreError> {
        self.fail().await
    }
    async fn deliveries(&self, _tenant: &TenantId, _query: &DeliveryQuery) -> Result<Vec<DeliveryRow>, StoreError> {
        self.fail().await
    }
    async fn delivery_counts(&self, _tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
        self.fail().await
    }
    async fn replay_delivery(
        &self,
        _tenant: &TenantId,
        _id: i64,
        _input: Option<Vec<u8>>,
        _now_ms: i64,
    ) -> Result<bool, StoreError> {
        self.fail().await
    }
    async fn replay_dead(&self, _tenant: &TenantId, _flow: &str, _now_ms: i64) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn prune_deliveries(&self, _before_ms: i64, _now_ms: i64) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn prunable_deliveries(&self, _tenant: &TenantId, _before_ms: i64) -> Result<u64, StoreError> {
        self.fail().await
    }
}
