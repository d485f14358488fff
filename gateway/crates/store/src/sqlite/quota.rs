//! [`QuotaStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::disk_use;
use crate::{DiskUse, Quota, QuotaStore, StoreError};

#[async_trait]
impl QuotaStore for SqliteStore {
    fn set_quota(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota) {
        self.quotas.set(tenant, connection, quota);
    }

    async fn disk_use(&self, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(disk_use::list(c, &tenant))).await
    }
}
