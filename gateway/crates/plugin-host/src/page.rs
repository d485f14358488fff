//! What a call gives back.
//!
//! The types do not implement `Debug`: a payload is personal data and must not slip into a log by way of `{:?}`.

use std::sync::Arc;

use renmen_egress::{CallMemory, Exchange};
use renmen_schema::{RunFinding, RunOmission};

use crate::usage::Usage;

/// One page of a stream: the unit that a run commits.
pub struct Page {
    /// The records, not yet validated.
    pub records: Vec<Envelope>,
    /// What the connector could not turn into a record.
    pub rejects: Vec<Reject>,
    /// Parts of the source that could not be read. Their texts are cleaned guest text of at most 4 KiB.
    pub findings: Vec<RunFinding>,
    /// What declared rules left out. Their texts are cleaned guest text of at most 256 bytes each.
    pub omissions: Vec<RunOmission>,
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
