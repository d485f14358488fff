//! One request on the account of its month.

use std::future::Future;
use std::sync::Arc;

use super::Budget;
use crate::wire::Fault;

/// Counted in advance. It is given back when the request does not leave.
#[must_use]
pub(crate) struct Charge(Option<Entry>);

struct Entry {
    budget: Arc<Budget>,
    month: String,
    may_have_left: bool,
}

impl Charge {
    /// Of a request that does not count.
    pub(crate) fn free() -> Self {
        Self(None)
    }

    pub(super) fn of(budget: Arc<Budget>, month: String) -> Self {
        Self(Some(Entry { budget, month, may_have_left: false }))
    }

    /// Sends. Where that is cut off in its middle, the request may have left and counts.
    pub(crate) async fn over<T>(mut self, sending: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.mark(true);
        let outcome = sending.await;
        self.mark(!matches!(outcome, Err(Fault::NotSent(_))));
        outcome
    }

    pub(super) fn mark(&mut self, may_have_left: bool) {
        if let Some(entry) = &mut self.0 {
            entry.may_have_left = may_have_left;
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take().filter(|entry| !entry.may_have_left) {
            entry.budget.give_back(&entry.month);
        }
    }
}
