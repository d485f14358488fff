//! What goes in: one page, all of it or nothing.

use renmen_schema::Text;
use renmen_schema::id::RunId;
use serde::Serialize;

use super::{Brake, Content, ContentHash, DeletedBy, PageNotes, StreamKey};

/// What one page changes: all of it or nothing.
#[derive(Debug, Clone)]
pub struct PageCommit {
    pub key: StreamKey,
    /// The run; a commit for a run that is no longer live is refused with [`crate::StoreError::Fenced`].
    pub run: RunId,
    /// What the page was asked with; refused with `Fenced` when the stored cursor is another.
    pub cursor_before: Option<String>,
    /// Where the next page begins.
    pub cursor_after: Option<String>,
    /// False: the run's last page.
    pub has_more: bool,
    /// Set on streams whose deletes are found by diff.
    pub sweep: Option<Sweep>,
    /// In the page's order; the last of two with the same id wins.
    pub records: Vec<RecordWrite>,
    /// Every record of the page that is known to be unchanged already (only for `sweep`'s sake): entity and external id.
    pub unchanged: Vec<(String, String)>,
    /// What was refused.
    pub quarantine: Vec<QuarantineWrite>,
    /// What it reports besides its records.
    pub notes: PageNotes,
    /// What was read.
    pub exchanges: Vec<ExchangeWrite>,
    /// The clock that the connector saw while it made this page: kept as [`PageRow::now_ms`], shown again by a replay.
    pub clock_ms: i64,
    /// The clock of the commit.
    pub now_ms: i64,
}

/// One record on its way in: validated, canonical, hashed, its keys read.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// The vendor's id.
    pub external_id: String,
    pub content: Content,
    /// The vendor's clock.
    pub updated_at_ms: Option<i64>,
    /// Number of the exchange within the page.
    pub exchange_no: u32,
    /// Where in that exchange.
    pub pointer: String,
    /// Set for a deletion.
    pub deleted: Option<DeletedBy>,
}

impl RecordWrite {
    /// `employee`.
    #[must_use]
    pub fn entity(&self) -> &str {
        self.content.entity()
    }

    /// Canonical JSON; empty for a deletion, which keeps the last body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.content.body()
    }

    /// Of the body.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.content.hash()
    }
}

/// One record that could not be taken in.
#[derive(Debug, Clone)]
pub struct QuarantineWrite {
    /// As the connector named it.
    pub entity: String,
    /// When it had one.
    pub external_id: Option<String>,
    /// Number of the exchange within the page.
    pub exchange_no: u32,
    /// Where in that exchange.
    pub pointer: String,
    /// Stable code: `invalid_json`, `missing_external_id`, `schema`, `connector`, …
    pub code: String,
    /// For people; holds no value of the record.
    pub reason: Text,
    /// The original bytes as the connector passed them.
    pub raw: Vec<u8>,
}

/// One exchange on its way in.
#[derive(Debug, Clone)]
pub struct ExchangeWrite {
    /// From 0 within the page.
    pub no: u32,
    pub method: String,
    /// URL without credentials.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Identity of the request: what a tape looks for.
    pub key: [u8; 16],
    /// SHA-256 is not needed on the hot path: BLAKE3 of the response body.
    pub body_hash: [u8; 32],
    /// The whole exchange, serialised by sync and compressed with zstd: opaque here.
    pub packed: Vec<u8>,
    /// Where in `packed` the answer's body begins, of one that is kept once however often it comes: what stands from there on may be taken
    /// from another exchange of the connection with the same `body_hash`. None: it is kept with its exchange.
    pub body_at: Option<u32>,
    /// When the answer was complete.
    pub at_ms: i64,
}

impl ExchangeWrite {
    /// What is kept with the exchange, and the body that is shared with others.
    pub(crate) fn parts(&self) -> (&[u8], Option<&[u8]>) {
        let at = self.body_at.and_then(|at| usize::try_from(at).ok());
        match at.and_then(|at| self.packed.split_at_checked(at)) {
            Some((own, body)) => (own, Some(body)),
            None => (&self.packed, None),
        }
    }
}

/// A listing of everything, which may span runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// This page begins it: what was seen before is forgotten.
    pub begins: bool,
    /// This page ends it and it covered everything: what was not seen since it began gets a tombstone.
    pub ends: bool,
    /// The listing is known to lack something: no page of the sweep may end it, in this run or one that goes on with it.
    pub partial: bool,
    /// When its deletions wait for a person; none: never.
    pub brake: Option<Brake>,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CommitOutcome {
    /// New records.
    pub created: u64,
    /// Records with another body.
    pub updated: u64,
    /// Records that stayed as they were: nothing was written.
    pub unchanged: u64,
    /// New tombstones.
    pub deleted: u64,
    /// Of these, records that a whole listing no longer held.
    pub swept: u64,
    /// Records refused.
    pub quarantined: u64,
    /// Records whose key came again in the same page: the last one stands for them.
    pub repeated: u64,
    /// Deletions that wait for a person: see [`Sweep::brake`].
    pub held: u64,
    /// Exchanges of earlier pages that were taken out because the connection's `exchanges_bytes_max` was met.
    pub exchanges_pruned: u64,
    /// The last entry of the change feed after this commit.
    pub last_seq: i64,
}
