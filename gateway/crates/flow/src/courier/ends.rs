//! The ends of attempts on their way into the store. What ends within a short time is written in one transaction; while one is under
//! way, what ends meanwhile gathers for the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_store::outbox::Settle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::FlowEngine;

/// How long to wait for a store that is away.
pub(super) const STORE_WAIT: Duration = Duration::from_secs(1);
/// How often one that is away is tried.
const TRIES_MAX: u32 = 60;
/// Ends written in one transaction at most, and ends that wait for the next.
const ENDS_MAX: usize = 256;
/// How long an end waits for others while attempts are under way.
const COMPANY: Duration = Duration::from_millis(3);

/// An end to write down.
pub(super) struct End {
    pub(super) settle: Settle,
    /// A repeat of it could not be recognised: no other attempt takes its place until it is durable.
    pub(super) holds_place: bool,
}

/// What became of ends that were written.
pub(super) struct Written {
    ends: Vec<End>,
    /// In the same order: false where the claim was another's; none where the store stayed away.
    taken: Option<Vec<bool>>,
}

/// The ends of one courier, and which claims it holds.
#[derive(Default)]
pub(super) struct Ends {
    waiting: Vec<End>,
    /// Since when the first of them waits.
    since: Option<Instant>,
    writing: JoinSet<Written>,
    began: Option<Instant>,
    /// Of the ends that are being written: how many hold their place, and whose they are.
    writing_hold: usize,
    writing_of: Vec<i64>,
    /// The newest token of each delivery that was claimed and whose end is not durable.
    tokens: HashMap<i64, i64>,
}

impl Ends {
    /// A delivery was claimed. False: it is held already, by a claim whose lease seemed over because a clock leapt. It goes on as it is,
    /// under the newer claim.
    pub(super) fn hold(&mut self, delivery: i64, token: i64) -> bool {
        self.tokens.insert(delivery, token).is_none()
    }

    /// A delivery is left to the end of its lease.
    pub(super) fn let_go(&mut self, delivery: i64) {
        self.tokens.remove(&delivery);
    }

    pub(super) fn add(&mut self, end: End) {
        self.since.get_or_insert_with(Instant::now);
        self.waiting.push(end);
    }

    /// Attempts that ended and keep their place.
    pub(super) fn places(&self) -> usize {
        self.writing_hold + self.waiting.iter().filter(|end| end.holds_place).count()
    }

    /// May more attempts begin? Not while a store that is away leaves too much unwritten: all of it would be sent again.
    pub(super) fn have_room(&self) -> bool {
        self.waiting.len() < ENDS_MAX && self.began.is_none_or(|began| began.elapsed() < STORE_WAIT)
    }

    /// Until when the ends that wait should wait for others; none: they need not, or there are none, or they cannot be written yet.
    pub(super) fn company(&self, others: bool) -> Option<Instant> {
        let since = self.since.filter(|_| self.writing.is_empty())?;
        (others && self.waiting.len() < ENDS_MAX).then(|| since + COMPANY)
    }

    /// Begins to write what waits, if it is time. `others`: attempts are under way that may end soon.
    pub(super) fn write(&mut self, engine: &Arc<FlowEngine>, connection: &ConnectionName, others: bool) {
        let is_time = self.company(others).is_none_or(|until| until <= Instant::now());
        if self.waiting.is_empty() || !self.writing.is_empty() || !is_time {
            return;
        }
        let mut ends: Vec<End> = self.waiting.drain(..self.waiting.len().min(ENDS_MAX)).collect();
        self.since = (!self.waiting.is_empty()).then(Instant::now);
        self.writing_hold = ends.iter().filter(|end| end.holds_place).count();
        self.writing_of = ends.iter().map(|end| end.settle.delivery).collect();
        self.began = Some(Instant::now());
        for end in &mut ends {
            end.settle.token = self.tokens.get(&end.settle.delivery).copied().unwrap_or(end.settle.token);
        }
        let (engine, connection) = (Arc::clone(engine), connection.clone());
        self.writing.spawn(async move { written(&engine, &connection, ends).await });
    }

    pub(super) fn are_written(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_empty()
    }

    pub(super) fn is_writing(&self) -> bool {
        !self.writing.is_empty()
    }

    /// The next that was written. Safe to drop while it waits.
    pub(super) async fn next_written(&mut self) -> Option<Written> {
        self.writing.join_next().await?.ok()
    }

    /// Takes note of what was written: what a newer claim of this courier's stands for is written again with its token.
    pub(super) fn settled(&mut self, written: Option<Written>, connection: &ConnectionName) {
        (self.began, self.writing_hold) = (None, 0);
        let of = std::mem::take(&mut self.writing_of);
        let Some(Written { ends, taken }) = written else {
            // It broke: they are left to the ends of their leases.
            of.into_iter().for_each(|delivery| self.let_go(delivery));
            return;
        };
        let mut late = 0;
        for (at, end) in ends.into_iter().enumerate() {
            let (delivery, token) = (end.settle.delivery, end.settle.token);
            let was_taken = taken.as_ref().is_none_or(|taken| taken.get(at) == Some(&true));
            if !was_taken && self.tokens.get(&delivery).is_some_and(|newest| *newest != token) {
                self.add(end);
                continue;
            }
            self.tokens.remove(&delivery);
            late += usize::from(!was_taken);
        }
        if late > 0 {
            tracing::warn!(%connection, late, "Attempts finished after their lease expired");
        }
    }
}

/// A store that is away is tried again: what was sent must be known to be sent, or it is sent twice.
async fn written(engine: &FlowEngine, connection: &ConnectionName, ends: Vec<End>) -> Written {
    let settles: Vec<Settle> = ends.iter().map(|end| end.settle.clone()).collect();
    for _ in 0..TRIES_MAX {
        match engine.store.settle(settles.clone()).await {
            Ok(taken) => {
                if settles.iter().any(|end| end.notice.is_some()) {
                    engine.wake_couriers();
                }
                return Written { ends, taken: Some(taken) };
            }
            Err(error) => {
                tracing::warn!(%connection, %error, "Failed to record the results of deliveries");
                tokio::time::sleep(STORE_WAIT).await;
            }
        }
    }
    Written { ends, taken: None }
}
