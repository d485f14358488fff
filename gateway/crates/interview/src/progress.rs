//! Where the loop stands, for the operator of the gateway: its place in the change feed, how far behind that is, and
//! what it had to set aside. Kept in memory only: what is set aside has a timer, so a gateway that starts again finds
//! out by looking again.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::adjust::WaitingAdjustment;
use crate::decide::{RuleBook, RuleUse};
use crate::target::Target;
use renmen_seat::{Seat, SeatHolder};

/// Subjects that are kept by name; beyond it they are counted.
const NAMED_MAX: usize = 100;
/// Subjects that are remembered at all.
const KEPT_MAX: usize = 100_000;

/// Where the loop of one tenant stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoopProgress {
    /// Its place in the change feed.
    pub place: i64,
    /// When the oldest change was recorded that it has not looked at; none: it has looked at all.
    pub behind_since_ms: Option<i64>,
    /// Why it waits: the store is away. None while it works.
    pub waits: Option<String>,
    /// Interviews and orders that could not be worked on.
    pub set_aside: usize,
    /// The first of them.
    pub first_set_aside: Vec<SetAside>,
    /// How often each rule was used since the gateway began.
    pub rules: Vec<RuleUse>,
    /// Results for which there was no rule, since the gateway began.
    pub without_rule: u64,
    /// Which gateway works on it; none before that was looked up.
    pub holder: Option<SeatHolder>,
    /// Adjust instructions that wait too long.
    pub adjustments_waiting: usize,
    /// The first of them.
    pub first_adjustments_waiting: Vec<WaitingAdjustment>,
}

/// An interview or an order that could not be worked on. It is looked at again when it changes, and from time to time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// `interview`, `interview_order`.
    pub entity: String,
    /// Through which connection it came.
    pub connection: String,
    /// Its id there.
    pub external_id: String,
    /// What is wrong, and what to do. Holds no value of a record.
    pub reason: String,
    /// When it was set aside, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// See the module.
pub(crate) struct Progress {
    rules: RuleBook,
    /// None for work that is done once, outside the loop.
    seat: Option<Arc<Seat>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    place: i64,
    behind_since_ms: Option<i64>,
    waits: Option<String>,
    aside: BTreeMap<Target, (String, i64)>,
    adjustments: Vec<WaitingAdjustment>,
}

impl Progress {
    /// Of a loop that begins, with these rules.
    pub(crate) fn of(rules: RuleBook, seat: Option<Arc<Seat>>) -> Self {
        Self { rules, seat, state: Mutex::default() }
    }

    /// The loop read the feed up to here; the oldest change after it is of this time.
    pub(crate) fn at(&self, place: i64, behind_since_ms: Option<i64>) {
        let mut state = self.state.lock();
        state.place = place;
        state.behind_since_ms = behind_since_ms;
        state.waits = None;
    }

    /// The loop waits for something.
    pub(crate) fn waits(&self, why: String) {
        self.state.lock().waits = Some(why);
    }

    /// True when it was not set aside for this reason before.
    pub(crate) fn set_aside(&self, target: &Target, reason: &str, now_ms: i64) -> bool {
        let mut state = self.state.lock();
        let since_ms = state.aside.get(target).map_or(now_ms, |(_, since_ms)| *since_ms);
        let before = state.aside.get(target).is_some_and(|(known, _)| known == reason);
        if state.aside.len() < KEPT_MAX || state.aside.contains_key(target) {
            state.aside.insert(target.clone(), (reason.to_owned(), since_ms));
        }
        !before
    }

    /// It was worked on.
    pub(crate) fn done(&self, target: &Target) {
        self.state.lock().aside.remove(target);
    }

    /// These adjust instructions wait too long, and no others do.
    pub(crate) fn adjustments_wait(&self, waiting: Vec<WaitingAdjustment>) {
        self.state.lock().adjustments = waiting;
    }

    pub(crate) fn shown(&self) -> LoopProgress {
        let state = self.state.lock();
        let named = state.aside.iter().take(NAMED_MAX).map(|(target, (reason, since_ms))| SetAside {
            entity: target.entity.to_owned(),
            connection: target.connection.clone(),
            external_id: target.external_id.clone(),
            reason: reason.clone(),
            since_ms: *since_ms,
        });
        let (rules, without_rule) = self.rules.uses();
        LoopProgress {
            place: state.place,
            behind_since_ms: state.behind_since_ms,
            waits: state.waits.clone(),
            set_aside: state.aside.len(),
            first_set_aside: named.collect(),
            rules,
            without_rule,
            holder: self.seat.as_ref().and_then(|seat| seat.shown()),
            adjustments_waiting: state.adjustments.len(),
            first_adjustments_waiting: state.adjustments.iter().take(NAMED_MAX).cloned().collect(),
        }
    }
}
