//! One connection: what it is doing, since when, and until when it may.
//!
//! The phases follow the bytes: a connection waits for a request, reads its head, is busy until the answer and the
//! request's body are over, and waits again. A connection that makes the gateway wait is the first to be closed when
//! places get scarce.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version};
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::framing::Framing;
use crate::head_fault::HeadFault;

/// How long a connection may make the gateway wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a request's head, or from the connection's begin, to the head's end.
    pub(super) head: Duration,
    /// From an answer to the next request.
    pub(super) idle: Duration,
    /// For one piece of an answer to be taken.
    pub(super) write: Duration,
}

/// Why a connection was closed before its peer wanted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The head of a request took too long.
    Head,
    /// No further request came.
    Idle,
    /// The answer was not taken.
    Write,
    /// Its place was needed.
    Room,
}

impl Cut {
    /// The metric's label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Head => "head_timeout",
            Self::Idle => "idle_timeout",
            Self::Write => "write_timeout",
            Self::Room => "room",
        }
    }
}

/// What is known of one connection.
pub(super) struct Seat {
    state: Mutex<State>,
    removed: AtomicBool,
    waker: AtomicWaker,
}

struct State {
    phase: Phase,
    since: Instant,
    /// The peer has not taken what was written, since then.
    stalled: Option<Instant>,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For a request; `first`: none has come yet.
    Waiting {
        first: bool,
    },
    Head,
    Busy {
        /// The request's body is still to be read.
        body: bool,
        /// The answer is not over.
        answer: bool,
    },
}

impl Seat {
    pub(super) fn new() -> Self {
        let state = State {
            phase: Phase::Waiting { first: true },
            since: Instant::now(),
            stalled: None,
            framing: Framing::new(),
        };
        Self { state: Mutex::new(state), removed: AtomicBool::new(false), waker: AtomicWaker::new() }
    }

    /// Bytes came; those that no head may hold are spoilt.
    pub(super) fn received(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Waiting { .. }) {
            // The time of a first head counts from the connection's begin.
            if state.phase == (Phase::Waiting { first: false }) {
                state.since = Instant::now();
            }
            state.phase = Phase::Head;
        }
        state.framing.received(bytes);
    }

    /// A head was read.
    pub(super) fn began(&self, version: Version, headers: &HeaderMap, body: Option<u64>) -> Option<HeadFault> {
        let mut state = self.state.lock();
        state.phase = Phase::Busy { body: body != Some(0), answer: true };
        state.since = Instant::now();
        if !state.framing.began(body) {
            return Some(HeadFault::Misplaced);
        }
        (!has_its_host(version, headers)).then_some(HeadFault::Host)
    }

    /// The answer's head is ready: the connection ends behind it when what follows could not be told from this request.
    pub(super) fn answering(&self, headers: &mut HeaderMap, fault: Option<HeadFault>) {
        if fault.is_some() || !self.state.lock().framing.may_go_on() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// The request's body was read, or the rest of it is not wanted.
    pub(super) fn body_over(&self) {
        self.state.lock().over(|body, _| *body = false);
    }

    /// The answer was passed on to its last byte.
    pub(super) fn answer_over(&self) {
        self.state.lock().over(|_, answer| *answer = false);
    }

    /// The peer does not take what is written to it, or takes it again.
    pub(super) fn stalled(&self, stalled: bool) {
        self.state.lock().stalled = stalled.then(Instant::now);
    }

    /// When to close it, and why, unless something happens before.
    pub(super) fn deadline(&self, patience: &Patience) -> Option<(Instant, Cut)> {
        let state = self.state.lock();
        let phase = match state.phase {
            Phase::Waiting { first: false } => Some((state.since + patience.idle, Cut::Idle)),
            Phase::Waiting { first: true } | Phase::Head => Some((state.since + patience.head, Cut::Head)),
            Phase::Busy { .. } => None,
        };
        let stalled = state.stalled.map(|since| (since + patience.write, Cut::Write));
        phase.into_iter().chain(stalled).min_by_key(|(at, _)| *at)
    }

    /// Since when it makes the gateway wait; none while the gateway is at work for it.
    pub(super) fn makes_wait_since(&self) -> Option<Instant> {
        let state = self.state.lock();
        match state.phase {
            Phase::Busy { body: false, .. } => state.stalled,
            Phase::Busy { body: true, .. } | Phase::Waiting { .. } | Phase::Head => Some(state.since),
        }
    }

    /// Ends it as soon as its task comes to it.
    pub(super) fn remove(&self) {
        self.removed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Ready when it was removed.
    pub(super) fn poll_removed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.removed.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl State {
    /// One side of a request is over; when both are, the connection waits for the next.
    fn over(&mut self, end: impl FnOnce(&mut bool, &mut bool)) {
        let Phase::Busy { body, answer } = &mut self.phase else { return };
        end(body, answer);
        if !*body && !*answer {
            self.phase = Phase::Waiting { first: false };
            self.since = Instant::now();
            self.framing.answered();
        }
    }
}

/// Exactly one host that can be one. HTTP/1.0, which health checks of old balancers speak, may do without.
fn has_its_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host
            .to_str()
            .is_ok_and(|host| host.parse::<Authority>().is_ok_and(|at| !host.contains('@') && !at.host().is_empty())),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATIENCE: Patience =
        Patience { head: Duration::from_secs(10), idle: Duration::from_secs(60), write: Duration::from_secs(30) };

    fn headers(hosts: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        headers
    }

    fn left(seat: &Seat) -> Option<(u64, Cut)> {
        seat.deadline(&PATIENCE).map(|(at, cut)| ((at - Instant::now()).as_secs(), cut))
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_time() {
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let seat = Seat::new();
        assert_eq!(left(&seat), Some((10, Cut::Head)));
        pass(4).await;
        seat.received(&mut b"GET / HTTP".to_vec());
        assert_eq!(left(&seat), Some((6, Cut::Head)), "a first byte buys no more time");
        seat.received(&mut b"/1.1\r\nhost: a\r\n\r\n".to_vec());
        assert_eq!(seat.began(Version::HTTP_11, &headers(&["a"]), Some(0)), None);
        assert_eq!((left(&seat), seat.makes_wait_since()), (None, None), "it is the gateway's turn");
        seat.stalled(true);
        assert_eq!(left(&seat), Some((30, Cut::Write)));
        assert!(seat.makes_wait_since().is_some());
        seat.stalled(false);
        seat.answer_over();
        assert_eq!(left(&seat), Some((60, Cut::Idle)));
        pass(59).await;
        seat.received(&mut b"G".to_vec());
        assert_eq!(left(&seat), Some((10, Cut::Head)), "a further head has its own time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_awaited_makes_the_gateway_wait_and_an_answer_does_not() {
        let seat = Seat::new();
        seat.received(&mut b"POST / HTTP/1.1\r\nhost: a\r\n\r\n".to_vec());
        let begun = Instant::now();
        seat.began(Version::HTTP_11, &headers(&["a"]), Some(9));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(seat.makes_wait_since(), Some(begun), "a byte now and then does not help");
        seat.body_over();
        assert_eq!(seat.makes_wait_since(), None);
        seat.answer_over();
        assert!(seat.makes_wait_since().is_some());
    }

    #[test]
    fn a_request_names_one_host() {
        for (version, hosts, good) in [
            (Version::HTTP_11, &["a"][..], true),
            (Version::HTTP_11, &["hr.example.com:7300"], true),
            (Version::HTTP_11, &["[::1]:7300"], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &[""], false),
            (Version::HTTP_11, &["a", "a"], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &["user@a"], false),
            (Version::HTTP_11, &["a/b"], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["a", "b"], false),
        ] {
            assert_eq!(has_its_host(version, &headers(hosts)), good, "{version:?} {hosts:?}");
        }
    }
}
