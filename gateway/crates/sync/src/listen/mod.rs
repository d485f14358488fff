//! Events over a connection that the gateway opens itself: the loop that keeps one open, gives each event to the intake like
//! any delivery, and answers once it is durable. What is said on the connection is egress's business; what an event means
//! is the connector's.

mod door;
mod intake;
#[cfg(test)]
mod seat_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_clock::{Backoff, Clock, upper_half};
use renmen_egress::{EgressError, EventVerdict, SocketEvent};
use renmen_plugin_host::{Delivery, Door};
use renmen_seat::Seat;
use renmen_store::LeaseStore;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;
use crate::{ConnectionRuntime, Deliveries};
pub(crate) use door::Way;
pub use door::{EventDoor, EventSource};

/// What the connector is told as method. No HTTP request can have it: the intake over HTTP takes `GET` and `POST` alone.
pub(crate) const METHOD: &str = "STREAM";

/// The first wait after a connection that broke; it doubles with each that breaks soon again.
const WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The wait where only a person can help: a secret, a grant, a setting at the vendor's.
const ATTENTION: Duration = Duration::from_secs(300);
/// Wait before a gateway that has the seat opens a connection again that ended by itself, and how often one that has it not looks.
const SEAT_LOOK: Duration = Duration::from_millis(500);
/// When a connection that held for this long ends, it is not a sign of trouble.
const HELD: Duration = Duration::from_secs(30);

/// Where events are taken in.
#[async_trait]
pub(crate) trait Taker: Send + Sync {
    /// Takes one in; answers when it is durable, with what the connector says to the vendor.
    async fn take(&self, delivery: Delivery) -> (EventVerdict, Vec<u8>);
}

/// Keeps one connection open.
pub(crate) struct Listener<T> {
    /// For the log.
    pub(crate) name: String,
    pub(crate) taker: T,
    pub(crate) clock: Arc<dyn Clock>,
    /// Changes when the connection's code was replaced: what stood in the way may be fixed.
    pub(crate) reloads: watch::Receiver<u64>,
}

/// The same where several gateways share the store: the one that has the seat for it holds it, and another goes on where that one ends.
pub(crate) async fn hold_in_turn(
    shared: Arc<Shared>,
    deliveries: Deliveries,
    connection: Arc<ConnectionRuntime>,
    cancel: CancellationToken,
) {
    if !shared.store.is_shared() {
        return hold_open(&shared, &deliveries, &connection, cancel).await;
    }
    let work = format!("events/{}", connection.name());
    let seat = Seat::of(
        Arc::clone(&shared.store) as Arc<dyn LeaseStore>,
        Arc::clone(&shared.options.clock),
        (connection.tenant().clone(), work),
        shared.options.gateway.clone(),
        shared.options.lease,
    );
    let work = |own| hold_open(&shared, &deliveries, &connection, own);
    tokio::join!(seat.run(cancel.clone()), while_seated(&seat, work, &cancel));
    seat.leave().await;
}

/// Works while the seat is this gateway's, until `cancel`. The work is asked to end one beat before another may begin, and cut at the end of
/// that beat: an event that was being taken in then is sent again, and known.
async fn while_seated<F: Future<Output = ()>>(
    seat: &Seat,
    work: impl Fn(CancellationToken) -> F,
    cancel: &CancellationToken,
) {
    while !cancel.is_cancelled() {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = seat.wait(SEAT_LOOK) => {}
        }
        if cancel.is_cancelled() {
            return;
        }
        if !seat.holds_on() {
            // It holds for the last beat alone: another sign of life decides.
            tokio::time::sleep(seat.last_beat().min(SEAT_LOOK)).await;
            continue;
        }
        let own = cancel.child_token();
        let mut open = std::pin::pin!(work(own.clone()));
        tokio::select! {
            biased;
            () = seat.ends() => {
                own.cancel();
                let _ = tokio::time::timeout(seat.last_beat(), open).await;
            }
            // A plugin without events, or the end of everything: neither changes at once.
            () = &mut open => tokio::time::sleep(SEAT_LOOK).await,
        }
    }
}

/// Holds a connection's event connection open until `cancel`.
pub(crate) fn hold_open(
    shared: &Shared,
    deliveries: &Deliveries,
    connection: &Arc<ConnectionRuntime>,
    cancel: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let listener = Listener {
        name: connection.name().to_string(),
        taker: intake::HeldIntake { deliveries: deliveries.clone(), connection: Arc::clone(connection) },
        clock: Arc::clone(&shared.options.clock),
        reloads: connection.reloads(),
    };
    let connection = Arc::clone(connection);
    listener.go(move || connection.source().events(), cancel)
}

/// Why a connection is no longer attended to.
enum Ended {
    Stopped,
    /// The vendor wants another one.
    Goodbye,
    Broke(EgressError),
}

impl<T: Taker> Listener<T> {
    /// Opens connections one after the other until `cancel`. `door` is asked for each, so that a reload takes effect.
    pub(crate) async fn go(mut self, door: impl Fn() -> Option<Arc<dyn EventDoor>>, cancel: CancellationToken) {
        let mut failures = 0;
        loop {
            let Some(door) = door() else { return };
            let began = Instant::now();
            let ended = tokio::select! {
                () = cancel.cancelled() => return,
                opened = door.open() => match opened {
                    Ok(source) => self.attend(source, &cancel).await,
                    Err(error) => Ended::Broke(error),
                },
            };
            if began.elapsed() >= HELD {
                failures = 0;
            }
            let wait = match ended {
                Ended::Stopped => return,
                Ended::Goodbye => backoff(failures),
                Ended::Broke(error) => {
                    tracing::warn!(connection = %self.name, %error, failures, "Event connection ended");
                    if needs_attention(&error) { ATTENTION } else { backoff(failures) }
                }
            };
            failures += 1;
            tokio::select! {
                () = cancel.cancelled() => return,
                Ok(()) = self.reloads.changed() => failures = 0,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn attend(&self, mut source: Box<dyn EventSource>, cancel: &CancellationToken) -> Ended {
        tracing::info!(connection = %self.name, "Event connection is open");
        loop {
            let event = tokio::select! {
                () = cancel.cancelled() => {
                    source.close().await;
                    return Ended::Stopped;
                }
                next = source.next() => match next {
                    Ok(Some(event)) => event,
                    Ok(None) => return Ended::Goodbye,
                    Err(error) => return Ended::Broke(error),
                },
            };
            // One at a time, in their order; not cut short by `cancel`, because it may be durable already.
            let (verdict, answer) = self.taker.take(self.delivery(&event)).await;
            if let Err(error) = source.answer(&event, verdict, &answer).await {
                return Ended::Broke(error);
            }
        }
    }

    fn delivery(&self, event: &SocketEvent) -> Delivery {
        Delivery {
            method: METHOD.to_owned(),
            path_and_query: String::new(),
            headers: event.headers.clone(),
            body: event.body.clone(),
            received_at_ms: self.clock.now_ms(),
            // Nothing signs its time: the connection is the proof.
            window: Duration::MAX,
            door: Door::Held,
        }
    }
}

/// Every other attempt would end the same way until a person does something about it.
fn needs_attention(error: &EgressError) -> bool {
    matches!(error, EgressError::Auth(_) | EgressError::NotGranted(_) | EgressError::BadRequest(_))
}

/// Spread, so that many gateways do not come back at once.
fn backoff(failures: u32) -> Duration {
    let whole = Backoff { first: WAIT, longest: WAIT_MAX }.wait(failures.saturating_add(1));
    upper_half(whole, rand::random())
}
