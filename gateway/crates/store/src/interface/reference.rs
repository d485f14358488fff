//! References by alternate key: looked up when they are followed, so that one that came first means its record as soon as that is
//! there, and never one that is gone.

use async_trait::async_trait;
use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::{Keyed, Named, StoreError, UnresolvedKeys};

/// What keys mean. They are announced and given up by the commits that bring records and tombstones.
#[async_trait]
pub trait ReferenceStore: Send + Sync {
    /// What a key means among the live records of these connections; without any, of all. A connection that the key itself names
    /// counts besides. One look into an index.
    async fn keyed(
        &self,
        tenant: &TenantId,
        key: &WantedKey,
        connections: Option<&[ConnectionName]>,
    ) -> Result<Keyed, StoreError>;

    /// What each of these names means among live records, in their order: all of them with a few statements, however many they are.
    async fn meant(&self, tenant: &TenantId, names: &[Named]) -> Result<Vec<Keyed>, StoreError>;

    /// The references by key that mean no record, or several, by entity, scheme and connection.
    async fn unresolved_keys(&self, tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError>;
}
