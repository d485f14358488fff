//! What a run reports while it goes: for progress bars, tables and callers that wait for its number. Nothing here may
//! block.

use renmen_schema::id::RunId;
use renmen_store::{CommitOutcome, StreamKey};

use crate::RunReport;

/// Hears of a run. Called from the run's own task: return at once.
pub trait Progress: Send + Sync {
    /// One thing that happened.
    fn event(&self, event: &ProgressEvent<'_>);
}

/// What can happen.
#[derive(Debug)]
pub enum ProgressEvent<'a> {
    /// The run has its number.
    Began {
        /// Which stream.
        key: &'a StreamKey,
        /// Its number.
        run: RunId,
        /// True: it goes on where an earlier one was cut.
        resumed: bool,
    },
    /// A page is in the store.
    Committed {
        /// Which stream.
        key: &'a StreamKey,
        /// The run.
        run: RunId,
        /// From 0 within the run.
        page: u64,
        /// What this page did.
        outcome: CommitOutcome,
        /// Pages so far.
        pages: u64,
        /// Records in them so far.
        records: u64,
        /// Records listed so far: those, and those that declared rules left out.
        listed: u64,
        /// How many records the vendor says the listing holds, where it says so.
        total: Option<u64>,
    },
    /// The run is over.
    Ended {
        /// Its figures.
        report: &'a RunReport,
    },
}

/// Discards every event.
#[derive(Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn event(&self, _event: &ProgressEvent<'_>) {}
}
