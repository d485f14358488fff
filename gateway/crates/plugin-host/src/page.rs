//! What a call gives back.
//!
//! The shapes have no `Debug`: a payload is somebody's data and must not slip into a log by way of `{:?}`.

use std::sync::Arc;

use renmen_egress::{CallMemory, Exchange};
use renmen_schema::Remedy;

use crate::usage::Usage;

/// One page of a stream: the unit that a run commits.
pub struct Page {
    /// The records, not yet validated.
    pub records: Vec<Envelope>,
    /// What the connector could not turn into a record.
    pub rejects: Vec<Reject>,
    /// Parts of the source that could not be read.
    pub findings: Vec<PageFinding>,
    /// What declared rules left out.
    pub omissions: Vec<Omission>,
    /// How many records the vendor says the whole listing holds, where it says so.
    pub total: Option<u64>,
    /// Where the next pull goes on. Opaque.
    pub next: Option<String>,
    /// True: ask again now. False: the run is done.
    pub has_more: bool,
    /// What the pages of the run amount to once it ends.
    pub coverage: Coverage,
    /// In the order of `Envelope::exchange`. A connector's mistake can make an envelope name one that is not there.
    pub exchanges: Vec<Arc<Exchange>>,
    /// The memory of the process that is reserved for all this; to be held until the page is committed or given up.
    pub memory: Option<Arc<CallMemory>>,
    /// What the call used up.
    pub usage: Usage,
}

/// What the pages of a run amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Only what changed since the cursor.
    Changes,
    /// Every record that the source has: what was not listed is gone.
    Everything,
}

/// One record as the connector states it: nothing in it is trusted yet.
pub struct Envelope {
    /// The canonical entity: `employee`.
    pub entity: String,
    /// The vendor's own id.
    pub external_id: String,
    /// When the vendor last changed it, in milliseconds since the epoch.
    pub updated_at_ms: Option<i64>,
    /// The vendor says that it is gone; the payload may then be empty.
    pub deleted: bool,
    /// Index into [`Page::exchanges`].
    pub exchange: u32,
    /// RFC 6901 pointer inside that exchange's body, or another locator.
    pub pointer: String,
    /// The record's canonical JSON.
    pub payload: Vec<u8>,
}

/// A vendor record that waits in quarantine.
pub struct Reject {
    /// The entity it should have become.
    pub entity: String,
    /// The vendor's id, where it could be read.
    pub external_id: Option<String>,
    /// Index into [`Page::exchanges`].
    pub exchange: u32,
    /// Where in that exchange.
    pub pointer: String,
    /// Which field, what was found, what was expected. Cleaned guest text of at most 4 KiB.
    pub reason: String,
    /// The vendor's bytes; none where they hold a secret.
    pub raw: Vec<u8>,
    /// `connector` could not read it, or the host refused what `carries_secret`.
    pub code: &'static str,
}

/// A part of the source that could not be read: a file, a sheet, a department. Its texts are cleaned guest text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFinding {
    /// Which part: `2025-03.xlsx`. At most 256 bytes.
    pub part: String,
    /// Stable, for programs: `unreadable_file`, or the vendor's own code. At most 256 bytes.
    pub code: String,
    /// What happened and what to do. At most 4 KiB.
    pub message: String,
    /// Who can put it right.
    pub needs: Remedy,
    /// True: the listing lacks what is in this part, so nothing may be taken for deleted.
    pub missing: bool,
}

/// What a declared rule left out of a part. Its texts are cleaned guest text of at most 256 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    /// As in [`PageFinding::part`].
    pub part: String,
    /// The rule: `total_rows`.
    pub rule: String,
    /// How many records.
    pub count: u64,
    /// Where the first of them stand; at most [`Omission::PLACES_MAX`].
    pub places: Vec<String>,
}

impl Omission {
    /// How many places are kept of one omission.
    pub const PLACES_MAX: usize = 20;
}

/// One thing that a probe tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried: `token`, `list departments`.
    pub name: String,
    /// Did it work?
    pub ok: bool,
    /// What was found, and what to do about it. Cleaned guest text of at most 4 KiB.
    pub message: String,
}
