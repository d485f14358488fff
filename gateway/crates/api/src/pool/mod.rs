//! Places that tenants, keys, connections and senders share fairly.
//!
//! An owner may use every place as long as the others leave it free. When all are taken, a newcomer that holds less
//! than another takes a place over from the one that holds most; one that itself holds most is turned away. So a greedy
//! tenant can never keep a modest one out, and nothing lies idle for tenants that do not come.
//!
//! Owns counting and choosing. Must not know what a place is good for: a request, an open stream, a byte of a delivery.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Who holds a place. Places are shared out by group first, and among the members of a group next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// A tenant, or a connection.
    pub(crate) group: String,
    /// A key of the tenant, or a sender to the connection.
    pub(crate) member: String,
}

/// A fixed number of units, shared.
pub(crate) struct Pool {
    max: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: u64,
    next: u64,
    held: BTreeMap<u64, Held>,
}

struct Held {
    owner: Owner,
    units: u64,
    lost: CancellationToken,
}

/// Units that are held until this is dropped or taken over.
pub(crate) struct Permit {
    pool: Arc<Pool>,
    id: u64,
    lost: CancellationToken,
}

impl Pool {
    pub(crate) fn new(max: u64) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::new(State::default()) })
    }

    /// All units, used or not.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// Takes units. `None`: they are all taken, and no one else holds more than this owner would.
    pub(crate) fn take(self: &Arc<Self>, owner: Owner, units: u64) -> Option<Permit> {
        let mut state = self.state.lock();
        if !state.make_room(self.max, &owner, units) {
            return None;
        }
        let id = state.next;
        let lost = CancellationToken::new();
        state.next += 1;
        state.used += units;
        state.held.insert(id, Held { owner, units, lost: lost.clone() });
        Some(Permit { pool: Arc::clone(self), id, lost })
    }
}

impl State {
    /// Takes places over until `wanted` units are free; false when the owner has no claim to them.
    fn make_room(&mut self, max: u64, owner: &Owner, wanted: u64) -> bool {
        while self.used.saturating_add(wanted) > max {
            let Some(victim) = self.victim(owner, wanted) else { return false };
            if let Some(held) = self.held.remove(&victim) {
                self.used -= held.units;
                held.lost.cancel();
            }
        }
        true
    }

    /// The place that must make way: of the group that holds most, its member that holds most, its largest and then oldest.
    /// Looked for only when all units are taken, so a walk over what is held is affordable.
    fn victim(&self, owner: &Owner, wanted: u64) -> Option<u64> {
        let all = || self.held.values();
        let (group, claim) =
            heaviest(all().map(|held| (held.owner.group.as_str(), held.units)), Some(&owner.group), wanted);
        let group = if claim { group? } else { owner.group.as_str() };
        let own = (!claim).then_some(owner.member.as_str());
        let members = all().filter(|held| held.owner.group == group);
        let (member, more) = heaviest(members.map(|held| (held.owner.member.as_str(), held.units)), own, wanted);
        let member = member.filter(|_| claim || more)?;
        let places = self.held.iter().filter(|(_, held)| held.owner.group == group && held.owner.member == member);
        places.max_by_key(|(id, held)| (held.units, std::cmp::Reverse(**id))).map(|(id, _)| *id)
    }
}

/// Who of the others holds most, and whether that is more than `own` would hold with `wanted` more.
fn heaviest<'a>(held: impl Iterator<Item = (&'a str, u64)>, own: Option<&str>, wanted: u64) -> (Option<&'a str>, bool) {
    let mut sums: HashMap<&str, u64> = HashMap::new();
    for (name, units) in held {
        *sums.entry(name).or_default() += units;
    }
    let mine = own.and_then(|own| sums.remove(own)).unwrap_or(0);
    let most = sums.into_iter().max_by_key(|(name, units)| (*units, *name));
    (most.map(|(name, _)| name), most.is_some_and(|(_, units)| units > mine.saturating_add(wanted)))
}

impl Permit {
    /// Takes more units into this place; false when there are none left for its owner, or when it was taken over.
    pub(crate) fn grow(&self, more: u64) -> bool {
        let mut state = self.pool.state.lock();
        let Some(owner) = state.held.get(&self.id).map(|held| held.owner.clone()) else { return false };
        // Its owner's own places never make way for it.
        if !state.make_room(self.pool.max, &owner, more) {
            return false;
        }
        let Some(held) = state.held.get_mut(&self.id) else { return false };
        held.units += more;
        state.used += more;
        true
    }

    /// Has another owner taken it over?
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Resolves when another owner has taken it over.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        if let Some(held) = state.held.remove(&self.id) {
            state.used -= held.units;
        }
    }
}

#[cfg(test)]
mod tests;
