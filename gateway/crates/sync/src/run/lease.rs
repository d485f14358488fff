//! A run's sign of life, for as long as it is under way: so a call may take as long as it may, and a gateway that ended is known to
//! have ended soon.

use std::time::Duration;

use renmen_clock::Clock;
use renmen_schema::id::RunId;
use renmen_store::{Store, StoreError};
use tokio::time::Instant;

/// Signs of life in the time after which another gateway goes on.
const RENEWALS: u32 = 4;

/// See the module.
pub(super) struct RunLease<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) run: RunId,
    pub(super) clock: &'a dyn Clock,
    pub(super) lease: Duration,
}

impl RunLease<'_> {
    /// Shows signs of life for as long as it is polled. Ends when the stream belongs to another gateway, or could: because it was not
    /// possible to show one for the whole of the lease, by the steady clock and counted from before the last one. One that slept through
    /// its lease asks once all the same: the store knows whether another has gone on.
    pub(super) async fn keep(&self) -> StoreError {
        if !self.store.is_shared() {
            return std::future::pending().await;
        }
        let mut shown = Instant::now();
        loop {
            tokio::time::sleep(self.lease / RENEWALS).await;
            let asked = Instant::now();
            let ends = (shown + self.lease).max(asked + self.lease / RENEWALS);
            let renewed = tokio::time::timeout_at(ends, self.store.renew_run(self.run, self.clock.now_ms())).await;
            match renewed {
                Ok(Ok(())) => shown = asked,
                Ok(Err(lost @ StoreError::Fenced(_))) => return lost,
                Ok(Err(error)) if Instant::now() < ends => {
                    tracing::debug!(%error, run = %self.run, "Failed to show that a run is under way; trying again");
                }
                Ok(Err(error)) => return error,
                Err(_late) => {
                    let seconds = self.lease.as_secs_f64();
                    return StoreError::Unavailable(format!(
                        "it was not possible to show for {seconds} s that the run is under way"
                    ));
                }
            }
        }
    }
}
