//! [`SignStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::signature;
use crate::{Answered, OnceKey, SignStore, SignedRevision, StoreError};

#[async_trait]
impl SignStore for SqliteStore {
    async fn signatures(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<SignedRevision>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(signature::list(c, &ids, &tenant, id, limit))).await
    }

    async fn answered(&self, key: OnceKey<'_>, now_ms: i64) -> Result<Option<Answered>, StoreError> {
        let (tenant, ids) = (key.tenant.clone(), self.ids.clone());
        let (scope, name) = (key.scope.to_owned(), key.name.to_owned());
        self.readers
            .run(move |c| {
                let key = OnceKey { tenant: &tenant, scope: &scope, name: &name };
                at_once(signature::answered(c, &ids, key, now_ms))
            })
            .await
    }
}
