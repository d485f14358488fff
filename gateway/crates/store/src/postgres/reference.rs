//! [`ReferenceStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, TenantId};

use super::PostgresStore;
use crate::sql::{meant, reference};
use crate::{Keyed, Named, ReferenceStore, StoreError, UnresolvedKeys};

#[async_trait]
impl ReferenceStore for PostgresStore {
    async fn keyed(
        &self,
        tenant: &TenantId,
        key: &WantedKey,
        connections: Option<&[ConnectionName]>,
    ) -> Result<Keyed, StoreError> {
        self.read(|c| async move { reference::resolve(&c, &self.ids, tenant, key, connections).await }).await
    }

    async fn meant(&self, tenant: &TenantId, names: &[Named]) -> Result<Vec<Keyed>, StoreError> {
        self.read(|c| async move { meant::all(&c, &self.ids, tenant, names).await }).await
    }

    async fn unresolved_keys(&self, tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError> {
        self.read(|c| async move { reference::unresolved(&c, tenant).await }).await
    }
}
