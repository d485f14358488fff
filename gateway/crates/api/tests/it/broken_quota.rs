//! The quotas of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{DiskUse, Quota, QuotaStore, StoreError};

use crate::broken_store::BrokenStore;

#[async_trait]
impl QuotaStore for BrokenStore {
    fn set_quota(&self, _tenant: &TenantId, _connection: &ConnectionName, _quota: Quota) {}
    async fn disk_use(&self, _tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        self.fail().await
    }
}
