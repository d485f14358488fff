//! Deliveries that came to their end long enough ago are deleted: batch by batch until none is left, however many there are, and with
//! pauses in which others have the database.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::FlowEngine;
use crate::options::millis;

/// How often it is looked whether there are any.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// After a store that is away.
const STORE_WAIT: Duration = Duration::from_secs(10);
/// The shortest pause between two batches.
const PAUSE_MIN: Duration = Duration::from_millis(5);

impl FlowEngine {
    /// Deletes what is old until it is cancelled, from the start on: a gateway that is restarted often deletes as well.
    pub(crate) async fn prune(self: Arc<Self>, cancel: CancellationToken) {
        loop {
            let wait = match self.prune_batch().await {
                // As long as it took: it never has more than half of what the database can do.
                Ok(Batch { full: true, took }) => took.max(PAUSE_MIN),
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "Failed to delete old deliveries");
                    STORE_WAIT
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn prune_batch(&self) -> Result<Batch, renmen_store::StoreError> {
        let now_ms = self.clock.now_ms();
        let before_ms = now_ms.saturating_sub(millis(self.options.keep));
        let begun = std::time::Instant::now();
        let deleted = self.store.prune_deliveries(before_ms, now_ms).await?;
        metrics::counter!("renmen_deliveries_pruned_total").increment(deleted);
        Ok(Batch { full: deleted >= renmen_store::outbox::PRUNED_MAX, took: begun.elapsed() })
    }
}

struct Batch {
    /// There may be more.
    full: bool,
    took: Duration,
}
