//! [`QuotaStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::PostgresStore;
use crate::sql::disk_use;
use crate::{DiskUse, Quota, QuotaStore, StoreError};

#[async_trait]
impl QuotaStore for PostgresStore {
    fn set_quota(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota) {
        self.quotas.set(tenant, connection, quota);
    }

    async fn disk_use(&self, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        self.read(|c| async move { disk_use::list(&c, tenant).await }).await
    }
}
