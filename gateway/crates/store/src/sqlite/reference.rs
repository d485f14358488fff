//! [`ReferenceStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::{meant, reference};
use crate::{Keyed, Named, ReferenceStore, StoreError, UnresolvedKeys};

#[async_trait]
impl ReferenceStore for SqliteStore {
    async fn keyed(
        &self,
        tenant: &TenantId,
        key: &WantedKey,
        connections: Option<&[ConnectionName]>,
    ) -> Result<Keyed, StoreError> {
        let (tenant, key, ids) = (tenant.clone(), key.clone(), self.ids.clone());
        let connections = connections.map(<[ConnectionName]>::to_vec);
        self.readers.run(move |c| at_once(reference::resolve(c, &ids, &tenant, &key, connections.as_deref()))).await
    }

    async fn meant(&self, tenant: &TenantId, names: &[Named]) -> Result<Vec<Keyed>, StoreError> {
        let (tenant, names, ids) = (tenant.clone(), names.to_vec(), self.ids.clone());
        self.readers.run(move |c| at_once(meant::all(c, &ids, &tenant, &names))).await
    }

    async fn unresolved_keys(&self, tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(reference::unresolved(c, &tenant))).await
    }
}
