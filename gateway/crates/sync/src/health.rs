//! How every stream is doing, and which of them a run holds: the engine's memory of what the store tells it at start.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::RunId;
use renmen_store::{RunRow, RunState, StreamKey};
use serde::Serialize;

use crate::{RunFailure, RunReport, SyncError};

/// One stream as it stands. Times are milliseconds since the epoch.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StreamHealth {
    /// The run that is live in this process.
    pub running: Option<RunId>,
    /// The run that is live, or else the last one.
    pub last_run: Option<RunId>,
    /// When that began.
    pub last_started_at_ms: Option<i64>,
    /// When the last complete run ended: how fresh the records are.
    pub last_success_at_ms: Option<i64>,
    /// How long ago that was.
    pub lag_ms: Option<i64>,
    /// When it runs next by itself; only while [`crate::Engine::serve`] runs.
    pub next_run_at_ms: Option<i64>,
    /// Findings of the last complete run.
    pub findings: u64,
    /// Failed runs since the last complete one.
    pub failures: u32,
    /// Why the last run failed, while `failures` is not 0: `code: message`.
    pub error: Option<String>,
    /// When a failed stream is tried again.
    pub retry_at_ms: Option<i64>,
    /// True: only a person can remove the reason.
    pub blocked: bool,
    /// Records of the last run, and of what came since, whose time lay too far ahead of the clock to be believed.
    pub dated_ahead: u64,
}

/// What to say about times in the future.
pub(crate) const DATED_AHEAD: &str = "records name a time of change too far ahead of the gateway's clock: they are taken in as if they \
                                      named none. Check both clocks; `limits.dated_ahead_max` says how far is believed";

#[derive(Default)]
pub(crate) struct Book {
    streams: Mutex<BTreeMap<StreamKey, Entry>>,
}

#[derive(Default)]
struct Entry {
    health: StreamHealth,
    claimed: bool,
    /// A run of this process whose end could not be written.
    unfinished: Option<RunId>,
    /// The last run of this process.
    own: Option<RunId>,
    /// The last run that was read from the store, and how it stood then.
    read: Option<(RunId, RunState)>,
}

/// Holds a stream for a run; given back when the last clone is gone.
pub(crate) struct Claim {
    book: Arc<Book>,
    key: StreamKey,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.book.with(&self.key, |entry| {
            entry.claimed = false;
            entry.health.running = None;
        });
    }
}

impl Book {
    fn with<T>(&self, key: &StreamKey, work: impl FnOnce(&mut Entry) -> T) -> T {
        let mut streams = self.streams.lock();
        match streams.get_mut(key) {
            Some(entry) => work(entry),
            None => work(streams.entry(key.clone()).or_default()),
        }
    }

    /// Takes a stream for a run.
    pub(crate) fn claim(self: &Arc<Self>, key: &StreamKey) -> Result<Arc<Claim>, SyncError> {
        self.with(key, |entry| {
            if std::mem::replace(&mut entry.claimed, true) {
                return Err(SyncError::Running { run: entry.health.running });
            }
            Ok(Arc::new(Claim { book: Arc::clone(self), key: key.clone() }))
        })
    }

    pub(crate) fn health(&self, key: &StreamKey) -> StreamHealth {
        self.with(key, |entry| entry.health.clone())
    }

    pub(crate) fn unfinished(&self, key: &StreamKey) -> Option<RunId> {
        self.with(key, |entry| entry.unfinished)
    }

    pub(crate) fn finished(&self, key: &StreamKey) {
        self.with(key, |entry| entry.unfinished = None);
    }

    pub(crate) fn began(&self, key: &StreamKey, run: RunId, now_ms: i64) {
        self.with(key, |entry| {
            entry.unfinished = Some(run);
            entry.own = Some(run);
            entry.health.running = Some(run);
            entry.health.last_run = Some(run);
            entry.health.last_started_at_ms = Some(now_ms);
            entry.health.retry_at_ms = None;
        });
    }

    pub(crate) fn ended(&self, report: &RunReport) {
        self.with(&report.key, |entry| {
            entry.unfinished = None;
            entry.health.dated_ahead = report.dated_ahead;
            match &report.failure {
                None => entry.health.succeeded(report.ended_at_ms, report.findings),
                Some(failure) => entry.health.failed(failure),
            }
        });
    }

    /// What came between two runs, by an event or because of one.
    pub(crate) fn dated_ahead(&self, key: &StreamKey, count: u64) {
        if count == 0 {
            return;
        }
        crate::figures::dated_ahead(key, count);
        tracing::warn!(
            connection = %key.connection, stream = %key.stream, records = count, "{DATED_AHEAD}"
        );
        self.with(key, |entry| entry.health.dated_ahead = entry.health.dated_ahead.saturating_add(count));
    }

    pub(crate) fn broke(&self, key: &StreamKey, error: &SyncError) {
        self.with(key, |entry| {
            entry.health.failures = entry.health.failures.saturating_add(1);
            entry.health.error = Some(format!("store: {error}"));
            entry.health.blocked = false;
        });
    }

    pub(crate) fn next(&self, key: &StreamKey, at_ms: Option<i64>) {
        self.with(key, |entry| entry.health.next_run_at_ms = at_ms);
    }

    /// Other code came: what failed with the old one may be tried at once.
    pub(crate) fn reloaded(&self, key: &StreamKey) {
        self.with(key, |entry| entry.health.retry_at_ms = None);
    }

    /// The last run of this process.
    pub(crate) fn own(&self, key: &StreamKey) -> Option<RunId> {
        self.with(key, |entry| entry.own)
    }

    /// Takes over what other gateways did with a stream: its rows, newest first. What this process did last it knows better itself.
    pub(crate) fn learn(&self, key: &StreamKey, rows: &[RunRow]) {
        let Some(last) = rows.first() else { return };
        self.with(key, |entry| {
            let stands = (last.id, last.state);
            if entry.claimed || entry.own >= Some(last.id) || entry.read == Some(stands) {
                return;
            }
            entry.read = Some(stands);
            let rows: Vec<&RunRow> = rows.iter().collect();
            entry.health.last_run = Some(last.id);
            entry.health.last_started_at_ms = Some(last.started_at_ms);
            entry.health.recall(&rows);
            entry.health.error = last.error.clone().filter(|_| last.state == RunState::Failed);
            entry.health.retry_at_ms = last.retry_at_ms.filter(|_| last.state == RunState::Failed);
            entry.health.blocked &= entry.health.failures > 0;
        });
    }

    /// Fills in what the store remembers of a stream: its rows, newest first. What this process saw itself is kept.
    pub(crate) fn remember(&self, key: &StreamKey, rows: &[&RunRow]) {
        let Some(last) = rows.first() else { return };
        self.with(key, |entry| {
            if entry.health.last_run.is_some() {
                return;
            }
            entry.read = Some((last.id, last.state));
            let health = &mut entry.health;
            health.last_run = Some(last.id);
            health.last_started_at_ms = Some(last.started_at_ms);
            health.recall(rows);
            if last.state == RunState::Failed {
                health.error.clone_from(&last.error);
                // A start is a hand's work: what waited for a person is tried at once, a vendor's wish is still honoured.
                let vendors_wish =
                    |error: &String| error.starts_with("rate-limited:") || error.starts_with("upstream-unavailable:");
                health.retry_at_ms = last.retry_at_ms.filter(|_| last.error.as_ref().is_some_and(vendors_wish));
            }
        });
    }
}

impl StreamHealth {
    /// The last success among runs, newest first, and how often one failed since.
    fn recall(&mut self, rows: &[&RunRow]) {
        let success = rows.iter().position(|row| row.state.is_complete());
        if let Some(row) = success.map(|at| rows[at]) {
            self.last_success_at_ms = row.ended_at_ms;
            self.findings = row.findings;
        }
        let since = &rows[..success.unwrap_or(rows.len())];
        let failed = since.iter().filter(|row| row.state == RunState::Failed).count();
        self.failures = u32::try_from(failed).unwrap_or(u32::MAX);
    }

    fn succeeded(&mut self, at_ms: i64, findings: u64) {
        self.last_success_at_ms = Some(at_ms);
        self.findings = findings;
        self.failures = 0;
        self.error = None;
        self.retry_at_ms = None;
        self.blocked = false;
    }

    fn failed(&mut self, failure: &RunFailure) {
        if failure.class != crate::FailureClass::Stopped {
            self.failures = self.failures.saturating_add(1);
        }
        self.error = Some(failure.line());
        self.retry_at_ms = failure.retry_at_ms;
        self.blocked = matches!(failure.class, crate::FailureClass::Operator | crate::FailureClass::Connector);
    }
}
