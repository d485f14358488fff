//! [`LeaseStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::lease;
use crate::{LeaseRow, LeaseStore, StoreError};

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn lease(&self, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.readers.run(move |c| at_once(lease::get(c, &tenant, &name))).await
    }

    async fn beat(
        &self,
        tenant: &TenantId,
        name: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let (tenant, name, holder) = (tenant.clone(), name.to_owned(), holder.map(str::to_owned));
        self.writer()?.run(move |c| at_once(lease::beat(c, (&tenant, &name), holder.as_deref(), seen, now_ms))).await
    }
}
