//! A tenant's move from one database to another.

use renmen_schema::id::TenantId;

/// Where a tenant's move stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveState {
    /// It is leaving: nothing new begins, and deliveries that are being attempted may end.
    Draining,
    /// It is leaving: nothing is written any more.
    Leaving,
    /// It is gone: its rows are still here until they are deleted, and serve nobody.
    Gone,
    /// It came from another database and is served here.
    Arrived,
}

/// A tenant that is not where it always was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMove {
    pub tenant: TenantId,
    pub state: MoveState,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
    /// Where it went, for people; empty while that is not known.
    pub place: String,
    /// Of the file that it was written to or read from; empty without one.
    pub digest: String,
}
