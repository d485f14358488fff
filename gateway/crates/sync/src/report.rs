//! What a run amounted to.

use renmen_schema::id::RunId;
use renmen_store::{CommitOutcome, RunFinding, StreamKey};
use serde::Serialize;

use crate::RunFailure;

/// The figures and the end of a run. What was committed stays committed, however the run ended.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Which stream.
    #[serde(serialize_with = "key_parts")]
    pub key: StreamKey,
    /// Its number in the store.
    pub run: RunId,
    /// It went on where an earlier one was cut.
    pub resumed: bool,
    /// Committed pages.
    pub pages: u64,
    /// Records in them, good or not.
    pub records: u64,
    /// Sums of the commits.
    #[serde(flatten)]
    pub outcome: CommitOutcome,
    /// Records whose time lay too far ahead of the clock to be believed: they were taken in as if they named no time.
    pub dated_ahead: u64,
    /// Answers that came from the network.
    pub fetched: u64,
    /// Answers that a killed run had already fetched.
    pub recalled: u64,
    /// Records that declared rules left out; not in `records`.
    pub omitted: u64,
    /// How many records the vendor said that the listing holds.
    pub total: Option<u64>,
    /// How many findings it has: `told`, and those over `findings_max`.
    pub findings: u64,
    /// What could not be read, or was found at the end.
    pub told: Vec<RunFinding>,
    /// Begin, milliseconds since the epoch.
    pub started_at_ms: i64,
    /// End.
    pub ended_at_ms: i64,
    /// Why it stopped before its last page; none when it did not.
    pub failure: Option<RunFailure>,
}

impl RunReport {
    /// It reached its last page.
    #[must_use]
    pub fn completed(&self) -> bool {
        self.failure.is_none()
    }
}

fn key_parts<S: serde::Serializer>(key: &StreamKey, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;
    let mut parts = serializer.serialize_struct("StreamKey", 3)?;
    parts.serialize_field("tenant", &key.tenant)?;
    parts.serialize_field("connection", &key.connection)?;
    parts.serialize_field("stream", &key.stream)?;
    parts.end()
}

/// Adds what one commit did to the sums of its run.
pub(crate) fn add(sum: &mut CommitOutcome, page: &CommitOutcome) {
    sum.created += page.created;
    sum.updated += page.updated;
    sum.unchanged += page.unchanged;
    sum.deleted += page.deleted;
    sum.swept += page.swept;
    sum.repeated += page.repeated;
    sum.held += page.held;
    sum.quarantined += page.quarantined;
    sum.last_seq = page.last_seq;
}
