//! What connections may keep on disk.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::{DiskUse, Quota, StoreError};

/// Quotas, and what is kept under them.
#[async_trait]
pub trait QuotaStore: Send + Sync {
    /// From now on this connection may keep so much; one without a quota is unlimited.
    fn set_quota(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota);

    /// What each connection of the tenant keeps, in the order of their names.
    async fn disk_use(&self, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError>;
}
