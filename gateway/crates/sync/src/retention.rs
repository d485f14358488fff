//! What is too old is deleted: pass after pass, in steps with pauses in which others have the store. Which things have an age, and what
//! stays at any age, is the store's affair.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::options::millis;
use crate::shared::Shared;

/// How often it is looked whether a pass is due.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// From the beginning of one pass to that of the next.
const PASS_EVERY: Duration = Duration::from_secs(6 * 3600);
/// The shortest pause between two steps.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// Makes passes until it is cancelled.
pub(crate) async fn keep_within_age(shared: Arc<Shared>, cancel: CancellationToken) {
    while !cancel.is_cancelled() {
        if let Err(error) = pass(&shared, &cancel).await {
            tracing::warn!(%error, "Failed to delete what is too old; trying again later");
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// A whole pass, if one is due: the store says so.
async fn pass(shared: &Shared, cancel: &CancellationToken) -> Result<(), renmen_store::StoreError> {
    let mut next = shared.store.begin_retention(shared.now_ms(), millis(PASS_EVERY)).await?;
    while let Some(step) = next {
        let begun = Instant::now();
        next = shared.store.go_on_retention(step, shared.now_ms()).await?;
        // As long as it took: it never has more than half of what the database can do.
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(begun.elapsed().max(PAUSE_MIN)) => {}
        }
    }
    Ok(())
}
