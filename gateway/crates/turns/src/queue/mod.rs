//! Who is next: a fair queue by connection. Pure: no threads, no clock of its own.
//!
//! Each connection has a lane with a tag, the time on a core that it has used so far; the lane with the least is next. A lane
//! that had nothing to do does not save up: it begins again at most [`CREDIT`] behind the others. Within a lane, what cannot
//! wait goes before what can, but never more than [`URGENT_IN_ROW`] times in a row, and work of one kind goes round in a ring.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// What a turn is taken to use until it is known. Nanoseconds.
pub(crate) const SLICE: u64 = 10_000_000;
/// How far a lane that had nothing to do may be behind: so long it goes before one that never rests. Nanoseconds.
pub(crate) const CREDIT: u64 = 100_000_000;
/// What a turn costs at least: changing hands costs the others something too. Nanoseconds.
pub(crate) const TURN_MIN: u64 = 20_000;
/// Turns of what cannot wait before one of what can.
pub(crate) const URGENT_IN_ROW: u8 = 3;

/// Which work of a connection goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A caller waits for the answer: a delivery, an action, a check.
    Urgent,
    /// No caller waits for the answer: a page of a pull.
    Bulk,
}

/// See the module.
pub(crate) struct FairQueue<J> {
    /// By account: as many as connections in the configuration.
    lanes: HashMap<u64, Lane<J>>,
    /// Lanes with a job that may run: tag, lane.
    ready: BTreeSet<(u64, u64)>,
    /// Lanes with a job that may not run yet: when, lane.
    held: BTreeSet<(u64, u64)>,
    /// The tag of the latest turn.
    floor: u64,
    /// Turns that one lane may have at the same time.
    most_each: usize,
}

struct Lane<J> {
    tag: u64,
    urgent: VecDeque<J>,
    bulk: VecDeque<J>,
    urgent_in_row: u8,
    running: usize,
    held_until: u64,
    stands: Stands,
}

/// Where a lane is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Nowhere,
    Ready(u64),
    Held(u64),
}

/// A turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn<J> {
    pub(crate) lane: u64,
    /// What the lane had used when it began.
    pub(crate) tag: u64,
    pub(crate) job: J,
}

impl<J> Lane<J> {
    fn new(tag: u64) -> Self {
        Self {
            tag,
            urgent: VecDeque::new(),
            bulk: VecDeque::new(),
            urgent_in_row: 0,
            running: 0,
            held_until: 0,
            stands: Stands::Nowhere,
        }
    }

    fn has_job(&self) -> bool {
        !self.urgent.is_empty() || !self.bulk.is_empty()
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && !self.has_job()
    }

    fn take(&mut self) -> Option<J> {
        if !self.urgent.is_empty() && (self.urgent_in_row < URGENT_IN_ROW || self.bulk.is_empty()) {
            self.urgent_in_row = self.urgent_in_row.saturating_add(1);
            return self.urgent.pop_front();
        }
        self.urgent_in_row = 0;
        self.bulk.pop_front()
    }
}

impl<J> FairQueue<J> {
    pub(crate) fn new(most_each: usize) -> Self {
        let (ready, held) = (BTreeSet::new(), BTreeSet::new());
        Self { lanes: HashMap::new(), ready, held, floor: 0, most_each: most_each.max(1) }
    }

    /// Takes a job in; answers what its lane has used.
    pub(crate) fn push(&mut self, number: u64, class: Class, job: J, now: u64) -> u64 {
        let begin = self.floor.saturating_sub(CREDIT);
        let lane = self.lanes.entry(number).or_insert_with(|| Lane::new(begin));
        if lane.is_idle() {
            lane.tag = lane.tag.max(begin);
        }
        match class {
            Class::Urgent => lane.urgent.push_back(job),
            Class::Bulk => lane.bulk.push_back(job),
        }
        let tag = lane.tag;
        self.list(number, now);
        tag
    }

    /// The next turn, if anybody may have one.
    pub(crate) fn pick(&mut self, now: u64) -> Option<Turn<J>> {
        self.release(now);
        let &(_, number) = self.ready.first()?;
        let lane = self.lanes.get_mut(&number)?;
        let job = lane.take()?;
        let tag = lane.tag;
        lane.running += 1;
        lane.tag = tag.saturating_add(SLICE);
        self.floor = self.floor.max(tag);
        self.list(number, now);
        Some(Turn { lane: number, tag, job })
    }

    /// A turn is over: what it used, and until when its lane has no other.
    pub(crate) fn settle(&mut self, number: u64, used: u64, held_until: Option<u64>, now: u64) {
        let Some(lane) = self.lanes.get_mut(&number) else { return };
        lane.running = lane.running.saturating_sub(1);
        lane.tag = lane.tag.saturating_sub(SLICE).saturating_add(used.max(TURN_MIN));
        if let Some(until) = held_until {
            lane.held_until = lane.held_until.max(until);
        }
        self.list(number, now);
    }

    /// A lane that may have a turn now.
    pub(crate) fn has_ready(&mut self, now: u64) -> bool {
        self.release(now);
        !self.ready.is_empty()
    }

    /// When the next lane that is held back may go on.
    pub(crate) fn next_release(&self) -> Option<u64> {
        self.held.first().map(|(until, _)| *until)
    }

    /// Everything that is still in it.
    pub(crate) fn drain(&mut self) -> Vec<J> {
        self.ready.clear();
        self.held.clear();
        self.lanes.drain().flat_map(|(_, lane)| lane.urgent.into_iter().chain(lane.bulk)).collect()
    }

    fn release(&mut self, now: u64) {
        while let Some(&(until, number)) = self.held.first() {
            if until > now {
                return;
            }
            self.list(number, now);
        }
    }

    /// Lists a lane where it belongs.
    fn list(&mut self, number: u64, now: u64) {
        let Some(lane) = self.lanes.get_mut(&number) else { return };
        let stands = if !lane.has_job() || lane.running >= self.most_each {
            Stands::Nowhere
        } else if lane.held_until > now {
            Stands::Held(lane.held_until)
        } else {
            Stands::Ready(lane.tag)
        };
        if stands == lane.stands {
            return;
        }
        match std::mem::replace(&mut lane.stands, stands) {
            Stands::Nowhere => {}
            Stands::Ready(tag) => drop(self.ready.remove(&(tag, number))),
            Stands::Held(until) => drop(self.held.remove(&(until, number))),
        }
        match stands {
            Stands::Nowhere => {}
            Stands::Ready(tag) => drop(self.ready.insert((tag, number))),
            Stands::Held(until) => drop(self.held.insert((until, number))),
        }
    }
}

#[cfg(test)]
mod tests;
