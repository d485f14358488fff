//! What the gateway itself writes: decisions, process nodes that it found missing, notifications that fell due.
//!
//! Such a record goes through the same commit as everything that a vendor sent (records, revisions, changes, one
//! transaction), under the built-in connection [`crate::BUILT_IN_CONNECTION`]. What led to it is kept with it as its
//! causes.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use crate::{AuthorOutcome, AuthoredCommit, Cause, LinkedQuery, RecordRow, StoreError, TimerRow};

/// Writing and following of what the gateway itself authors.
#[async_trait]
pub trait AuthorStore: Send + Sync {
    /// Writes records, their causes, links and timers, and moves the follower's place in the feed: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another gateway moved the place first, a record is not at the revision expected, or the
    /// request was answered already;
    /// [`StoreError::BadInput`] over a limit, or for two records with one id. Nothing was written then.
    async fn author(&self, commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError>;

    /// What a revision was made from, in the order in which it was written; empty for what a vendor sent.
    async fn causes(&self, tenant: &TenantId, id: RecordId, revision: i64) -> Result<Vec<Cause>, StoreError>;

    /// Timers of a follower that are due at this time, the oldest first.
    async fn due_timers(
        &self,
        tenant: &TenantId,
        stream: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError>;

    /// Live records that a follower linked to one, of the connections asked for, in the order of their first commit. Fewer than
    /// the limit are all that there are; else the next ones come after the last.
    async fn linked(&self, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError>;
}
