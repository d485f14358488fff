//! [`KeyStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::api_key;
use crate::{ApiKeyRow, FoundKey, KeyId, KeyStore, StoreError};

#[async_trait]
impl KeyStore for SqliteStore {
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(api_key::put(c, &key))).await
    }

    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        let hash = *hash;
        self.readers.run(move |c| at_once(api_key::get(c, &hash))).await
    }

    async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError> {
        let hash = *hash;
        self.readers.run(move |c| at_once(api_key::find(c, &hash))).await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        let (tenant, after) = (tenant.cloned(), after.cloned());
        self.readers.run(move |c| at_once(api_key::list(c, tenant.as_ref(), after.as_ref(), limit))).await
    }

    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.readers.run(move |c| at_once(api_key::by_id(c, tenant.as_ref(), id))).await
    }

    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.writer()?.run(move |c| at_once(api_key::revoke(c, tenant.as_ref(), id, now_ms))).await
    }

    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer()?.run(move |c| at_once(api_key::note_uses(c, &uses))).await
    }
}
