//! Streams and their runs.

use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use serde::{Deserialize, Serialize};

use super::{CommitOutcome, RunFinding, RunTrigger};

/// The key of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    pub tenant: TenantId,
    /// Through which connection.
    pub connection: ConnectionName,
    pub stream: StreamName,
}

/// Where a stream stands.
#[derive(Debug, Clone, Default)]
pub struct StreamState {
    /// Where the next page begins.
    pub cursor: Option<String>,
    /// True: the last committed page said that there is more: a run was cut.
    pub mid_run: bool,
    /// True: a sweep is under way, every page of it is committed so far, and none said that it is partial.
    pub sweeping: bool,
    /// Records now in the store that came through this stream's connection (live and deleted); 0 lets a first run skip look-ups.
    pub records: u64,
}

/// What a schedule asks of a stream that several gateways may read.
#[derive(Debug, Clone, Default)]
pub struct StreamStand {
    /// The clock by which leases count, at this look.
    pub now_ms: i64,
    /// The last run that read the stream.
    pub last_run: Option<RunId>,
    /// When it began, by the same clock.
    pub last_began_at_ms: Option<i64>,
    /// True: the last committed page said that there is more: a run was cut.
    pub mid_run: bool,
    /// Until when the run that is under way holds the stream, by the same clock; none when none does.
    pub live_until_ms: Option<i64>,
    /// The last runs that read it, newest first.
    pub runs: Vec<RunRow>,
}

impl StreamStand {
    /// Its last run came to no end by itself: its gateway ended or was cut off.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        let cut = |run: &RunRow| match run.state {
            RunState::Running => self.live_until_ms.is_none(),
            state => state == RunState::Interrupted,
        };
        self.mid_run || self.runs.first().is_some_and(cut)
    }
}

/// A run about to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub key: StreamKey,
    /// Plugin name, version and digest: lineage names them.
    pub plugin: PluginRef,
    /// What begins it.
    pub trigger: RunTrigger,
    pub now_ms: i64,
    /// How long without a commit until another gateway may take the stream over.
    pub lease_ms: i64,
}

/// Which code made a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginRef {
    /// `staff-api`.
    pub name: String,
    /// `0.1.0`.
    pub version: String,
    /// `sha256:…`.
    pub digest: String,
}

impl RunState {
    /// It came to its last page.
    #[must_use]
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithFindings)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not ended.
    Running,
    /// The last page was committed.
    Completed,
    /// The last page was committed, and the run has findings: something was not read, or waits for a person.
    CompletedWithFindings,
    /// It stopped before the last page; what was committed stays and the next run goes on.
    Failed,
    /// The process ended in the middle; found at the next start.
    Interrupted,
}

/// Figures and end of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunRow {
    pub id: RunId,
    pub connection: ConnectionName,
    pub stream: StreamName,
    pub plugin: PluginRef,
    /// What began it.
    pub trigger: RunTrigger,
    pub state: RunState,
    pub started_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// Committed pages.
    pub pages: u64,
    /// Records in them.
    pub records: u64,
    /// Sums of the commits. Of `records`, each is one of created, updated, unchanged, deleted and not swept, quarantined, repeated.
    #[serde(flatten)]
    pub outcome: CommitOutcome,
    /// Records that declared rules left out; not in `records`.
    pub omitted: u64,
    /// How many findings it has.
    pub findings: u64,
    /// How many records the vendor said that the listing holds.
    pub total: Option<u64>,
    /// Who released the deletions that it held.
    pub released_by: Option<String>,
    /// Why it failed: `rate_limited: …`.
    pub error: Option<String>,
    /// When it will be tried again.
    pub retry_at_ms: Option<i64>,
}

/// End of a run.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// `Completed`, `CompletedWithFindings` or `Failed`.
    pub state: RunState,
    /// What was found at its end.
    pub findings: Vec<RunFinding>,
    pub error: Option<String>,
    /// When it will be tried again.
    pub retry_at_ms: Option<i64>,
    pub now_ms: i64,
}
