//! Work that one of the gateways on one database does at a time: which one has the seat for it.
//!
//! Owns who has a seat and when it changes hands. Must not know what the work is: who does it asks [`Seat::holds`].
//!
//! The one that has it shows a sign of life again and again; another that saw none for the whole of `takeover_after`, by its own
//! steady clock, goes on in its place. No clock of the day is asked, so none that steps makes two of them. A gateway that could not
//! show its sign stops in time by itself. One that was asleep and does not know yet that it lost its seat is stopped by the fence of
//! every commit, as before.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use renmen_store::{LeaseRow, LeaseStore, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use renmen_clock::Clock;

/// Signs of life in the time after which another goes on.
const BEATS: u32 = 4;

/// A gateway's share in a piece of work on one tenant.
pub struct Seat {
    store: Arc<dyn LeaseStore>,
    clock: Arc<dyn Clock>,
    tenant: TenantId,
    /// Of the lease in the store.
    work: String,
    gateway: String,
    takeover_after: Duration,
    state: Mutex<State>,
    taken: Notify,
    lost: Notify,
}

#[derive(Default)]
struct State {
    /// The lease as it was read last, and when its beat was seen first.
    seen: Option<(LeaseRow, Duration)>,
    /// Until when this gateway may work.
    until: Option<Duration>,
}

/// Who does a piece of work, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatHolder {
    /// The gateway; none: no gateway does at the moment.
    pub gateway: Option<String>,
    /// Is it this one?
    pub here: bool,
    /// Since when, by its clock.
    pub since_ms: i64,
}

impl Seat {
    pub fn of(
        store: Arc<dyn LeaseStore>,
        clock: Arc<dyn Clock>,
        (tenant, work): (TenantId, String),
        gateway: String,
        takeover_after: Duration,
    ) -> Self {
        let (state, taken, lost) = (Mutex::default(), Notify::new(), Notify::new());
        Self { store, clock, tenant, work, gateway, takeover_after, state, taken, lost }
    }

    /// Keeps it, or watches who does, until cancelled; then gives it up, so that another need not wait.
    pub async fn run(&self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, tenant = %self.tenant, work = self.work, "Failed to read which gateway does a piece of work");
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(self.takeover_after / BEATS) => {}
            }
        }
    }

    /// Gives it up.
    pub async fn leave(&self) {
        let seen = {
            let mut state = self.state.lock();
            state.until = None;
            state.seen.take()
        };
        let Some((lease, _)) = seen.filter(|(lease, _)| self.is_own(lease)) else { return };
        if let Err(error) = self.store.beat(&self.tenant, &self.work, None, lease.beat, self.clock.now_ms()).await {
            tracing::debug!(%error, work = self.work, "Failed to release a piece of work; another gateway takes over a little later");
        }
    }

    /// May this gateway work now?
    pub fn holds(&self) -> bool {
        self.state.lock().until.is_some_and(|until| self.clock.elapsed() < until)
    }

    /// The last part of its time: what takes a while to end must begin to by then.
    pub fn last_beat(&self) -> Duration {
        self.takeover_after / BEATS
    }

    /// The same, with time left to end what takes a while to.
    pub fn holds_on(&self) -> bool {
        !self.left().is_zero()
    }

    /// Waits until it is lost, or will be one beat from now for want of a sign of life.
    pub async fn ends(&self) {
        loop {
            let mut lost = std::pin::pin!(self.lost.notified());
            // From here on nothing is missed.
            lost.as_mut().enable();
            let left = self.left();
            if left.is_zero() {
                return;
            }
            let _ = tokio::time::timeout(left, lost).await;
        }
    }

    /// Until the last beat begins.
    fn left(&self) -> Duration {
        let until = self.state.lock().until.unwrap_or_default();
        until.saturating_sub(self.clock.elapsed().saturating_add(self.last_beat()))
    }

    /// Waits until it may, or for a while.
    pub async fn wait(&self, most: Duration) {
        let mut taken = std::pin::pin!(self.taken.notified());
        // From here on nothing is missed.
        taken.as_mut().enable();
        if !self.holds() {
            let _ = tokio::time::timeout(most, taken).await;
        }
    }

    pub fn shown(&self) -> Option<SeatHolder> {
        let seen = self.state.lock().seen.as_ref().map(|(lease, _)| lease.clone())?;
        Some(SeatHolder { here: self.holds(), gateway: seen.holder, since_ms: seen.since_ms })
    }

    /// Shows a sign of life, takes the place of one that shows none, or looks whether it does.
    pub async fn look(&self) -> Result<(), StoreError> {
        let asked = self.clock.elapsed();
        let found = self.store.lease(&self.tenant, &self.work).await?;
        let seen = found.as_ref().map_or(0, |lease| lease.beat);
        if !self.may_take(found.clone(), asked) {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        let Some(beat) = self.store.beat(&self.tenant, &self.work, Some(&self.gateway), seen, now_ms).await? else {
            // Another was first: the next look sees it.
            self.lose();
            return Ok(());
        };
        let since_ms = found.filter(|lease| self.is_own(lease)).map_or(now_ms, |lease| lease.since_ms);
        let lease = LeaseRow { holder: Some(self.gateway.clone()), beat, since_ms };
        let before = {
            let mut state = self.state.lock();
            state.seen = Some((lease, asked));
            // Counted from before the sign was shown: another counts from after it.
            state.until.replace(asked + self.takeover_after)
        };
        if before.is_none() {
            tracing::info!(tenant = %self.tenant, work = self.work, "This gateway does this work from now on");
            self.taken.notify_waiters();
        }
        Ok(())
    }

    /// Is the lease free, this gateway's own, or of one that showed no sign of life for long enough?
    fn may_take(&self, found: Option<LeaseRow>, asked: Duration) -> bool {
        let Some(lease) = found else { return true };
        if lease.holder.is_none() || self.is_own(&lease) {
            return true;
        }
        self.lose();
        let mut state = self.state.lock();
        match &state.seen {
            Some((known, first)) if *known == lease => asked.saturating_sub(*first) >= self.takeover_after,
            _ => {
                // Counted from after it was read, which is after the sign was shown.
                state.seen = Some((lease, self.clock.elapsed()));
                false
            }
        }
    }

    fn lose(&self) {
        self.state.lock().until = None;
        self.lost.notify_waiters();
    }

    fn is_own(&self, lease: &LeaseRow) -> bool {
        lease.holder.as_deref() == Some(&self.gateway)
    }
}

/// When a part of the work ends.
pub struct Leave {
    cancel: CancellationToken,
    seat: Option<Arc<Seat>>,
}

impl Leave {
    /// When it is cancelled, or the seat is lost.
    pub fn of(cancel: CancellationToken, seat: Arc<Seat>) -> Self {
        Self { cancel, seat: Some(seat) }
    }

    /// Never leaves: the work is done to its end, even while another gateway works on the same.
    pub fn never() -> Self {
        Self { cancel: CancellationToken::new(), seat: None }
    }

    /// Is it time?
    pub fn is_due(&self) -> bool {
        self.cancel.is_cancelled() || self.seat.as_ref().is_some_and(|seat| !seat.holds())
    }
}
