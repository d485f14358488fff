//! An answer that is fetched before its request is sent. Owns: that there is at most one at a time, that only the request for which it
//! was fetched gets it, and what became of each. What it must not know: what a request may do and how it is sent (`send`), and what is
//! recorded.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::memory::CallMemory;
use crate::{EgressError, Exchange, RequestKey};

/// What one run has fetched ahead, kept from one call of its connector to the next. Dropped, it gives up what is under way.
#[derive(Default)]
pub struct Prefetcher(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of the call under way.
    call: u64,
    ahead: Option<Prefetch>,
    figures: PrefetchFigures,
}

/// What became of the requests that a connector named ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrefetchFigures {
    /// Sent ahead, and then asked for.
    pub used: u64,
    /// Sent ahead, and not asked for until the end of the next call.
    pub unused: u64,
    /// Not sent: another one was under way.
    pub ignored: u64,
    /// Not sent: the connection's grant does not allow it, or it cannot be sent ahead.
    pub refused: u64,
}

/// An answer with the memory that is reserved for it.
pub(crate) struct Prefetched {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) memory: Arc<CallMemory>,
}

/// One request under way, or its answer. Dropped, it is given up.
pub(crate) struct Prefetch {
    key: RequestKey,
    named_in: u64,
    task: JoinHandle<Result<Prefetched, EgressError>>,
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prefetch {
    /// The answer, waited for. None where it was given up.
    pub(crate) async fn answer(mut self) -> Option<Result<Prefetched, EgressError>> {
        (&mut self.task).await.ok()
    }
}

impl Prefetcher {
    /// Another call of the connector begins. What was named before the call that is now over, and was not asked for by it, is given up.
    pub fn next_call(&self) {
        let mut state = self.0.lock();
        state.call += 1;
        let call = state.call;
        if state.ahead.as_ref().is_some_and(|ahead| ahead.named_in + 1 < call) {
            state.give_up();
        }
    }

    /// The run is over; what became of everything.
    pub fn end(&self) -> PrefetchFigures {
        let mut state = self.0.lock();
        state.give_up();
        state.figures
    }

    /// What became of those before the one under way.
    #[must_use]
    pub fn figures(&self) -> PrefetchFigures {
        self.0.lock().figures
    }

    /// Begins to fetch, unless another answer is under way or waits to be asked for.
    pub(crate) fn begin(
        &self,
        key: RequestKey,
        fetch: impl Future<Output = Result<Prefetched, EgressError>> + Send + 'static,
    ) {
        let mut state = self.0.lock();
        match Handle::try_current().ok().filter(|_| state.ahead.is_none()) {
            None => state.figures.ignored += 1,
            Some(reactor) => {
                let named_in = state.call;
                state.ahead = Some(Prefetch { key, named_in, task: reactor.spawn(fetch) });
            }
        }
    }

    pub(crate) fn refuse(&self) {
        self.0.lock().figures.refused += 1;
    }

    /// The answer for this request, if that is what was fetched ahead.
    pub(crate) fn claim(&self, key: RequestKey) -> Option<Prefetch> {
        let mut state = self.0.lock();
        let claimed = state.ahead.take_if(|ahead| ahead.key == key)?;
        state.figures.used += 1;
        Some(claimed)
    }
}

impl State {
    fn give_up(&mut self) {
        if self.ahead.take().is_some() {
            self.figures.unused += 1;
        }
    }
}

impl std::fmt::Debug for Prefetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.figures().fmt(f)
    }
}
