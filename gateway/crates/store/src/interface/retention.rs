//! What is deleted for its age.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use crate::StoreError;
use crate::retention::{Retained, RetentionPass};

/// A pass over everything that connections may keep for a time only ([`Quota`](crate::Quota)), in steps that are small enough for others to
/// have their turn between them. What it promises:
/// - exchanges that the newest revision of a live record points to, and those of records in quarantine, stay at any age;
/// - of a run that wrote something, the row and its pages stay, for records tell by them where they come from;
/// - one gateway at a time: a pass that was taken over by another, for it stood still, deletes nothing any more.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// Begins a pass. None where nothing has an age, where another is under way, and where the last one began less than `every_ms` ago.
    async fn begin_retention(&self, now_ms: i64, every_ms: i64) -> Result<Option<RetentionPass>, StoreError>;

    /// The next step of a pass; none at its end, and where it is another gateway's by now.
    async fn go_on_retention(&self, pass: RetentionPass, now_ms: i64) -> Result<Option<RetentionPass>, StoreError>;

    /// What was deleted for its age so far, and how old the oldest is that is left.
    async fn retained(&self, tenant: &TenantId) -> Result<Vec<Retained>, StoreError>;
}
