//! The rule of the queue, without waiting and without a clock of its own: numbers in, numbers out.
//!
//! A sender has one of three standings: proved lately, new, or failing. Each standing has its ring of senders that wait, and
//! each ring its share of the places; within a ring senders take turns, one delivery each. A sender that only fails has few
//! tries a second, and further ones are turned away without being looked at. What is known of a sender fades with time.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// So long after its last proved delivery a sender counts as one that sends such.
const PROVED_FOR: Duration = Duration::from_secs(600);
/// Failures, faded, beyond which a sender that proves nothing is a failing one.
const FAILURES: f64 = 5.0;
/// After this time a failure counts for half.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// Tries of a failing sender: so many a second, so many at once after a pause.
const TRIES: f64 = 5.0;
/// Shares of the places that the standings have while they all wait.
const SHARES: [f64; 3] = [8.0, 4.0, 1.0];
/// Senders that are remembered, besides those whose deliveries are waiting or at work.
pub(super) const REMEMBERED_MAX: usize = 1024;

/// What becomes of a delivery that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It has a place.
    Enter,
    /// It waits under this number.
    Wait(u64),
    /// Its sender has had its tries for now.
    TurnedAway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Proved = 0,
    New = 1,
    Failing = 2,
}

/// Which senders are in, which ones wait, and what is known of each.
pub(super) struct Turnstile<S> {
    places: usize,
    running: usize,
    next: u64,
    senders: HashMap<S, Known>,
    rings: [Ring<S>; 3],
}

struct Ring<S> {
    waiting: VecDeque<S>,
    /// How much of its share it has had; the ring with the least is next.
    had: f64,
}

struct Known {
    waiting: VecDeque<u64>,
    running: usize,
    /// It stands in a ring.
    queued: bool,
    proved_at: Option<Instant>,
    failures: f64,
    tries: f64,
    /// Of which moment `failures` and `tries` are.
    at: Instant,
}

impl Known {
    fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            running: 0,
            queued: false,
            proved_at: None,
            failures: 0.0,
            tries: TRIES,
            at: now,
        }
    }

    fn fade(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.failures *= 0.5_f64.powf(passed / HALF_LIFE.as_secs_f64());
        self.tries = (self.tries + passed * TRIES).min(TRIES);
        self.at = now.max(self.at);
    }

    fn standing(&self, now: Instant) -> Standing {
        if self.proved_at.is_some_and(|at| now.saturating_duration_since(at) < PROVED_FOR) {
            Standing::Proved
        } else if self.failures > FAILURES {
            Standing::Failing
        } else {
            Standing::New
        }
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting.is_empty() && !self.queued
    }
}

impl<S: Copy + Eq + Hash> Turnstile<S> {
    pub(super) fn new(places: usize) -> Self {
        let ring = || Ring { waiting: VecDeque::new(), had: 0.0 };
        Self { places, running: 0, next: 0, senders: HashMap::new(), rings: [ring(), ring(), ring()] }
    }

    /// A delivery came.
    pub(super) fn arrive(&mut self, sender: S, now: Instant) -> Arrival {
        if !self.senders.contains_key(&sender) && self.senders.len() >= REMEMBERED_MAX {
            self.forget(now);
        }
        let known = self.senders.entry(sender).or_insert_with(|| Known::new(now));
        known.fade(now);
        let standing = known.standing(now);
        if standing == Standing::Failing {
            // One at a time, and not often.
            if known.tries < 1.0 || known.running > 0 || !known.waiting.is_empty() {
                return Arrival::TurnedAway;
            }
            known.tries -= 1.0;
        }
        if self.running < self.places {
            known.running += 1;
            self.running += 1;
            return Arrival::Enter;
        }
        let number = self.next;
        self.next += 1;
        known.waiting.push_back(number);
        if !std::mem::replace(&mut known.queued, true) {
            self.queue(sender, standing);
        }
        Arrival::Wait(number)
    }

    /// A delivery was looked at: it is proved, it is not, or (none) it never came to that. Who enters in its place.
    pub(super) fn leave(&mut self, sender: S, proved: Option<bool>, now: Instant) -> Option<u64> {
        self.running = self.running.saturating_sub(1);
        if let Some(known) = self.senders.get_mut(&sender) {
            known.running = known.running.saturating_sub(1);
            known.fade(now);
            match proved {
                Some(true) => (known.proved_at, known.failures) = (Some(now), 0.0),
                Some(false) => known.failures += 1.0,
                None => {}
            }
        }
        self.call(now)
    }

    /// One that waits goes away.
    pub(super) fn go_away(&mut self, sender: S, number: u64) {
        if let Some(known) = self.senders.get_mut(&sender) {
            known.waiting.retain(|waiting| *waiting != number);
        }
    }

    /// The next to enter.
    fn call(&mut self, now: Instant) -> Option<u64> {
        loop {
            let waiting = (0..self.rings.len()).filter(|ring| !self.rings[*ring].waiting.is_empty());
            let ring = waiting.min_by(|a, b| self.rings[*a].had.total_cmp(&self.rings[*b].had))?;
            let sender = self.rings[ring].waiting.pop_front()?;
            let Some(known) = self.senders.get_mut(&sender) else { continue };
            let number = known.waiting.pop_front();
            known.queued = !known.waiting.is_empty();
            let (queued, standing) = (known.queued, known.standing(now));
            known.running += usize::from(number.is_some());
            if queued {
                self.queue(sender, standing);
            }
            // All that waited of it may have gone away.
            if let Some(number) = number {
                self.rings[ring].had += 1.0 / SHARES[ring];
                self.running += 1;
                return Some(number);
            }
        }
    }

    /// Puts a sender at the end of its ring. A ring that was empty has saved nothing up.
    fn queue(&mut self, sender: S, standing: Standing) {
        let ring = standing as usize;
        if self.rings[ring].waiting.is_empty() {
            let others = self.rings.iter().filter(|other| !other.waiting.is_empty()).map(|other| other.had);
            let least = others.min_by(f64::total_cmp).unwrap_or(0.0);
            self.rings[ring].had = self.rings[ring].had.max(least);
        }
        self.rings[ring].waiting.push_back(sender);
    }

    /// Forgets some idle senders: first those of which least is known, and among these the ones seen longest ago.
    fn forget(&mut self, now: Instant) {
        let idle = self.senders.iter().filter(|(_, known)| known.is_idle());
        let mut idle: Vec<_> = idle
            .map(|(sender, known)| {
                let rank = match known.standing(now) {
                    Standing::New => 0,
                    Standing::Failing => 1,
                    Standing::Proved => 2,
                };
                (rank, known.at, *sender)
            })
            .collect();
        idle.sort_unstable_by_key(|(rank, at, _)| (*rank, *at));
        for (_, _, sender) in idle.into_iter().take(REMEMBERED_MAX / 8) {
            self.senders.remove(&sender);
        }
    }
}

#[cfg(test)]
mod tests;
