//! What is kept besides the records: exchanges, pages, quarantine, screens.

use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, StreamName, TenantId};

use super::{ExchangeWrite, QuarantineWrite};

/// One exchange as kept.
#[derive(Debug, Clone)]
pub struct ExchangeRow {
    pub id: ExchangeId,
    pub run: RunId,
    pub connection: ConnectionName,
    pub stream: StreamName,
    /// As written.
    pub exchange: ExchangeWrite,
}

/// One committed page, for replay: what it was asked with and what it read.
#[derive(Debug, Clone)]
pub struct PageRow {
    pub id: i64,
    pub run: RunId,
    /// The cursor that the page was asked with.
    pub cursor_before: Option<String>,
    /// The cursor that the page left.
    pub cursor_after: Option<String>,
    /// The clock that the connector saw.
    pub now_ms: i64,
}

/// One quarantined record.
#[derive(Debug, Clone)]
pub struct QuarantineRow {
    pub id: i64,
    pub connection: ConnectionName,
    pub stream: StreamName,
    pub run: RunId,
    /// Page: its exchanges are the originals.
    pub page: i64,
    /// As written.
    pub item: QuarantineWrite,
    pub at_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
}

/// A token of a candidate's screen: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenTokenRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    pub tenant: TenantId,
    /// The only interview that it is good for.
    pub interview: RecordId,
    /// When it ends.
    pub expires_at_ms: i64,
}
