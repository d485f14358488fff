//! The tape of one pull: first what a killed run had already fetched, then the network; every answer is remembered for
//! the resume spool and for the commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{Exchange, RequestKey, Tape, pack};

use super::slot::Slot;

/// An answer with the request that it belongs to.
pub(crate) struct Answer {
    pub(crate) key: RequestKey,
    pub(crate) exchange: Arc<Exchange>,
    /// As the spool and the store keep it; made once.
    pub(crate) packed: Option<Vec<u8>>,
}

/// See the module.
pub(crate) struct PageTape {
    known: Mutex<HashMap<RequestKey, VecDeque<Answer>>>,
    heard: Mutex<Heard>,
    slot: Option<Arc<Mutex<Slot>>>,
}

#[derive(Default)]
struct Heard {
    answers: Vec<Answer>,
    fetched: u64,
    recalled: u64,
}

/// What a call read, and how much of it came from the network.
pub(crate) struct Reel {
    pub(crate) answers: Vec<Answer>,
    pub(crate) fetched: u64,
    pub(crate) recalled: u64,
}

impl PageTape {
    /// A tape that knows `known` already, in the order in which it was heard, and writes what is new to `slot`.
    pub(crate) fn new(known: Vec<Answer>, slot: Option<Arc<Mutex<Slot>>>) -> Self {
        let mut by_key: HashMap<_, VecDeque<_>> = HashMap::new();
        for answer in known {
            by_key.entry(answer.key).or_default().push_back(answer);
        }
        Self { known: Mutex::new(by_key), heard: Mutex::new(Heard::default()), slot }
    }

    /// Everything that the call read; the tape is empty after it.
    pub(crate) fn take(&self) -> Reel {
        let heard = std::mem::take(&mut *self.heard.lock());
        Reel { answers: heard.answers, fetched: heard.fetched, recalled: heard.recalled }
    }
}

impl Tape for PageTape {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        let answer = self.known.lock().get_mut(&key)?.pop_front()?;
        let exchange = Arc::clone(&answer.exchange);
        let mut heard = self.heard.lock();
        heard.recalled += 1;
        heard.answers.push(answer);
        Some(exchange)
    }

    fn record(&self, key: RequestKey, exchange: Arc<Exchange>) {
        let mut packed = None;
        // An error answer is the one thing that a resumed run wants to ask again.
        if let Some(slot) = self.slot.as_ref().filter(|_| exchange.response.status < 400) {
            let bytes = pack(&exchange);
            slot.lock().append(&key.0, &bytes);
            packed = Some(bytes);
        }
        let mut heard = self.heard.lock();
        heard.fetched += 1;
        heard.answers.push(Answer { key, exchange, packed });
    }
}
