//! Where each tenant's change feed ends, as far as this process knows, and who waits for one to move.
//!
//! A commit of this process is known at once. Those of others are found by looking from time to time, and sooner where the backend hears
//! of them: what is known only ever lags behind.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::{CommitOutcome, StoreError, rows};

/// How commits of other gateways on the same database are heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakeup {
    /// There is no other: one process writes.
    Local,
    /// At once, on a connection of its own.
    Listening,
    /// By looking: the connection is being made, or made again.
    Connecting,
    /// By looking: what others tell does not arrive on this connection, as behind a pooler in transaction mode.
    Polling,
}

/// The known ends of the feeds.
pub(crate) struct Heads {
    /// Where the feed of a tenant ends that never had a commit.
    floor: i64,
    tenants: Mutex<HashMap<TenantId, watch::Sender<i64>>>,
    /// Moves with any of them.
    any: watch::Sender<u64>,
    /// Tenants of whom other processes are to hear.
    untold: Mutex<BTreeSet<TenantId>>,
    committed: Notify,
}

impl Heads {
    /// From what [`crate::sql::feed::heads`] read.
    pub(crate) fn new(read: Vec<(String, i64)>) -> Result<Arc<Self>, StoreError> {
        let floor = read.iter().find(|(tenant, _)| tenant.is_empty()).map_or(0, |(_, seq)| *seq);
        let heads = Self {
            floor,
            tenants: Mutex::default(),
            any: watch::Sender::new(0),
            untold: Mutex::default(),
            committed: Notify::new(),
        };
        heads.look(read)?;
        Ok(Arc::new(heads))
    }

    /// The last position of a tenant's feed; changes when a commit of it is known.
    pub(crate) fn watch(&self, tenant: &TenantId) -> watch::Receiver<i64> {
        self.with(tenant, watch::Sender::subscribe)
    }

    /// Changes when a commit of any tenant is known.
    pub(crate) fn watch_any(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// Takes in where feeds end; nothing is ever lowered.
    pub(crate) fn look(&self, read: Vec<(String, i64)>) -> Result<(), StoreError> {
        for (tenant, seq) in read.into_iter().filter(|(tenant, _)| !tenant.is_empty()) {
            self.raise(&rows::tenant_of(&tenant)?, seq);
        }
        Ok(())
    }

    /// A feed ends here, or further on. True when that was not known.
    pub(crate) fn raise(&self, tenant: &TenantId, seq: i64) -> bool {
        let moved = self.with(tenant, |head| {
            head.send_if_modified(|known| {
                let later = seq > *known;
                *known = seq.max(*known);
                later
            })
        });
        if moved {
            self.any.send_modify(|count| *count += 1);
        }
        moved
    }

    /// A commit of this process landed. A look may have found it already: others are told all the same.
    pub(crate) fn committed(&self, tenant: &TenantId, outcome: &CommitOutcome) {
        self.raise(tenant, outcome.last_seq);
        if outcome.created + outcome.updated + outcome.deleted > 0 {
            self.tell(tenant);
        }
    }

    /// Something else is known now of what was there already: those who wait for the feed look again.
    pub(crate) fn wake(&self, tenant: &TenantId) {
        self.with(tenant, |head| head.send_modify(|_| ()));
        self.any.send_modify(|count| *count += 1);
    }

    /// Has other processes hear of a tenant.
    pub(crate) fn tell(&self, tenant: &TenantId) {
        self.untold.lock().insert(tenant.clone());
        self.committed.notify_one();
    }

    /// Waits for commits of this process that others have not heard of; gives their tenants.
    pub(crate) async fn untold(&self) -> BTreeSet<TenantId> {
        loop {
            let untold = std::mem::take(&mut *self.untold.lock());
            if !untold.is_empty() {
                return untold;
            }
            self.committed.notified().await;
        }
    }

    fn with<T>(&self, tenant: &TenantId, act: impl FnOnce(&watch::Sender<i64>) -> T) -> T {
        let mut tenants = self.tenants.lock();
        match tenants.get(tenant) {
            Some(head) => act(head),
            None => act(tenants.entry(tenant.clone()).or_insert_with(|| watch::Sender::new(self.floor))),
        }
    }
}

/// A task that ends with the store that owns it.
pub(crate) struct Follower(JoinHandle<()>);

impl Follower {
    pub(crate) fn of(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to look. A look that fails is passed over: a caller that needs the database gets the error there.
pub(crate) fn follow<F, R>(heads: Arc<Heads>, interval: Duration, look: F) -> Follower
where
    F: Fn() -> R + Send + 'static,
    R: Future<Output = Result<Vec<(String, i64)>, StoreError>> + Send,
{
    Follower::of(async move {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = look().await.and_then(|read| heads.look(read)) {
                tracing::debug!(%error, "Failed to read where the change feeds end");
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    #[test]
    fn a_feed_is_known_from_the_floor_on_and_never_goes_back() {
        let heads = Heads::new(vec![(String::new(), 7), ("acme".into(), 9)]).unwrap();
        let (acme, globex) = (heads.watch(&tenant("acme")), heads.watch(&tenant("globex")));
        assert_eq!((*acme.borrow(), *globex.borrow()), (9, 7));
        let any = heads.watch_any();
        assert!(!heads.raise(&tenant("acme"), 8));
        assert!(!any.has_changed().unwrap());
        assert!(heads.raise(&tenant("globex"), 8));
        assert!(any.has_changed().unwrap() && globex.has_changed().unwrap() && !acme.has_changed().unwrap());
        assert_eq!((*acme.borrow(), *globex.borrow()), (9, 8));
    }

    #[tokio::test]
    async fn only_commits_of_this_process_are_told_and_each_tenant_once() {
        let heads = Heads::new(Vec::new()).unwrap();
        heads.raise(&tenant("seen"), 3);
        let outcome = |created, last_seq| CommitOutcome { created, last_seq, ..CommitOutcome::default() };
        for seq in 1..=3 {
            heads.committed(&tenant("acme"), &outcome(1, seq));
        }
        heads.committed(&tenant("unchanged"), &outcome(0, 3));
        heads.raise(&tenant("found"), 4);
        heads.committed(&tenant("found"), &outcome(1, 4));
        heads.tell(&tenant("globex"));
        assert_eq!(heads.untold().await, BTreeSet::from([tenant("acme"), tenant("found"), tenant("globex")]));
        assert!(heads.untold.lock().is_empty());
    }
}
