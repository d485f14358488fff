//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::seat::{Cut, Patience, Seat};
use super::seats::Occupied;
use super::wire::{Answer, Side, Watched, Wire};
use crate::state::ApiOptions;

/// Headers of a request that the library takes by itself.
const HEADERS_OF_THE_LIBRARY: usize = 100;

/// What serves a connection.
pub(super) struct Served {
    pub(super) router: Router,
    pub(super) options: Arc<ApiOptions>,
    pub(super) closing: CancellationToken,
}

impl Served {
    /// Until the peer closes, its time is over, its place is needed, or the server closes.
    pub(super) async fn run(self, stream: TcpStream, peer: SocketAddr, place: Occupied) {
        let seat = Arc::clone(&place.seat);
        let options = &self.options;
        let patience =
            Patience { head: options.head_timeout, idle: options.idle_timeout, write: options.write_timeout };
        let service = service_fn(|request| answer(self.router.clone(), peer, Arc::clone(&seat), request));
        let mut http = http1::Builder::new();
        // The library's own timer would count a connection's idle time as the time of a head: ours tells them apart.
        http.timer(TokioTimer::new()).header_read_timeout(None);
        http.max_header_size(options.head_bytes_max);
        // Said only where it differs: the library keeps its own number of headers on the stack.
        if options.headers_max != HEADERS_OF_THE_LIBRARY {
            http.max_headers(options.headers_max);
        }
        let wire = TokioIo::new(Wire::new(stream, Arc::clone(&seat)));
        let mut connection = pin!(http.serve_connection(wire, service));
        let mut closing = pin!(self.closing.cancelled());
        let mut ends = false;
        let mut timer = pin!(sleep_until(Instant::now() + patience.head));
        let cut = poll_fn(|cx| {
            if !ends && closing.as_mut().poll(cx).is_ready() {
                ends = true;
                connection.as_mut().graceful_shutdown();
            }
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            if seat.poll_removed(cx).is_ready() {
                return Poll::Ready(Some(Cut::Room));
            }
            // The phase changes only while the connection is polled, so the deadline that is found here stands.
            while let Some((at, why)) = seat.deadline(&patience) {
                if at < timer.deadline() || timer.is_elapsed() {
                    timer.as_mut().reset(at);
                }
                if timer.as_mut().poll(cx).is_pending() {
                    break;
                }
                if timer.deadline() >= at {
                    return Poll::Ready(Some(why));
                }
            }
            Poll::Pending
        });
        if let Some(why) = cut.await {
            metrics::counter!("renmen_api_connections_cut_total", "cause" => why.label()).increment(1);
        }
    }
}

/// One request and its answer.
async fn answer(
    router: Router,
    peer: SocketAddr,
    seat: Arc<Seat>,
    request: Request<Incoming>,
) -> Result<axum::http::Response<Answer>, Infallible> {
    let fault = seat.began(request.version(), request.headers(), request.body().size_hint().exact());
    let mut request = request.map(|body| Body::new(Watched::new(body, Side::Request, Arc::clone(&seat))));
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(fault) = fault {
        request.extensions_mut().insert(fault);
    }
    let mut response = router.oneshot(request).await?;
    seat.answering(response.headers_mut(), fault);
    Ok(response.map(|body| Watched::new(body, Side::Answer, seat)))
}
