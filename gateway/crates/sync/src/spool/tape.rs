//! The tape of one pull: first what a killed run had already fetched, then the network; every answer is remembered for
//! the resume spool and for the commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{Exchange, Held, Prefetcher, RequestKey, Tape, pack};
use renmen_turns::{Account, Class, work_waiting};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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
    aside: Option<Aside>,
    /// For what is known.
    _held: Option<Held>,
    prefetcher: Option<Arc<Prefetcher>>,
}

/// Where answers are written while the call goes on, and the account that the time is charged to.
pub(crate) struct Aside {
    pub(crate) slot: Arc<Mutex<Slot>>,
    pub(crate) account: Arc<Account>,
}

#[derive(Default)]
struct Heard {
    answers: Vec<Heading>,
    fetched: u64,
    recalled: u64,
    /// Told when the answer before has been written to the slot.
    before: Option<oneshot::Receiver<()>>,
}

/// An answer on its way: the connector already has it, while it is still being packed in parallel with the call.
struct Heading {
    answer: Answer,
    packing: Option<JoinHandle<Vec<u8>>>,
}

/// What a call read, and how much of it came from the network.
#[derive(Default)]
pub(crate) struct Reel {
    pub(crate) answers: Vec<Answer>,
    pub(crate) fetched: u64,
    pub(crate) recalled: u64,
}

impl PageTape {
    /// A tape that knows `known` already, in the order in which it was heard, and writes what is new aside.
    pub(crate) fn new(known: Vec<Answer>, aside: Option<Aside>) -> Self {
        let mut by_key: HashMap<_, VecDeque<_>> = HashMap::new();
        for answer in known {
            by_key.entry(answer.key).or_default().push_back(answer);
        }
        Self { known: Mutex::new(by_key), heard: Mutex::new(Heard::default()), aside, _held: None, prefetcher: None }
    }

    /// The same with what is fetched before it is asked for.
    pub(crate) fn fetching_ahead(self, prefetcher: Option<Arc<Prefetcher>>) -> Self {
        Self { prefetcher, ..self }
    }

    /// The same with the memory that is reserved for what it knows.
    pub(crate) fn holding(self, held: Option<Held>) -> Self {
        Self { _held: held, ..self }
    }

    /// Everything that the call read, in the slot as well; the tape is empty after it.
    pub(crate) async fn take(&self) -> Reel {
        let heard = std::mem::take(&mut *self.heard.lock());
        let mut answers = Vec::with_capacity(heard.answers.len());
        for Heading { mut answer, packing } in heard.answers {
            if let Some(packing) = packing {
                // What could not be packed here is packed again with its page, and says why there.
                answer.packed = packing.await.ok();
            }
            answers.push(answer);
        }
        Reel { answers, fetched: heard.fetched, recalled: heard.recalled }
    }

    /// Packs an answer and writes it to the slot behind the one before it, without holding up the connector.
    fn pack_aside(
        aside: &Aside,
        key: RequestKey,
        exchange: &Arc<Exchange>,
        before: Option<oneshot::Receiver<()>>,
        written: oneshot::Sender<()>,
    ) -> JoinHandle<Vec<u8>> {
        let (slot, account, exchange) = (Arc::clone(&aside.slot), Arc::clone(&aside.account), Arc::clone(exchange));
        // A thread that waits costs nothing, and the reactor's end waits for it: what was heard is in the slot then.
        tokio::task::spawn_blocking(move || {
            let packed = work_waiting(&account, Class::Bulk, move || pack(&exchange));
            if let Some(before) = before {
                let _gone_or_written = before.blocking_recv();
            }
            slot.lock().append(&key.0, &packed);
            let _nobody_waits = written.send(());
            packed
        })
    }
}

impl Tape for PageTape {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        let answer = self.known.lock().get_mut(&key)?.pop_front()?;
        let exchange = Arc::clone(&answer.exchange);
        let mut heard = self.heard.lock();
        heard.recalled += 1;
        heard.answers.push(Heading { answer, packing: None });
        Some(exchange)
    }

    fn record(&self, key: RequestKey, exchange: Arc<Exchange>) {
        let mut heard = self.heard.lock();
        heard.fetched += 1;
        // An error answer is the one thing that a resumed run wants to ask again.
        let packing = self.aside.as_ref().filter(|_| exchange.response.status < 400).map(|aside| {
            let (written, next) = oneshot::channel();
            let before = heard.before.replace(next);
            Self::pack_aside(aside, key, &exchange, before, written)
        });
        heard.answers.push(Heading { answer: Answer { key, exchange, packed: None }, packing });
    }

    fn prefetcher(&self) -> Option<&Prefetcher> {
        self.prefetcher.as_deref()
    }
}
