//! Sweeps that wait for a person, and what runs reported besides their records.

use async_trait::async_trait;
use renmen_schema::id::{RunId, TenantId};

use crate::{CommitOutcome, HeldRecord, HeldSweep, PageNotes, StoreError};

/// Sweeps that a [`crate::Brake`] held, and the notes of runs.
#[async_trait]
pub trait SweepStore: Send + Sync {
    /// What the pages of a run told, in their order; `total` is the newest. Nothing for a run of another tenant.
    async fn run_notes(&self, tenant: &TenantId, run: RunId) -> Result<PageNotes, StoreError>;

    /// The sweeps that wait, by connection and stream.
    async fn held_sweeps(&self, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError>;

    /// The first `limit` records that the held sweep of this run would delete now.
    ///
    /// # Errors
    /// [`StoreError::BadInput`] when no sweep of this run is held.
    async fn held_records(&self, tenant: &TenantId, run: RunId, limit: u32) -> Result<Vec<HeldRecord>, StoreError>;

    /// Deletes what the held sweep of this run did not list and nothing listed or changed since; the tombstones name its last
    /// page. `by` is kept with the run.
    ///
    /// # Errors
    /// [`StoreError::BadInput`] when no sweep of this run is held.
    async fn release_sweep(
        &self,
        tenant: &TenantId,
        run: RunId,
        by: &str,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError>;
}
