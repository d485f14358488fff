//! Tenants that leave for another database, or came from one.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use crate::{StoreError, TenantMove};

/// Where the moves of tenants stand. They are made by [`crate::export_tenant`] and its companions.
#[async_trait]
pub trait MoveStore: Send + Sync {
    /// Every tenant that left, is leaving, or came from elsewhere, by name.
    async fn tenant_moves(&self) -> Result<Vec<TenantMove>, StoreError>;

    /// One of them; none for a tenant that was always here.
    async fn tenant_move(&self, tenant: &TenantId) -> Result<Option<TenantMove>, StoreError>;
}
