//! The two tapes of the kit: one that keeps what went over the network, and one that plays a fixture and sends nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use renmen_egress::{Exchange, Request, RequestKey, Tape};
use renmen_schema::id::SlotName;

/// Keeps every exchange in the order in which the answers came.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Arc<Exchange>>>);

impl Recorder {
    pub(crate) fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tape for Recorder {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }

    fn record(&self, _key: RequestKey, exchange: Arc<Exchange>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
}

/// Plays exchanges back; the n-th equal request gets the n-th answer, the last one again and again.
pub(crate) struct Played {
    answers: Mutex<HashMap<RequestKey, Vec<Arc<Exchange>>>>,
}

impl Played {
    /// An exchange does not say which slot its request named: it is found under each that there is.
    pub(crate) fn new<'a>(exchanges: &[Arc<Exchange>], slots: impl Iterator<Item = &'a SlotName>) -> Self {
        let slots: Vec<Option<SlotName>> = std::iter::once(None).chain(slots.cloned().map(Some)).collect();
        let mut answers: HashMap<RequestKey, Vec<Arc<Exchange>>> = HashMap::new();
        // From the last to the first, so that answers are taken off the end.
        for exchange in exchanges.iter().rev() {
            for slot in &slots {
                let key = Exchange::key_of(&Request {
                    method: exchange.method.clone(),
                    url: exchange.url.clone(),
                    headers: exchange.request_headers.clone(),
                    body: exchange.request_body.clone(),
                    slot: slot.clone(),
                });
                answers.entry(key).or_default().push(exchange.clone());
            }
        }
        Self { answers: Mutex::new(answers) }
    }
}

impl Tape for Played {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let left = answers.get_mut(&key)?;
        if left.len() > 1 { left.pop() } else { left.last().cloned() }
    }

    fn record(&self, _key: RequestKey, _exchange: Arc<Exchange>) {}

    fn sealed(&self) -> bool {
        true
    }
}
