//! The server on its listener, until it is told to end: HTTP/1.1, one request after the other on a connection.
//!
//! Owns accepting and closing: how many connections there may be in all and from one address (`seats`), how long each
//! may take for what it has to say (`seat`), and that a request's bytes can be read in one way only (`framing`). Must
//! not know what is asked: that is the router's.
//!
//! HTTP/2 is not spoken here. It would let one connection carry hundreds of requests past the caps, and operators who
//! need it for clients have a proxy with TLS in front.

mod connection;
mod framing;
mod seat;
mod seats;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use seats::Seats;

use crate::key_ring::UseWriting;
use crate::limit::Limit;
use crate::router::router;
use crate::state::{ApiOptions, AppState};

/// What a connection is told that cannot be served: it costs nothing to say.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// The first and the longest pause after a failure to accept: long enough not to burn, short enough to be back at once.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// The server ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("the API server ended: {0}")]
pub struct ServeError(#[from] io::Error);

/// Serves until `shutdown` resolves; then long polls and event streams end at once, and other requests have
/// [`crate::ApiOptions::shutdown_grace`] to end.
///
/// # Errors
/// [`ServeError`] when the listener is of no use any more.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let closing = state.closing.clone();
    let options = Arc::clone(&state.options);
    let key_uses = UseWriting::begin(Arc::clone(&state.keys), Arc::clone(&state.store), state.options.key_use_every);
    let server = Server {
        seats: Arc::new(Seats::new(&options, Arc::clone(&state.reached))),
        router: router(state),
        options: Arc::clone(&options),
        closing: closing.clone(),
        tasks: TaskTracker::new(),
    };
    let accepted = tokio::select! {
        ended = server.accept(&listener) => ended,
        () = shutdown => Ok(()),
    };
    drop(listener);
    closing.cancel();
    server.tasks.close();
    if tokio::time::timeout(options.shutdown_grace, server.tasks.wait()).await.is_err() {
        let grace_ms = options.shutdown_grace.as_millis() as u64;
        tracing::warn!(grace_ms, "Cut off requests that did not finish in time");
        server.seats.clear();
    }
    key_uses.end().await;
    accepted
}

struct Server {
    seats: Arc<Seats>,
    router: Router,
    options: Arc<ApiOptions>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Takes connections for as long as the listener lives.
    async fn accept(&self, listener: &TcpListener) -> Result<(), ServeError> {
        let mut pause = PAUSE.0;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    pause = PAUSE.0;
                    self.admit(stream, peer);
                }
                // The peer went away before it was taken.
                Err(error) if is_peers(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error.into()),
                Err(error) => {
                    // No descriptor or memory is left. A connection that says nothing gives its own back, and the pause
                    // keeps this loop from spinning on a listener that stays readable.
                    self.seats.make_room();
                    self.seats.reached(Limit::OpenFiles);
                    tracing::debug!(%error, "Failed to accept a connection");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        match self.seats.take(peer) {
            Some(seat) => {
                let served = connection::Served {
                    router: self.router.clone(),
                    options: Arc::clone(&self.options),
                    closing: self.closing.clone(),
                };
                self.tasks.spawn(served.run(stream, peer, seat));
            }
            None => turn_away(stream),
        }
    }
}

/// Says that there is no place, if that can be said without waiting, and closes.
fn turn_away(stream: TcpStream) {
    if let Ok(stream) = stream.into_std() {
        let _ = io::Write::write(&mut &stream, FULL);
    }
}

fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionRefused | Kind::ConnectionAborted | Kind::ConnectionReset)
}
