//! What is kept along with what people write: who wrote it and why, and the answers to repeated requests.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use crate::{Answered, OnceKey, SignedRevision, StoreError};

/// Signatures, and answers that are given once. Both are written by [`crate::AuthorStore::author`].
#[async_trait]
pub trait SignStore: Send + Sync {
    /// The revisions of a record that people wrote, newest first.
    async fn signatures(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<SignedRevision>, StoreError>;

    /// What this request did before; none when it never came, or its answer is no longer kept.
    async fn answered(&self, key: OnceKey<'_>, now_ms: i64) -> Result<Option<Answered>, StoreError>;
}
