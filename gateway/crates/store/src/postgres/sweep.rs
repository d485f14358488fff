//! [`SweepStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{RunId, TenantId};

use super::{PostgresStore, in_transaction};
use crate::sql::{run_notes, sweep};
use crate::{CommitOutcome, HeldRecord, HeldSweep, PageNotes, StoreError, SweepStore};

#[async_trait]
impl SweepStore for PostgresStore {
    async fn run_notes(&self, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
        self.read(|c| async move { run_notes::of_run(&c, tenant, id).await }).await
    }

    async fn held_sweeps(&self, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
        self.read(|c| async move { sweep::list_held(&c, tenant).await }).await
    }

    async fn held_records(&self, tenant: &TenantId, id: RunId, limit: u32) -> Result<Vec<HeldRecord>, StoreError> {
        self.read(|mut c| async move {
            let transaction = self.connections.begin(&mut c).await?;
            sweep::held_records(&transaction, &self.ids, tenant, id, limit).await
        })
        .await
    }

    async fn release_sweep(
        &self,
        tenant: &TenantId,
        id: RunId,
        by: &str,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        let released =
            in_transaction!(self, |transaction| sweep::release(&transaction, tenant, id, by, now_ms, &self.quotas))?;
        self.heads.committed(tenant, &released);
        Ok(released)
    }
}
