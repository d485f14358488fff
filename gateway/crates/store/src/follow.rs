//! Tells of commits that other processes made: looks for the feed's last position twice a second.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::StoreError;

/// Half of the second that is promised.
const INTERVAL: Duration = Duration::from_millis(500);

/// A task that ends with the store that owns it.
pub(crate) struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Raises the watched position; never lowers it.
pub(crate) fn raise(head: &watch::Sender<i64>, seq: i64) {
    head.send_if_modified(|known| {
        let later = seq > *known;
        *known = seq.max(*known);
        later
    });
}

/// Has everybody look again who waits for the feed: what was there already is known to belong to something now.
pub(crate) fn wake(head: &watch::Sender<i64>) {
    head.send_modify(|_| ());
}

/// Begins to look. A look that fails is passed over: a caller that needs the database gets the error there.
pub(crate) fn follow<F, R>(head: watch::Sender<i64>, look: F) -> Follower
where
    F: Fn() -> R + Send + 'static,
    R: Future<Output = Result<i64, StoreError>> + Send,
{
    Follower(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match look().await {
                Ok(seq) => raise(&head, seq),
                Err(error) => tracing::debug!(%error, "Failed to read the position of the change feed"),
            }
        }
    }))
}
