//! A tenant's move from one database to another.

use renmen_schema::id::TenantId;

/// How the text begins of an error of a tenant that is on its way to another database, or gone.
pub(crate) const MOVING: &str = "the tenant is not served here";

/// Where a tenant's move stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveState {
    /// It is leaving: nothing new begins, and deliveries that are being attempted may end.
    Draining,
    /// It is leaving: nothing is written any more.
    Leaving,
    /// It is gone: its rows are still here until they are deleted, and are not served.
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
