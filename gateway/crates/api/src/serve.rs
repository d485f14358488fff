//! The server on its listener, until it is told to end.

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::key_ring::UseWriting;
use crate::router::router;
use crate::state::AppState;

/// The server ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("the API server ended: {0}")]
pub struct ServeError(#[from] std::io::Error);

/// Serves until `shutdown` resolves; then long polls and event streams end at once, and other requests have
/// [`crate::ApiOptions::shutdown_grace`] to end.
///
/// # Errors
/// [`ServeError`] when the listener fails.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let closing = state.closing.clone();
    let grace = state.options.shutdown_grace;
    let begin_to_close = {
        let closing = closing.clone();
        async move {
            shutdown.await;
            closing.cancel();
        }
    };
    let key_uses = UseWriting::begin(&state);
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(begin_to_close);
    let too_late = async move {
        closing.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    let ended = tokio::select! {
        ended = server => Ok(ended?),
        () = too_late => {
            tracing::warn!(grace_ms = grace.as_millis() as u64, "Requests that did not end in time were cut");
            Ok(())
        }
    };
    key_uses.end().await;
    ended
}
