//! Who may have a delivery proved next: a forged delivery costs its sender, and not the vendor whose name it bears.
//!
//! Until its connector has looked at it, it is not known whether a delivery is the vendor's. So a connection proves
//! only a few at a time, and the places go round by sender: those that were proved lately first, those that only fail
//! last and seldom. Only what is proved is counted against `webhooks_per_second`. No sender is ever shut out: a vendor
//! may share its address with a forger, and one whose key was wrong must be heard when it is right.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::turnstile::{Arrival, Turnstile};

/// Who sent a delivery, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The vendor, at the other end of a connection that this gateway opened.
    Held,
    /// The sender at this address.
    Address(IpAddr),
    /// The sender at the other end of this connection, where an address would say nothing.
    Socket(SocketAddr),
    /// Nothing is known.
    Unknown,
}

/// The sender fails and fails, and has had its tries for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnedAway;

/// Those deliveries of one connection that wait to be proved.
pub(crate) struct ProofQueue {
    state: Mutex<State>,
}

struct State {
    turnstile: Turnstile<Sender>,
    /// Those that wait, by their numbers.
    waiting: HashMap<u64, oneshot::Sender<()>>,
}

impl ProofQueue {
    pub(crate) fn new(places: usize) -> Self {
        let turnstile = Turnstile::new(places.max(1));
        Self { state: Mutex::new(State { turnstile, waiting: HashMap::new() }) }
    }

    /// Waits for this sender's turn. May be dropped at any time.
    pub(crate) async fn enter(&self, sender: Sender) -> Result<Turn<'_>, TurnedAway> {
        let Some(mut wait) = self.arrive(sender)? else { return Ok(Turn { queue: self, sender, proved: false }) };
        // Its other end is kept until it is called.
        let _ = (&mut wait.called).await;
        wait.over = true;
        Ok(Turn { queue: self, sender, proved: false })
    }

    /// None: it may enter at once.
    fn arrive(&self, sender: Sender) -> Result<Option<Wait<'_>>, TurnedAway> {
        let mut state = self.state.lock();
        match state.turnstile.arrive(sender, Instant::now()) {
            Arrival::Enter => Ok(None),
            Arrival::TurnedAway => Err(TurnedAway),
            Arrival::Wait(number) => {
                let (call, called) = oneshot::channel();
                state.waiting.insert(number, call);
                Ok(Some(Wait { queue: self, sender, number, called, over: false }))
            }
        }
    }

    /// A place is given back, and goes to the next.
    fn leave(&self, sender: Sender, proved: Option<bool>) {
        let mut state = self.state.lock();
        if let Some(number) = state.turnstile.leave(sender, proved, Instant::now())
            && let Some(call) = state.waiting.remove(&number)
        {
            // It listens: who goes away takes its number back first.
            let _ = call.send(());
        }
    }

    fn go_away(&self, sender: Sender, number: u64) {
        let mut state = self.state.lock();
        if state.waiting.remove(&number).is_some() {
            state.turnstile.go_away(sender, number);
        } else {
            // It was called a moment ago.
            drop(state);
            self.leave(sender, None);
        }
    }
}

struct Wait<'a> {
    queue: &'a ProofQueue,
    sender: Sender,
    number: u64,
    called: oneshot::Receiver<()>,
    over: bool,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.queue.go_away(self.sender, self.number);
        }
    }
}

/// A delivery that is being proved. Dropped without [`Turn::proved`] it counts as one that failed: also where the sender hung
/// up to hide that.
pub(crate) struct Turn<'a> {
    queue: &'a ProofQueue,
    sender: Sender,
    proved: bool,
}

impl Turn<'_> {
    /// It is the vendor's.
    pub(crate) fn proved(mut self) {
        self.proved = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // A failure says nothing of a vendor that we reached ourselves, and nothing where all senders are one.
        let told = self.proved || !matches!(self.sender, Sender::Held | Sender::Unknown);
        self.queue.leave(self.sender, told.then_some(self.proved));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn address(last: u8) -> Sender {
        Sender::Address(IpAddr::from([203, 0, 113, last]))
    }

    fn polled<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_place_goes_to_whoever_waits_and_comes_back_from_whoever_goes_away() {
        let queue = ProofQueue::new(1);
        let first = polled(pin!(queue.enter(address(1)))).unwrap().unwrap();
        let (mut second, mut third) = (Box::pin(queue.enter(address(2))), Box::pin(queue.enter(address(3))));
        assert!(polled(second.as_mut()).is_none() && polled(third.as_mut()).is_none());
        first.proved();
        // The second was called and goes away before it hears of it.
        drop(second);
        let turn = polled(third.as_mut()).unwrap().unwrap();
        let mut fourth = Box::pin(queue.enter(address(4)));
        assert!(polled(fourth.as_mut()).is_none());
        drop(fourth);
        turn.proved();
        assert!(polled(pin!(queue.enter(address(5)))).is_some(), "no place was lost");
        assert!(queue.state.lock().waiting.is_empty());
    }

    #[test]
    fn a_connection_that_is_held_is_never_turned_away() {
        let queue = ProofQueue::new(1);
        for sender in [Sender::Held, Sender::Unknown] {
            assert!((0..40).all(|_| polled(pin!(queue.enter(sender))).unwrap().is_ok()));
        }
    }

    #[test]
    fn who_hangs_up_has_failed() {
        let queue = ProofQueue::new(1);
        let mut turned_away = 0;
        for _ in 0..40 {
            match polled(pin!(queue.enter(address(9)))).unwrap() {
                Ok(turn) => drop(turn),
                Err(TurnedAway) => turned_away += 1,
            }
        }
        assert!(turned_away > 20, "{turned_away}");
        assert!(polled(pin!(queue.enter(address(1)))).unwrap().is_ok());
    }
}
