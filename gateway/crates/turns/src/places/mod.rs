//! Places for what is under way at once, given out fairly: by tenant, then by connection, then by stream.
//!
//! When a place is free, the tenant that holds the fewest is next, of its connections the one that holds the fewest,
//! and among equals the one whose last turn is longest ago. No connection holds more than its limit, and the last
//! quarter of the places goes to connections that hold none: so a connection that fills all it may, with streams that
//! wait for ever, blocks no other.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use metrics::{Gauge, gauge};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The part of the places that is kept for connections that hold none: one in so many.
const KEPT: usize = 4;

/// Who holds a place or waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Who {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The connection.
    pub connection: Arc<str>,
    /// The stream, or what else of the connection takes its turns.
    pub stream: Arc<str>,
}

impl Who {
    /// Made from the three names.
    #[must_use]
    pub fn new(tenant: &str, connection: &str, stream: &str) -> Self {
        Self { tenant: tenant.into(), connection: connection.into(), stream: stream.into() }
    }
}

/// How many a connection may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Of all; 0 stands for a quarter of the places.
    pub connection: usize,
    /// True: things with the same stream name leave the others a quarter of the connection's places.
    pub shared: bool,
}

/// See the module. Cheap to clone: clones share the places.
#[derive(Clone)]
pub struct Places(Arc<Shared>);

/// A place, given back when dropped.
pub struct Place {
    places: Places,
    who: Who,
}

struct Shared {
    /// The label of the metrics `renmen_places_taken` and `renmen_places_waited_for`.
    of: &'static str,
    gauges: OnceLock<(Gauge, Gauge)>,
    state: Mutex<State>,
}

struct State {
    total: usize,
    taken: usize,
    waiting: Vec<Waiting>,
    tenants: HashMap<Arc<str>, Holder>,
    connections: HashMap<(Arc<str>, Arc<str>), Holder>,
    streams: HashMap<Who, Holder>,
    /// Counts turns, so that the longest ago can be told.
    turn: u64,
    number: u64,
}

#[derive(Default, Clone, Copy)]
struct Holder {
    held: usize,
    last: u64,
}

struct Waiting {
    number: u64,
    who: Who,
    bounds: Bounds,
    tell: oneshot::Sender<Place>,
}

/// Takes a wait that was given up out of the line.
struct Leave<'a>(&'a Places, u64);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.0.state.lock().waiting.retain(|waiting| waiting.number != self.1);
        self.0.show();
    }
}

impl Places {
    /// So many places, at least one, for things of this name: `runs`, `calls`.
    #[must_use]
    pub fn new(of: &'static str, total: usize) -> Self {
        let state = State {
            total: total.max(1),
            taken: 0,
            waiting: Vec::new(),
            tenants: HashMap::new(),
            connections: HashMap::new(),
            streams: HashMap::new(),
            turn: 0,
            number: 0,
        };
        Self(Arc::new(Shared { of, gauges: OnceLock::new(), state: Mutex::new(state) }))
    }

    fn show(&self) {
        let of = self.0.of;
        let (taken, waiting) = self.0.gauges.get_or_init(|| {
            (gauge!("renmen_places_taken", "of" => of), gauge!("renmen_places_waited_for", "of" => of))
        });
        let state = self.0.state.lock();
        #[allow(clippy::cast_precision_loss, reason = "counts of places are small")]
        let (now_taken, now_waiting) = (state.taken as f64, state.waiting.len() as f64);
        taken.set(now_taken);
        waiting.set(now_waiting);
    }

    /// Waits for a place. Dropping the future leaves the line.
    pub async fn take(&self, who: &Who, bounds: Bounds) -> Place {
        let (number, told) = {
            let mut state = self.0.state.lock();
            // The line is empty, so there is no one to be fair to.
            if state.waiting.is_empty() && state.may(who, bounds) {
                state.hold(who);
                drop(state);
                self.show();
                return Place { places: self.clone(), who: who.clone() };
            }
            state.number += 1;
            let (tell, told) = oneshot::channel();
            let number = state.number;
            state.waiting.push(Waiting { number, who: who.clone(), bounds, tell });
            (number, told)
        };
        let _leave = Leave(self, number);
        // The others in line may be held up by their own bounds alone.
        self.give_out();
        match told.await {
            Ok(place) => place,
            // The sender is taken out of the line only to give a place.
            Err(_) => unreachable!("a place in line ends with a place"),
        }
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.state.lock().waiting.len()
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.state.lock().taken
    }

    fn give_out(&self) {
        loop {
            let next = {
                let mut state = self.0.state.lock();
                let Some(at) = state.next() else { break };
                let next = state.waiting.remove(at);
                state.hold(&next.who);
                next
            };
            // Not under the lock: what it wakes may come back here. A place that is not wanted any more is given back at once.
            drop(next.tell.send(Place { places: self.clone(), who: next.who }));
        }
        self.show();
    }
}

impl Place {
    /// Would a waiter get this place if it were given back now?
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let mut state = self.places.0.state.lock();
        if state.waiting.is_empty() {
            return false;
        }
        state.let_go(&self.who);
        let wanted = state.next().is_some();
        state.hold_again(&self.who);
        wanted
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.state.lock().let_go(&self.who);
        self.places.give_out();
    }
}

impl State {
    fn may(&self, who: &Who, bounds: Bounds) -> bool {
        let free = self.total - self.taken;
        let held = self.connection(who).held;
        let most = if bounds.connection == 0 { (self.total / KEPT).max(1) } else { bounds.connection };
        let most_alike = if bounds.shared && most > 1 { most - (most / KEPT).max(1) } else { most };
        let alike = self.streams.get(who).map_or(0, |holder| holder.held);
        free > 0 && held < most && alike < most_alike && (held == 0 || free > self.total / KEPT)
    }

    /// Who of those in line is next.
    fn next(&self) -> Option<usize> {
        let may = |(_, waiting): &(usize, &Waiting)| self.may(&waiting.who, waiting.bounds);
        let order = |(_, waiting): &(usize, &Waiting)| {
            let who = &waiting.who;
            let (tenant, connection) = (self.tenant(who), self.connection(who));
            let stream = self.streams.get(who).copied().unwrap_or_default();
            (tenant.held, connection.held, tenant.last, connection.last, stream.last, waiting.number)
        };
        self.waiting.iter().enumerate().filter(may).min_by_key(order).map(|(at, _)| at)
    }

    fn tenant(&self, who: &Who) -> Holder {
        self.tenants.get(&who.tenant).copied().unwrap_or_default()
    }

    fn connection(&self, who: &Who) -> Holder {
        self.connections.get(&connection(who)).copied().unwrap_or_default()
    }

    fn hold(&mut self, who: &Who) {
        self.turn += 1;
        let turn = self.turn;
        self.hold_again(who);
        for holder in self.holders(who) {
            holder.last = turn;
        }
    }

    fn hold_again(&mut self, who: &Who) {
        self.taken += 1;
        for holder in self.holders(who) {
            holder.held += 1;
        }
    }

    fn let_go(&mut self, who: &Who) {
        self.taken -= 1;
        for holder in self.holders(who) {
            holder.held -= 1;
        }
    }

    fn holders(&mut self, who: &Who) -> [&mut Holder; 3] {
        [
            self.tenants.entry(Arc::clone(&who.tenant)).or_default(),
            self.connections.entry(connection(who)).or_default(),
            self.streams.entry(who.clone()).or_default(),
        ]
    }
}

fn connection(who: &Who) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&who.tenant), Arc::clone(&who.connection))
}

#[cfg(test)]
mod tests;
