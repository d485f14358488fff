//! What the schedules of several gateways ask of one store: a stream is read once when it is due, and one that its gateway left is
//! read on by another.

use async_trait::async_trait;
use renmen_schema::id::RunId;

use crate::{NewRun, StoreError, StreamKey, StreamStand};

/// Leases of runs count by the server's clock; with SQLite, which one process holds, by that process's (`now_ms`).
#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// May other gateways have it open too?
    fn is_shared(&self) -> bool;

    /// How a stream stands.
    async fn stream_stand(&self, key: &StreamKey, now_ms: i64) -> Result<StreamStand, StoreError>;

    /// Begins a run that is due, as [`Store::begin_run`](crate::Store::begin_run) does, if `last` is still the last run that read the
    /// stream (none: none ever did).
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another was first; [`StoreError::Busy`] while one is under way.
    async fn begin_due_run(&self, run: NewRun, last: Option<RunId>) -> Result<RunId, StoreError>;

    /// Shows that a run is still under way. Every commit does, too.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it ended, or another gateway has taken its stream over.
    async fn renew_run(&self, run: RunId, now_ms: i64) -> Result<(), StoreError>;

    /// Streams that another gateway reads now.
    async fn runs_elsewhere(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError>;

    /// Streams whose run has shown no sign of life for the whole of its lease.
    async fn expired_runs(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError>;
}
