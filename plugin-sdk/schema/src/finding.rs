//! What a run reports besides its records. The sandbox, the run that counts it and the store all use this one shape.

use serde::Serialize;

use crate::Remedy;

/// A part of the source that a run could not read, or something that the gateway itself found in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFinding {
    /// Which part: `2025-03.xlsx`, `department 7`; empty for the listing as a whole.
    pub part: String,
    /// Stable code: `unreadable_file`, `sweep_held`, or the vendor's own.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Who can put it right.
    pub needs: Remedy,
    /// True: the listing lacks what is in this part, so nothing was taken for deleted.
    pub missing: bool,
}

/// What a declared rule left out of a part of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunOmission {
    /// As in [`RunFinding::part`].
    pub part: String,
    /// The rule: `total_rows`.
    pub rule: String,
    /// How many records.
    pub count: u64,
    /// Where the first of them stand.
    pub places: Vec<String>,
}

impl RunOmission {
    /// How many places are kept of one omission.
    pub const PLACES_MAX: usize = 20;
}
