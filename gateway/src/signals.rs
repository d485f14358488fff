//! What the operating system asks of us: end, or reload plugins.

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// Ends the watching task when dropped.
pub(crate) struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cancels at the first SIGINT or SIGTERM: work ends at the next page.
pub(crate) fn cancel_on_interrupt(cancel: &CancellationToken) -> Watching {
    let cancel = cancel.clone();
    let task = tokio::spawn(async move {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        cancel.cancel();
    });
    Watching(task.abort_handle())
}

/// Resolves at each SIGHUP.
pub(crate) async fn hangup() {
    match signal(SignalKind::hangup()) {
        Ok(mut hangup) => {
            hangup.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
