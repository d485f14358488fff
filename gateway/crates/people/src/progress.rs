//! Where the work on the identities of a tenant stands, for the operator of the gateway.

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_seat::{Seat, SeatHolder};
use renmen_store::IdentityCounts;

/// Where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleProgress {
    /// Up to this position of the change feed, records were looked at.
    pub followed: i64,
    /// When the oldest change was recorded that was not looked at; none: all were.
    pub behind_since_ms: Option<i64>,
    /// Links that there are.
    pub linked: u64,
    /// What waits for people, and what waits to be settled.
    pub counts: IdentityCounts,
    /// A pass over all records is under way: the first one, or because rules changed. What was found before stays until it is replaced.
    pub pass: Option<PassProgress>,
    /// When the last pass ended.
    pub passed_ms: Option<i64>,
    /// Why it waits: the store is away. None while it works.
    pub waits: Option<String>,
    /// Which gateway works on it; none before that was looked up.
    pub holder: Option<SeatHolder>,
}

/// How far a pass is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassProgress {
    /// Records whose facts were read, since this gateway works on it.
    pub read: u64,
    /// Records that were settled.
    pub settled: u64,
    /// When this gateway began to work on it, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// See the module.
pub(crate) struct Progress {
    seat: Option<Arc<Seat>>,
    state: Mutex<PeopleProgress>,
}

impl Progress {
    pub(crate) fn of(seat: Option<Arc<Seat>>) -> Self {
        Self { seat, state: Mutex::default() }
    }

    pub(crate) fn waits(&self, why: String) {
        self.state.lock().waits = Some(why);
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut PeopleProgress)) {
        let mut state = self.state.lock();
        state.waits = None;
        change(&mut state);
    }

    pub(crate) fn shown(&self) -> PeopleProgress {
        let mut shown = self.state.lock().clone();
        shown.holder = self.seat.as_ref().and_then(|seat| seat.shown());
        shown
    }
}
