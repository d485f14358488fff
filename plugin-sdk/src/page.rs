//! What one pull amounts to: records, rejects, and where to go on.

use crate::schema::{Entity, Remedy};
use crate::unfit::Unfit;
use crate::{Failure, FailureKind};

/// What the pages of a run amount to once it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coverage {
    /// Only what changed since the cursor.
    #[default]
    Changes,
    /// Every record that the source has: what was not listed is gone.
    Everything,
}

/// One canonical record on its way to the gateway. Its `Debug` leaves the payload out: it is a person's.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The canonical entity: `employee`.
    pub entity: String,
    /// The vendor's own id, unique for this connection and entity.
    pub external_id: String,
    /// When the vendor last changed it, in milliseconds since 1970-01-01T00:00Z.
    pub updated_at_ms: Option<i64>,
    /// The vendor says that it is gone; then there is no payload.
    pub deleted: bool,
    /// Which response of this call it came from.
    pub exchange: u32,
    /// RFC 6901 pointer into that response's body, or another locator (`Sheet1!B17`).
    pub pointer: String,
    /// Canonical JSON.
    pub payload: Vec<u8>,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({} {}, {} bytes)", self.entity, self.pointer, self.payload.len())
    }
}

/// A vendor record that could not become a canonical one. Its `Debug` leaves the bytes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Reject {
    /// What it should have become.
    pub entity: String,
    /// The vendor's id, where it could be read.
    pub external_id: Option<String>,
    /// Which response of this call it came from.
    pub exchange: u32,
    /// As in [`Envelope::pointer`].
    pub pointer: String,
    /// Which field, what type was found, what was expected: never a person's value.
    pub reason: String,
    /// The vendor's bytes of this record.
    pub raw: Vec<u8>,
}

impl std::fmt::Debug for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reject({} {}, {})", self.entity, self.pointer, self.reason)
    }
}

/// A part of the source that could not be read: a file, a sheet, a department. The page goes on without it, and the run ends
/// as completed with findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFinding {
    /// Which part, without anybody's data: `2025-03.xlsx`, `department 7`.
    pub part: String,
    /// Stable, for programs: `unreadable_file`, or the vendor's own code.
    pub code: String,
    /// What happened and what to do. Never a secret, never a person's data.
    pub message: String,
    /// Who can put it right.
    pub needs: Remedy,
    /// True: the listing lacks what is in this part, so the run takes nothing that it did not list for deleted.
    pub missing: bool,
}

impl PageFinding {
    /// The finding for a part whose reading failed: its records are missing from the listing.
    #[must_use]
    pub fn failed(part: impl Into<String>, failure: &Failure) -> Self {
        let needs = match failure.kind {
            FailureKind::AuthRequired | FailureKind::NotGranted | FailureKind::BadConfig => Remedy::Operator,
            FailureKind::RateLimited | FailureKind::UpstreamUnavailable => Remedy::Vendor,
            FailureKind::UpstreamChanged | FailureKind::InvalidInput | FailureKind::Internal => Remedy::Connector,
        };
        Self {
            part: part.into(),
            code: failure.code.clone().unwrap_or_else(|| failure.kind.name().to_owned()),
            message: failure.message.clone(),
            needs,
            missing: true,
        }
    }

    /// Sets who can put it right, where that differs from what the failure's kind says.
    #[must_use]
    pub fn needing(mut self, needs: Remedy) -> Self {
        self.needs = needs;
        self
    }
}

/// What a declared rule left out of a part: total rows, filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    /// As in [`PageFinding::part`].
    pub part: String,
    /// The rule, as the configuration names it: `total_rows`.
    pub rule: String,
    /// How many.
    pub count: u64,
    /// Where the first of them stand: `Sheet1!17`.
    pub places: Vec<String>,
}

/// One page, built record by record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What could be read.
    pub records: Vec<Envelope>,
    /// What could not.
    pub rejects: Vec<Reject>,
    /// Which parts of the source could not be read.
    pub findings: Vec<PageFinding>,
    /// What a declared rule left out.
    pub omissions: Vec<Omission>,
    /// How many records the vendor says the whole listing holds, where it says so.
    pub total: Option<u64>,
    /// Where the next pull goes on.
    pub next: Option<String>,
    /// Ask again now?
    pub has_more: bool,
    /// What the run amounts to.
    pub coverage: Coverage,
}

/// Where a record was found: the number of its exchange and a pointer into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// [`Response::exchange`](crate::http::Response::exchange).
    pub exchange: u32,
    /// As in [`Envelope::pointer`].
    pub pointer: &'a str,
}

impl Page {
    /// An empty page after which the run is done.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record. [`Page::map_items`] is the way for a list; this is for what was put together by hand.
    ///
    /// # Errors
    /// [`Unfit`] when the entity cannot be written as JSON; nothing was added.
    pub fn push<E: Entity>(
        &mut self,
        origin: Origin<'_>,
        external_id: impl Into<String>,
        updated_at_ms: Option<i64>,
        entity: &E,
    ) -> Result<(), Unfit> {
        // The last payload is a good guess for the next one's size: a list holds records of one kind.
        let mut payload = Vec::with_capacity(self.records.last().map_or(256, |last| last.payload.len() + 64));
        serde_json::to_writer(&mut payload, entity)?;
        self.records.push(Envelope {
            entity: E::KIND.name().to_owned(),
            external_id: external_id.into(),
            updated_at_ms,
            deleted: false,
            exchange: origin.exchange,
            pointer: origin.pointer.to_owned(),
            payload,
        });
        Ok(())
    }

    /// Adds the news that a record is gone.
    pub fn push_deleted<E: Entity>(
        &mut self,
        origin: Origin<'_>,
        external_id: impl Into<String>,
        updated_at_ms: Option<i64>,
    ) {
        self.records.push(Envelope {
            entity: E::KIND.name().to_owned(),
            external_id: external_id.into(),
            updated_at_ms,
            deleted: true,
            exchange: origin.exchange,
            pointer: origin.pointer.to_owned(),
            payload: Vec::new(),
        });
    }

    /// Adds a record that could not be taken in. `raw` is the vendor's own bytes.
    pub fn reject<E: Entity>(
        &mut self,
        origin: Origin<'_>,
        external_id: Option<String>,
        reason: impl Into<String>,
        raw: impl Into<Vec<u8>>,
    ) {
        self.rejects.push(Reject {
            entity: E::KIND.name().to_owned(),
            external_id,
            exchange: origin.exchange,
            pointer: origin.pointer.to_owned(),
            reason: reason.into(),
            raw: raw.into(),
        });
    }

    /// The run goes on at `cursor`.
    #[must_use]
    pub fn more(mut self, cursor: impl Into<String>) -> Self {
        (self.next, self.has_more) = (Some(cursor.into()), true);
        self
    }

    /// The run is done; the next one starts at `cursor`.
    #[must_use]
    pub fn done(mut self, cursor: impl Into<String>) -> Self {
        (self.next, self.has_more) = (Some(cursor.into()), false);
        self
    }

    /// The run lists every record that the source has: what it did not list is gone.
    #[must_use]
    pub fn everything(mut self) -> Self {
        self.coverage = Coverage::Everything;
        self
    }
}
