//! The limits and the memory of writes: each is given up after a while, and the last ones tell how the server's disk is.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::call;
use crate::{StoreError, StoreOptions, Trouble};

/// What the writers of one store share.
#[derive(Clone)]
pub(super) struct Writes {
    timeout: Duration,
    /// What the last errors told of the server's disk.
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Writes {
    pub(super) fn new(options: &StoreOptions) -> Self {
        Self { timeout: Duration::from_millis(options.statement_timeout_ms), trouble: Arc::default() }
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        *self.trouble.lock()
    }

    /// Gives a write up after `store.statement_timeout`; its transaction is then rolled back.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let late = || {
            let seconds = self.timeout.as_secs_f32();
            StoreError::Unavailable(format!("a write took longer than {seconds} s: see `store.statement_timeout`"))
        };
        let result = call::in_call(self.timeout, late, work).await;
        let mut trouble = self.trouble.lock();
        match &result {
            // A write that needs no room succeeds on a full disk too: only readiness, which asks for room, finds that there is some again.
            Ok(_) if *trouble == Some(Trouble::DiskFull) => {}
            Ok(_) => *trouble = None,
            Err(error) => *trouble = Trouble::of(error).or(*trouble),
        }
        drop(trouble);
        result
    }

    /// What readiness found.
    pub(super) fn proved(&self, ready: &Result<(), StoreError>) {
        let mut trouble = self.trouble.lock();
        *trouble = match ready {
            Ok(()) => None,
            Err(error) => Trouble::of(error).or(*trouble),
        };
    }
}
