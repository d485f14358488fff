//! The quotas and budgets of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{
    BudgetStore, DiskUse, PlacesAsk, PlacesShare, Quota, QuotaStore, RateAsk, Retained, RetentionPass, RetentionStore,
    StoreError,
};

use crate::broken_store::BrokenStore;

#[async_trait]
impl QuotaStore for BrokenStore {
    fn set_quota(&self, _tenant: &TenantId, _connection: &ConnectionName, _quota: Quota) {}
    async fn disk_use(&self, _tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl BudgetStore for BrokenStore {
    async fn month_calls(&self, _: &TenantId, _: &ConnectionName, _month: &str) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn add_month_calls(&self, _: &TenantId, _: &ConnectionName, _month: &str, _: i64) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn reserve_requests(&self, _: &TenantId, _: &ConnectionName, _: RateAsk) -> Result<Option<i64>, StoreError> {
        self.fail().await
    }
    async fn share_places(&self, _: &TenantId, _: &ConnectionName, _: PlacesAsk) -> Result<PlacesShare, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl RetentionStore for BrokenStore {
    async fn begin_retention(&self, _now_ms: i64, _every_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        self.fail().await
    }
    async fn go_on_retention(&self, _: RetentionPass, _now_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        self.fail().await
    }
    async fn retained(&self, _tenant: &TenantId) -> Result<Vec<Retained>, StoreError> {
        self.fail().await
    }
}
