//! What remembers the exchanges of a call. Who keeps them, and for how long, is for the callers to say.

use std::sync::Arc;

use crate::exchange::{Exchange, Request, RequestKey};
use crate::prefetch::Prefetcher;

/// What remembers exchanges during one call: the same mechanism resumes a killed run without asking the vendor again,
/// replays an old one without the network, and keeps a new one for lineage.
pub trait Tape: Send + Sync {
    /// An answer already known for this request. The n-th equal request of a call gets the n-th such answer.
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>>;
    /// The same for a tape that knows a request by less than all of its parts.
    fn recall_for(&self, _request: &Request, key: RequestKey) -> Option<Arc<Exchange>> {
        self.recall(key)
    }
    /// Called once for each exchange that came from the network, before the connector sees it.
    fn record(&self, key: RequestKey, exchange: Arc<Exchange>);
    /// True: what cannot be recalled fails; nothing is sent.
    fn sealed(&self) -> bool {
        false
    }
    /// What is fetched before it is asked for; none where that could not be asked for later: nothing is fetched ahead then.
    fn prefetcher(&self) -> Option<&Prefetcher> {
        None
    }
}

/// A tape that forgets: for probes.
#[derive(Debug, Default)]
pub struct NoTape;

impl Tape for NoTape {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }
    fn record(&self, _key: RequestKey, _exchange: Arc<Exchange>) {}
}
