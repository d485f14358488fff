//! What the operating system asks of us: end, or read the configuration again.

use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// Each SIGHUP. One that comes while another is still worked on is not lost.
pub(crate) struct Hangups(Option<Signal>);

impl Hangups {
    /// From now on.
    pub(crate) fn listen() -> Self {
        Self(signal(SignalKind::hangup()).ok())
    }

    pub(crate) async fn next(&mut self) {
        match &mut self.0 {
            Some(hangup) => {
                hangup.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}
