//! What a run reports besides its records: what it could not read, what it left out, which deletions it held back.

use renmen_schema::id::{ConnectionName, RecordId, RunId, StreamName};
use renmen_schema::{RunFinding, RunOmission};
use serde::Serialize;

/// What one page reports besides its records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageNotes {
    /// What could not be read.
    pub findings: Vec<RunFinding>,
    /// What was left out.
    pub omissions: Vec<RunOmission>,
    /// How many records the vendor says the whole listing holds.
    pub total: Option<u64>,
}

/// From when on the deletions of a sweep wait for a person: when they are more than both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brake {
    /// Records; so many may go in any case.
    pub records: u64,
    /// Share, 0 to 1, of the live records that the stream had before the sweep.
    pub ratio: f64,
}

impl Brake {
    /// Are `missing` of `of` records too many?
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no exact count")]
    pub fn holds(&self, missing: u64, of: u64) -> bool {
        missing > self.records && missing as f64 > self.ratio * of as f64
    }
}

/// A sweep whose deletions wait for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldSweep {
    /// The run whose listing it was: what a release names.
    pub run: RunId,
    pub connection: ConnectionName,
    pub stream: StreamName,
    /// Live records that the listing no longer held.
    pub missing: u64,
    /// Live records that the stream had before it.
    pub of: u64,
    /// When the listing ended.
    pub since_ms: i64,
}

/// A record that a held sweep would delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRecord {
    pub id: RecordId,
    /// `employee`.
    pub entity: String,
    /// The vendor's id.
    pub external_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brake_holds_when_both_number_and_share_are_passed() {
        let brake = Brake { records: 10, ratio: 0.2 };
        assert!(!brake.holds(10, 10), "so few may go, however large their share is");
        assert!(brake.holds(11, 54), "11 of 54 is more than a fifth");
        assert!(!brake.holds(11, 55), "11 of 55 is a fifth");
        assert!(!Brake { ratio: 1.0, ..brake }.holds(1_000, 1_000), "a share of 1 holds nothing");
        assert!(Brake { records: 0, ratio: 0.0 }.holds(1, 1_000));
    }
}
