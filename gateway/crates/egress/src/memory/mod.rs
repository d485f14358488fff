//! Memory that is held on behalf of connections, reserved before it is filled.
//!
//! One budget for the process. Half of it is set aside in equal parts, one for each connection: no other connection can
//! take it, so a greedy connection never starves another. The other half is first come, first served; one connection
//! gets no more than half of that. What does not fit waits a moment and is then refused.
//!
//! Who reserves: answers and requests while they are read and kept ([`CallMemory`]), the linear memory of guests, pages until they
//! are committed, the bodies of deliveries. What it must not know: what any of that is.

mod call;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use tokio::sync::Notify;

pub use call::{CallMemory, Room};

/// The key of the budget in the configuration, as failures name it.
pub const GATEWAY_MEMORY: &str = "gateway.memory_bytes_max";

/// What a process has without a word of the operator's, in bytes.
pub const MEMORY_BYTES_DEFAULT: u64 = 1 << 30;

/// How long a reservation waits for others to give back, at most.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(5);

/// The budget of the process; clones share it.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Shared>);

struct Shared {
    bytes_max: u64,
    state: Mutex<State>,
    /// Told when something is given back.
    freed: Notify,
}

#[derive(Default)]
struct State {
    /// By number of the account: what it holds.
    held: HashMap<u64, u64>,
    /// All together.
    total: u64,
    peak: u64,
    /// What all accounts hold beyond their own parts.
    common: u64,
    /// Reservations that were refused, and those that had to wait.
    refused: u64,
    waited: u64,
    next: u64,
    names: HashMap<(TenantId, String), Weak<Account>>,
}

/// One connection's account. Closed when its last holder is gone.
struct Account {
    budget: Arc<Shared>,
    number: u64,
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut state = self.budget.state.lock();
        state.held.remove(&self.number);
        state.recount(self.budget.bytes_max);
    }
}

/// A connection's way to the budget; clones share its account.
#[derive(Clone)]
pub struct Share(Arc<Account>);

/// Bytes that are reserved: given back when this is dropped.
#[must_use = "dropped at once it reserves nothing"]
pub struct Held {
    account: Arc<Account>,
    bytes: u64,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMemory {
    /// The connection would hold more than any one may.
    #[error("the connection would hold more than its share of {share} bytes of `{GATEWAY_MEMORY}`")]
    Share {
        /// The most that one connection may hold now.
        share: u64,
    },
    /// All connections together hold what the process may.
    #[error(
        "all of the {bytes_max} bytes of `{GATEWAY_MEMORY}` that are not set aside for other connections are in use"
    )]
    Process {
        /// The budget.
        bytes_max: u64,
    },
}

/// How the budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFigures {
    /// The budget in bytes.
    pub bytes_max: u64,
    /// What is held now.
    pub held: u64,
    /// The most that was held at one time.
    pub peak: u64,
    /// Reservations refused so far.
    pub refused: u64,
    /// Reservations that had to wait so far.
    pub waited: u64,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::new(MEMORY_BYTES_DEFAULT)
    }
}

impl MemoryBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        Self(Arc::new(Shared { bytes_max, state: Mutex::default(), freed: Notify::new() }))
    }

    /// The account of a connection: the same one for the same connection, as long as anybody has it.
    #[must_use]
    pub fn share(&self, tenant: &TenantId, connection: &str) -> Share {
        let mut state = self.0.state.lock();
        let name = (tenant.clone(), connection.to_owned());
        if let Some(account) = state.names.get(&name).and_then(Weak::upgrade) {
            return Share(account);
        }
        let number = state.next;
        state.next += 1;
        state.held.insert(number, 0);
        state.recount(self.0.bytes_max);
        let account = Arc::new(Account { budget: Arc::clone(&self.0), number });
        state.names.insert(name, Arc::downgrade(&account));
        Share(account)
    }

    /// How it stands.
    #[must_use]
    pub fn figures(&self) -> MemoryFigures {
        let state = self.0.state.lock();
        MemoryFigures {
            bytes_max: self.0.bytes_max,
            held: state.total,
            peak: state.peak,
            refused: state.refused,
            waited: state.waited,
        }
    }
}

impl State {
    /// What is set aside for each account.
    fn own(&self, bytes_max: u64) -> u64 {
        bytes_max / 2 / (self.held.len().max(1) as u64)
    }

    /// What is first come, first served.
    fn open(&self, bytes_max: u64) -> u64 {
        bytes_max.saturating_sub(self.own(bytes_max).saturating_mul(self.held.len() as u64))
    }

    /// The most that one account may hold.
    fn most(&self, bytes_max: u64) -> u64 {
        self.own(bytes_max) + self.open(bytes_max) / 2
    }

    /// After the number of accounts changed.
    fn recount(&mut self, bytes_max: u64) {
        let own = self.own(bytes_max);
        self.common = self.held.values().map(|held| held.saturating_sub(own)).sum();
        self.total = self.held.values().sum();
    }

    fn take(&mut self, bytes_max: u64, number: u64, bytes: u64) -> Result<(), NoMemory> {
        let (own, open, most) = (self.own(bytes_max), self.open(bytes_max), self.most(bytes_max));
        let before = self.held.get(&number).copied().unwrap_or(0);
        let after = before.saturating_add(bytes);
        if after > most {
            return Err(NoMemory::Share { share: most });
        }
        let beyond = after.saturating_sub(own);
        let common = self.common - before.saturating_sub(own) + beyond;
        if beyond > 0 && common > open {
            return Err(NoMemory::Process { bytes_max });
        }
        self.held.insert(number, after);
        self.common = common;
        self.total += bytes;
        self.peak = self.peak.max(self.total);
        Ok(())
    }

    fn give_back(&mut self, bytes_max: u64, number: u64, bytes: u64) {
        let own = self.own(bytes_max);
        let Some(held) = self.held.get_mut(&number) else { return };
        let after = held.saturating_sub(bytes);
        self.common = self.common.saturating_sub(held.saturating_sub(own) - after.saturating_sub(own));
        self.total = self.total.saturating_sub(*held - after);
        *held = after;
    }
}

impl Share {
    /// Reserves at once.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn try_take(&self, bytes: u64) -> Result<Held, NoMemory> {
        let budget = &self.0.budget;
        let mut state = budget.state.lock();
        match state.take(budget.bytes_max, self.0.number, bytes) {
            Ok(()) => Ok(Held { account: Arc::clone(&self.0), bytes }),
            Err(refused) => {
                state.refused += 1;
                Err(refused)
            }
        }
    }

    /// Reserves, and waits for others to give back for as long as `within` allows. What no giving back could help is refused at
    /// once.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub async fn take(&self, bytes: u64, within: Duration) -> Result<Held, NoMemory> {
        let budget = &self.0.budget;
        let deadline = tokio::time::Instant::now() + within;
        let mut waits = false;
        loop {
            let freed = budget.freed.notified();
            tokio::pin!(freed);
            // Before the look: what is given back between the two must not be missed.
            freed.as_mut().enable();
            let refused = {
                let mut state = budget.state.lock();
                match state.take(budget.bytes_max, self.0.number, bytes) {
                    Ok(()) => return Ok(Held { account: Arc::clone(&self.0), bytes }),
                    Err(refused) if bytes > state.most(budget.bytes_max) => {
                        state.refused += 1;
                        return Err(refused);
                    }
                    Err(refused) => {
                        state.waited += u64::from(!std::mem::replace(&mut waits, true));
                        refused
                    }
                }
            };
            if tokio::time::timeout_at(deadline, freed).await.is_err() {
                budget.state.lock().refused += 1;
                return Err(refused);
            }
        }
    }

    /// What the connection holds now, in bytes.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.0.budget.state.lock().held.get(&self.0.number).copied().unwrap_or(0)
    }

    /// The most that it may hold, in bytes, with the connections that there are now.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.0.budget.state.lock().most(self.0.budget.bytes_max)
    }
}

impl Held {
    /// The size of the reservation.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the other one's bytes over.
    pub fn join(&mut self, mut other: Self) {
        debug_assert!(Arc::ptr_eq(&self.account, &other.account), "one account");
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.give_back(surplus);
    }

    fn give_back(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let budget = &self.account.budget;
        budget.state.lock().give_back(budget.bytes_max, self.account.number, bytes);
        budget.freed.notify_waiters();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

impl std::fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.figures().fmt(f)
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").field("held", &self.held()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
