//! What one connection has used, and what it may.
//!
//! A process has one account for each connection, found by its name: the threads that run connectors and the work that the
//! gateway does for them count into the same one.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use metrics::{Counter, counter};
use parking_lot::{Mutex, RwLock};

use crate::budget::Budget;

/// How much of the threads a connection may use over a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuShare {
    /// The share of the threads for connectors, above 0; 1 and more hold nothing back.
    pub share: f64,
    /// Over which time: what the share gives in so long may be used at once.
    pub window: Duration,
}

impl Default for CpuShare {
    /// Half of the threads over ten minutes: five minutes of full use at once, and never less than half.
    fn default() -> Self {
        Self { share: 0.5, window: Duration::from_secs(600) }
    }
}

/// What an account shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Turns on a thread.
    pub turns: u64,
    /// Time on a core.
    pub used: Duration,
    /// How often it was held back.
    pub held: u64,
}

/// One connection's account.
pub struct Account {
    name: Arc<str>,
    number: u64,
    turns: AtomicU64,
    used_ns: AtomicU64,
    held: AtomicU64,
    purse: Mutex<Purse>,
    counters: OnceLock<Counters>,
}

/// The same figures, as metrics of the process.
struct Counters {
    used_ms: Counter,
    held: Counter,
}

struct Purse {
    share: CpuShare,
    threads: usize,
    budget: Budget,
    held_since: Option<SystemTime>,
}

/// Accounts by name: there are as many as connections in the configuration.
static ACCOUNTS: LazyLock<RwLock<HashMap<Arc<str>, Arc<Account>>>> = LazyLock::new(RwLock::default);
static NUMBER: AtomicU64 = AtomicU64::new(0);
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock of this crate, in nanoseconds.
pub(crate) fn now() -> u64 {
    u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Account {
    /// The account of a connection.
    #[must_use]
    pub fn of(connection: &str) -> Arc<Self> {
        if let Some(known) = ACCOUNTS.read().get(connection) {
            return Arc::clone(known);
        }
        let mut accounts = ACCOUNTS.write();
        let name: Arc<str> = connection.into();
        Arc::clone(accounts.entry(Arc::clone(&name)).or_insert_with(|| Arc::new(Self::new(name))))
    }

    fn new(name: Arc<str>) -> Self {
        let budget = Budget::new(f64::INFINITY, Duration::ZERO, now());
        let share = CpuShare { share: f64::INFINITY, window: Duration::ZERO };
        Self {
            name,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            turns: AtomicU64::new(0),
            used_ns: AtomicU64::new(0),
            held: AtomicU64::new(0),
            purse: Mutex::new(Purse { share, threads: 0, budget, held_since: None }),
            counters: OnceLock::new(),
        }
    }

    /// Sets what it may use of so many threads. What it has used stays used.
    pub fn allow(&self, share: CpuShare, threads: usize) {
        let mut purse = self.purse.lock();
        if purse.share == share && purse.threads == threads {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "thread counts are small")]
        let cores = if share.share >= 1.0 { f64::INFINITY } else { share.share * threads as f64 };
        purse.budget.change(cores, share.window, now());
        (purse.share, purse.threads) = (share, threads);
    }

    /// The name of the connection.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Since when it is held back because it burned without end; none when it is not.
    #[must_use]
    pub fn held_back_since(&self) -> Option<SystemTime> {
        let mut purse = self.purse.lock();
        if purse.held_since.is_some() && purse.budget.recovered(now()) {
            purse.held_since = None;
        }
        purse.held_since
    }

    /// What it may use.
    #[must_use]
    pub fn share(&self) -> CpuShare {
        self.purse.lock().share
    }

    /// What it has used since the process began.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            turns: self.turns.load(Ordering::Relaxed),
            used: Duration::from_nanos(self.used_ns.load(Ordering::Relaxed)),
            held: self.held.load(Ordering::Relaxed),
        }
    }

    fn counters(&self) -> &Counters {
        self.counters.get_or_init(|| {
            let labels = [("connection", self.name.to_string())];
            Counters {
                used_ms: counter!("renmen_connector_cpu_milliseconds_total", &labels),
                held: counter!("renmen_connector_held_back_total", &labels),
            }
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Counts one turn; answers until when there is no other.
    pub(crate) fn spend(&self, used: Duration, now: u64) -> Option<u64> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        let used_ns = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        let before_ns = self.used_ns.fetch_add(used_ns, Ordering::Relaxed);
        let whole_ms = |ns: u64| ns / 1_000_000;
        self.counters().used_ms.increment(whole_ms(before_ns.saturating_add(used_ns)) - whole_ms(before_ns));
        let mut purse = self.purse.lock();
        let until = purse.budget.spend(used, now)?;
        self.held.fetch_add(1, Ordering::Relaxed);
        self.counters().held.increment(1);
        if purse.held_since.is_none() {
            purse.held_since = Some(SystemTime::now());
            drop(purse);
            tracing::warn!(
                connection = &*self.name,
                "A connection is throttled by its CPU budget: raise `limits.cpu_share`, or fix the connector"
            );
        }
        Some(until)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("figures", &self.figures()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_account() {
        assert!(Arc::ptr_eq(&Account::of("account-one"), &Account::of("account-one")));
        assert_ne!(Account::of("account-one").number(), Account::of("account-two").number());
    }

    #[test]
    fn nothing_is_held_back_until_a_share_is_set_and_it_is_used_up() {
        let account = Account::of("account-share");
        assert_eq!(account.spend(Duration::from_secs(1_000), now()), None);
        account.allow(CpuShare { share: 0.5, window: Duration::from_secs(10) }, 2);
        assert_eq!(account.spend(Duration::from_secs(10), now()), None, "half of two threads for 10 s");
        assert_eq!(account.held_back_since(), None);
        let began = SystemTime::now();
        assert!(account.spend(Duration::from_secs(1), now()).is_some());
        assert!(account.held_back_since().is_some_and(|since| since >= began));
        assert_eq!(account.figures().held, 1);
        account.allow(CpuShare { share: 1.0, window: Duration::from_secs(10) }, 2);
        assert_eq!(account.spend(Duration::from_secs(1_000), now()), None);
        assert_eq!(account.held_back_since(), None, "the whole: nothing is held back any more");
    }
}
