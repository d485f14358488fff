//! The sweeps of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{RunId, TenantId};
use renmen_store::{CommitOutcome, HeldRecord, HeldSweep, PageNotes, StoreError, SweepStore};

use crate::broken_store::BrokenStore;

#[async_trait]
impl SweepStore for BrokenStore {
    async fn run_notes(&self, _tenant: &TenantId, _run: RunId) -> Result<PageNotes, StoreError> {
        self.fail().await
    }
    async fn held_sweeps(&self, _tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
        self.fail().await
    }
    async fn held_records(&self, _tenant: &TenantId, _run: RunId, _limit: u32) -> Result<Vec<HeldRecord>, StoreError> {
        self.fail().await
    }
    async fn release_sweep(
        &self,
        _tenant: &TenantId,
        _run: RunId,
        _by: &str,
        _now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        self.fail().await
    }
}
