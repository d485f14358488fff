//! [`SignStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use super::PostgresStore;
use crate::sql::signature;
use crate::{Answered, OnceKey, SignStore, SignedRevision, StoreError};

#[async_trait]
impl SignStore for PostgresStore {
    async fn signatures(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<SignedRevision>, StoreError> {
        self.read(|c| async move { signature::list(&c, &self.ids, tenant, id, limit).await }).await
    }

    async fn answered(&self, key: OnceKey<'_>, now_ms: i64) -> Result<Option<Answered>, StoreError> {
        self.read(|c| async move { signature::answered(&c, &self.ids, key, now_ms).await }).await
    }
}
