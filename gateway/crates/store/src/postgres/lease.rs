//! [`LeaseStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::{PostgresStore, in_transaction};
use crate::sql::lease;
use crate::{LeaseRow, LeaseStore, StoreError};

#[async_trait]
impl LeaseStore for PostgresStore {
    async fn lease(&self, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        self.read(|c| async move { lease::get(&c, tenant, name).await }).await
    }

    async fn beat(
        &self,
        tenant: &TenantId,
        name: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        in_transaction!(self, |transaction| lease::beat(&transaction, (tenant, name), holder, seen, now_ms))
    }
}
