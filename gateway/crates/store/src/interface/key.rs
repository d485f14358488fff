//! Keys of the API. A trait of its own, so that a command can hold these and nothing else while a gateway is running.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use crate::{ApiKeyRow, FoundKey, KeyId, StoreError};

/// Keys. Only their hashes are kept.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError::Fault`] when there is a key with this id.
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError>;

    /// The key with this hash, good or not: the caller decides.
    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError>;

    /// The same, with where its tenant is, in one read: what every request with a key that is not known yet costs.
    async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError>;

    /// A tenant's keys, or those of every tenant, oldest first: at most `limit` behind one of them.
    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError>;

    /// Finds a key by its id, of one tenant or of any.
    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError>;

    /// Revokes a key, of one tenant or of any, and gives it as it stands then; none when the key is unknown. One that
    /// was revoked before keeps its time.
    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError>;

    /// Writes down when keys were last used. An earlier time than the one known changes nothing.
    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError>;
}
