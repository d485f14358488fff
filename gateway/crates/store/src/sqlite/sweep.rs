//! [`SweepStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{RunId, TenantId};
use rusqlite::Connection;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::{run_notes, sweep};
use crate::{CommitOutcome, HeldRecord, HeldSweep, PageNotes, StoreError, SweepStore};

#[async_trait]
impl SweepStore for SqliteStore {
    async fn run_notes(&self, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(run_notes::of_run(c, &tenant, id))).await
    }

    async fn held_sweeps(&self, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(sweep::list_held(c, &tenant))).await
    }

    async fn held_records(&self, tenant: &TenantId, id: RunId, limit: u32) -> Result<Vec<HeldRecord>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(sweep::held_records(c, &ids, &tenant, id, limit))).await
    }

    async fn release_sweep(
        &self,
        tenant: &TenantId,
        id: RunId,
        by: &str,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        let (of, by, quotas) = (tenant.clone(), by.to_owned(), self.quotas.clone());
        let work = move |c: &Connection| at_once(sweep::release(c, &of, id, &by, now_ms, &quotas));
        self.writer()?.commit(tenant, |outcome: &CommitOutcome| outcome.last_seq, work).await
    }
}
