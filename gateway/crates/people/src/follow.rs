//! Follows the change feed: facts of the records that changed, then everyone whom they may be linked with.
//!
//! Two transactions: the first takes in facts, who waits and the place in the feed, the second what was found of those who wait. Killed between
//! them, those who wait still do. Each is fenced, so that of two gateways that work at the same time one does it again.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use renmen_clock::Clock;
use renmen_identity::{Digests, Rules};
use renmen_schema::id::TenantId;
use renmen_seat::{Leave, Seat};
use renmen_store::{FactsCommit, IdentityStand, ReadUpTo, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::pass::{Passed, Passing};
use crate::progress::Progress;
use crate::reader::{ENTITIES, Reader};
use crate::settle::Settler;

/// The longest time for which a decision may wait that another gateway took in and could not settle.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after the store was away, and while another gateway goes on.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked how far the gateway is that works.
pub(crate) const LOOK_ON: Duration = Duration::from_secs(5);
/// How often links are forgotten that ended long ago.
const FORGET_EVERY_MS: i64 = 3_600_000;
/// Times that a step is done again because something else was written meanwhile.
const FENCED_MAX: u32 = 3;
/// Links that are forgotten at once.
const FORGOTTEN: u32 = 1_000;

/// Follows the feed of one tenant.
pub(crate) struct Follower {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenant: TenantId,
    pub(crate) rules: Arc<Rules>,
    /// Changes read, and records settled, at once.
    pub(crate) batch: u32,
    pub(crate) threads: usize,
    pub(crate) history_ms: i64,
    pub(crate) progress: Arc<Progress>,
    pub(crate) seen: Seen,
}

/// What it saw last, so that a look where nothing happened is one short read.
#[derive(Default)]
pub(crate) struct Seen {
    digests: OnceLock<Digests>,
    /// The version at which there was nothing to do, and when that was shown.
    idle: Mutex<Option<(i64, Duration)>>,
}

/// How far a catch-up came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caught {
    /// Everything that was to be done is done, or it was left.
    All,
    /// Another gateway is at it.
    Another,
}

impl Follower {
    /// Until cancelled, as long as the seat is this gateway's.
    pub(crate) async fn run(self, seat: Arc<Seat>, cancel: CancellationToken) {
        let mut feed = self.store.watch(&self.tenant);
        let leave = Leave::of(cancel.clone(), Arc::clone(&seat));
        let mut forgot_ms = 0;
        loop {
            if !seat.holds() {
                self.look_on().await;
                self.measure();
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = seat.wait(LOOK_ON) => continue,
                }
            }
            feed.mark_unchanged();
            let wait = match self.catch_up(&leave).await {
                Ok(Caught::All) => TICK,
                Ok(Caught::Another) => AGAIN,
                Err(error) => {
                    self.progress.waits(error.to_string());
                    tracing::warn!(%error, tenant = %self.tenant, "Linking records to persons is waiting and will resume where it stopped");
                    AGAIN
                }
            };
            self.measure();
            if self.clock.now_ms() - forgot_ms >= FORGET_EVERY_MS {
                forgot_ms = self.clock.now_ms();
                self.forget().await;
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                changed = feed.changed() => if changed.is_err() { return },
            }
        }
    }

    pub(crate) fn measure(&self) {
        let progress = self.progress.shown();
        let labels = [("tenant", self.tenant.to_string())];
        let since = |since_ms: Option<i64>| since_ms.map_or(0, |since_ms| (self.clock.now_ms() - since_ms).max(0));
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        {
            metrics::gauge!("renmen_identity_behind_seconds", &labels)
                .set(since(progress.behind_since_ms) as f64 / 1_000.0);
            metrics::gauge!("renmen_identity_links", &labels).set(progress.linked as f64);
            metrics::gauge!("renmen_identity_proposals", &labels).set(progress.counts.proposals as f64);
            metrics::gauge!("renmen_identity_conflicts", &labels).set(progress.counts.conflicts as f64);
            metrics::gauge!("renmen_identity_shared_values", &labels).set(progress.counts.worn as f64);
            metrics::gauge!("renmen_identity_waiting", &labels).set(progress.counts.pending as f64);
        }
    }

    async fn forget(&self) {
        let before_ms = self.clock.now_ms() - self.history_ms;
        loop {
            match self.store.forget_past_links(&self.tenant, before_ms, FORGOTTEN).await {
                Ok(some) if some == u64::from(FORGOTTEN) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, tenant = %self.tenant, "Links that ended long ago were not forgotten; trying again later");
                    return;
                }
            }
        }
    }

    /// Sees how far the gateway is that works on it, so that this one can tell.
    pub(crate) async fn look_on(&self) {
        if let Err(error) = self.show().await {
            self.progress.waits(error.to_string());
        }
    }

    async fn show(&self) -> Result<(), StoreError> {
        let Some(stand) = self.store.identity_stand(&self.tenant).await? else { return Ok(()) };
        let next = self.store.changes(&self.tenant, stand.followed, None, 1).await?;
        let counts = self.store.identity_counts(&self.tenant).await?;
        self.progress.set(|state| {
            state.followed = stand.followed;
            state.behind_since_ms = next.first().map(|change| change.at_ms);
            state.linked = stand.links;
            state.counts = counts;
            state.passed_ms = stand.passed_ms;
            if stand.pass.is_none() {
                state.pass = None;
            }
        });
        Ok(())
    }

    /// Does what is to be done by now.
    pub(crate) async fn catch_up(&self, leave: &Leave) -> Result<Caught, StoreError> {
        let mut fenced = 0;
        while !leave.is_due() {
            match self.step(leave).await {
                Ok(true) => {}
                Ok(false) => break,
                // A decision came in between, or another gateway is at it.
                Err(StoreError::Fenced(_)) if fenced < FENCED_MAX => fenced += 1,
                Err(StoreError::Fenced(_)) => {
                    self.show().await?;
                    return Ok(Caught::Another);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Caught::All)
    }

    async fn digests(&self) -> Result<&Digests, StoreError> {
        if let Some(known) = self.seen.digests.get() {
            return Ok(known);
        }
        let (_, key) = self.store.begin_identity(&self.tenant).await?;
        Ok(self.seen.digests.get_or_init(|| Digests::new(key.0)))
    }

    /// False: there was nothing to do.
    async fn step(&self, leave: &Leave) -> Result<bool, StoreError> {
        let digests = self.digests().await?;
        let Some(stand) = self.store.identity_stand(&self.tenant).await? else { return Ok(true) };
        if stand.pass.is_some() || stand.rules.as_ref() != Some(&self.rules.fingerprint()) {
            return Ok(self.passing(digests).run(&stand, leave).await? == Passed::All);
        }
        let head = *self.store.watch(&self.tenant).borrow();
        let idle = *self.seen.idle.lock();
        let is_new = idle.is_none_or(|(version, _)| version != stand.version);
        if is_new && self.settle_some(&stand).await? {
            return Ok(true);
        }
        if (is_new || head > stand.followed) && self.read_some(&stand, digests).await? {
            return Ok(true);
        }
        let now = self.clock.elapsed();
        if is_new || idle.is_some_and(|(_, shown)| now.saturating_sub(shown) >= LOOK_ON) {
            self.show().await?;
            *self.seen.idle.lock() = Some((stand.version, now));
        }
        Ok(false)
    }

    fn passing<'a>(&'a self, digests: &'a Digests) -> Passing<'a> {
        Passing {
            store: &self.store,
            clock: &self.clock,
            tenant: &self.tenant,
            rules: &self.rules,
            digests,
            threads: self.threads,
            progress: &self.progress,
        }
    }

    async fn settle_some(&self, stand: &IdentityStand) -> Result<bool, StoreError> {
        let pending = self.store.pending_identities(&self.tenant, self.batch).await?;
        if pending.is_empty() {
            return Ok(false);
        }
        let settler = Settler { store: &*self.store, tenant: &self.tenant, rules: &self.rules };
        let commit = settler.settle(&pending, stand.version, self.clock.now_ms()).await?;
        self.store.put_settled(commit).await?;
        Ok(true)
    }

    async fn read_some(&self, stand: &IdentityStand, digests: &Digests) -> Result<bool, StoreError> {
        let changes = self.store.subject_changes(&self.tenant, stand.followed, &ENTITIES, self.batch).await?;
        let Some(to) = changes.to else { return Ok(false) };
        self.progress.set(|state| {
            state.followed = stand.followed;
            state.behind_since_ms = changes.since_ms;
        });
        let reader =
            Reader { store: &*self.store, tenant: &self.tenant, rules: &self.rules, digests, threads: self.threads };
        let read = reader.read(changes.records, i64::MAX).await?;
        let commit = FactsCommit {
            tenant: self.tenant.clone(),
            version: stand.version,
            facts: read.facts,
            applications: read.applications,
            read: ReadUpTo::Feed(to),
            now_ms: self.clock.now_ms(),
        };
        self.store.put_facts(commit).await?;
        Ok(true)
    }
}
