//! The broken store's answers about signatures.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{Answered, OnceKey, SignStore, SignedRevision, StoreError};

use crate::broken_store::BrokenStore;

#[async_trait]
impl SignStore for BrokenStore {
    async fn signatures(
        &self,
        _tenant: &TenantId,
        _id: RecordId,
        _limit: u32,
    ) -> Result<Vec<SignedRevision>, StoreError> {
        self.fail().await
    }
    async fn answered(&self, _key: OnceKey<'_>, _now_ms: i64) -> Result<Option<Answered>, StoreError> {
        self.fail().await
    }
}
