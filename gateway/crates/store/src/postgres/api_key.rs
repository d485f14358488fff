//! [`KeyStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::{PostgresStore, in_transaction};
use crate::sql::api_key;
use crate::{ApiKeyRow, FoundKey, KeyId, KeyStore, StoreError};

#[async_trait]
impl KeyStore for PostgresStore {
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| api_key::put(&transaction, &key))
    }

    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read(|c| async move { api_key::get(&c, hash).await }).await
    }

    async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError> {
        self.read(|c| async move { api_key::find(&c, hash).await }).await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.read(|c| async move { api_key::list(&c, tenant, after, limit).await }).await
    }

    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read(|c| async move { api_key::by_id(&c, tenant, id).await }).await
    }

    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        in_transaction!(self, |transaction| api_key::revoke(&transaction, tenant, id, now_ms))
    }

    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| api_key::note_uses(&transaction, uses))
    }
}
