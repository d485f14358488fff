//! Places that several gateways have together: each asks for its part, keeps it for as long as it sends, and asks again and again. A
//! gateway that is gone does not ask again, and the others have its places when its last answer is over.
//!
//! What holds when answers are lost or late: this process never has more under way than the last answer that may have been given
//! allows. So nothing begins beyond what an ask says is under way, until its answer is there.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::EgressError;

/// Between two asks while more is wanted than there is.
const EAGER: Duration = Duration::from_millis(100);
/// Between two asks at least.
const APART: Duration = Duration::from_millis(20);
/// How long a connection that sends nothing keeps its places.
const IDLE: Duration = Duration::from_secs(2);
/// Before it is asked again when that failed.
pub(crate) const AGAIN: Duration = Duration::from_millis(500);
/// How long requests wait for a store that is away before they fail: a restart of the database costs no delivery one of its attempts.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Asks in the time for which an answer counts.
const RENEWALS: u32 = 4;

/// What a gateway asks of those that it shares a vendor with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesWanted {
    /// Requests that all may have under way together.
    pub most: u32,
    /// Under way; more do not begin before the answer is there.
    pub in_use: u32,
    /// Under way and waiting.
    pub wanted: u32,
}

/// What it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesGrant {
    /// A request may begin while fewer are under way.
    pub may_use: u32,
    /// All together want more than there is.
    pub contended: bool,
    /// How long it counts, from when it was asked.
    pub lease: Duration,
}

/// Where gateways divide the places of vendors.
#[async_trait]
pub trait SharedPlaces: Send + Sync {
    /// Tells what is under way and wanted, and gets what may be.
    ///
    /// # Errors
    /// Why it is not known.
    async fn share(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        wanted: PlacesWanted,
    ) -> Result<PlacesGrant, String>;
}

/// One connection's part.
pub(crate) struct SharedGate {
    with: Arc<dyn SharedPlaces>,
    whose: (TenantId, ConnectionName),
    most: u32,
    state: Mutex<State>,
    /// Held while waiting: first come, first served.
    turn: tokio::sync::Mutex<()>,
    /// A place may be free.
    moved: Notify,
    /// It should be asked before its time.
    stir: Notify,
}

#[derive(Default)]
struct State {
    may_use: u32,
    /// Until when that counts.
    until: Option<Instant>,
    in_use: u32,
    waiting: u32,
    contended: bool,
    /// Something asks.
    is_kept: bool,
    /// When the last request ended.
    used: Option<Instant>,
    /// Since when asks fail, and why the last one did.
    trouble: Option<(Instant, String)>,
}

/// A request that is under way.
pub(crate) struct SharedPlace(Arc<SharedGate>);

/// Counts one that waits for as long as it lives.
struct Waiting<'a>(&'a SharedGate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state.lock().waiting -= 1;
    }
}

impl Drop for SharedPlace {
    fn drop(&mut self) {
        let is_others = {
            let mut state = self.0.state.lock();
            state.in_use -= 1;
            state.used = Some(Instant::now());
            state.contended && state.in_use >= state.may_use
        };
        self.0.moved.notify_waiters();
        if is_others {
            // It was one too many: another gateway waits for it.
            self.0.stir.notify_one();
        }
    }
}

impl SharedGate {
    pub(super) fn new(with: Arc<dyn SharedPlaces>, whose: (TenantId, ConnectionName), most: u32) -> Arc<Self> {
        let (state, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Arc::new(Self { with, whose, most, state, turn, moved: Notify::new(), stir: Notify::new() })
    }

    pub(super) async fn enter(self: &Arc<Self>) -> Result<SharedPlace, EgressError> {
        let _waiting = self.stand_in_line();
        let _turn = self.turn.lock().await;
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            // From here on nothing is missed.
            moved.as_mut().enable();
            if let Some(entered) = self.try_enter() {
                return entered.map(|()| SharedPlace(Arc::clone(self)));
            }
            if self.may_get_more() {
                self.stir.notify_one();
            }
            moved.await;
        }
    }

    fn stand_in_line(self: &Arc<Self>) -> Waiting<'_> {
        let is_kept = {
            let mut state = self.state.lock();
            state.waiting += 1;
            let is_kept = std::mem::replace(&mut state.is_kept, true);
            if !is_kept {
                // What failed before is asked again.
                state.trouble = None;
            }
            is_kept
        };
        if !is_kept {
            tokio::spawn(keep(Arc::downgrade(self)));
        }
        Waiting(self)
    }

    /// None: it has to wait.
    fn try_enter(&self) -> Option<Result<(), EgressError>> {
        let mut state = self.state.lock();
        let counts = state.until.is_some_and(|until| Instant::now() < until);
        if counts && state.in_use < state.may_use {
            state.in_use += 1;
            return Some(Ok(()));
        }
        let (since, why) = state.trouble.as_ref().filter(|_| !counts)?;
        if since.elapsed() < PATIENCE {
            return None;
        }
        Some(Err(EgressError::Unavailable(format!(
            "how many requests other gateways have under way is not known now: {why}"
        ))))
    }

    /// Is there more to be had by asking at once?
    fn may_get_more(&self) -> bool {
        let state = self.state.lock();
        state.may_use < self.most && !state.contended
    }

    /// What to ask. From here on no more is begun than it says.
    fn ask(&self) -> PlacesWanted {
        let mut state = self.state.lock();
        let counts = state.until.is_some_and(|until| Instant::now() < until);
        if state.contended || !counts {
            state.may_use = state.may_use.min(state.in_use);
        }
        // Where there is enough for all, what it has counts as in use: it may be by the time of the answer.
        let in_use = state.may_use.max(state.in_use);
        PlacesWanted { most: self.most, in_use, wanted: state.in_use.saturating_add(state.waiting).min(self.most) }
    }

    /// True when nothing was sent for a while, and nothing waits: it is given back.
    fn rests(&self) -> bool {
        let mut state = self.state.lock();
        let rests = state.in_use + state.waiting == 0 && state.used.is_none_or(|used| used.elapsed() >= IDLE);
        if rests {
            // What waits from here on waits for another answer.
            state.may_use = 0;
        }
        rests
    }

    fn answered(&self, asked: Instant, answer: Result<PlacesGrant, String>) {
        {
            let mut state = self.state.lock();
            match answer {
                Ok(grant) => {
                    (state.may_use, state.contended) = (grant.may_use, grant.contended);
                    (state.until, state.trouble) = (Some(asked + grant.lease), None);
                }
                // What was asked may have been granted, and no more.
                Err(why) => {
                    let since = state.trouble.take().map_or(asked, |(since, _)| since);
                    state.trouble = Some((since, why));
                }
            }
        }
        self.moved.notify_waiters();
    }

    /// True when nothing keeps it any more.
    fn ends(&self) -> bool {
        let mut state = self.state.lock();
        state.is_kept = state.in_use + state.waiting > 0;
        !state.is_kept
    }

    /// Until the next ask.
    fn pause(&self, lease: Duration) -> Duration {
        let state = self.state.lock();
        let wants_more = state.waiting > 0 && state.in_use >= state.may_use && state.may_use < self.most;
        match (&state.trouble, wants_more || state.contended) {
            (Some(_), _) => AGAIN,
            (None, true) => EAGER,
            (None, false) => (lease / RENEWALS).min(IDLE),
        }
    }
}

/// Asks for as long as something is sent, and gives the places back afterwards.
async fn keep(gate: Weak<SharedGate>) {
    let mut lease = IDLE * RENEWALS;
    loop {
        let Some(gate) = gate.upgrade() else { return };
        let rests = gate.rests();
        let asked = Instant::now();
        let wanted = match rests {
            true => PlacesWanted { most: gate.most, in_use: 0, wanted: 0 },
            false => gate.ask(),
        };
        let answer = gate.with.share(&gate.whose.0, &gate.whose.1, wanted).await;
        if let Ok(grant) = &answer {
            lease = grant.lease;
        }
        gate.answered(asked, answer);
        if rests && gate.ends() {
            return;
        }
        let pause = gate.pause(lease);
        tokio::time::sleep(APART.min(pause)).await;
        tokio::select! {
            () = tokio::time::sleep(pause.saturating_sub(APART)) => {}
            () = gate.stir.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests;
