//! What is kept for a time: the kinds of it, and where a pass over it stands.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};

/// The connection that something belongs to.
pub(crate) type Owner = (TenantId, ConnectionName);

/// The hash of a body that exchanges share.
pub(crate) type BodyHash = [u8; 32];

/// An exchange that was taken out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemovedExchange {
    /// Of its row.
    pub(crate) bytes: i64,
    /// The body that it shared with others.
    pub(crate) body: Option<BodyHash>,
}

/// What has an age after which it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetainedKind {
    Exchanges,
    Runs,
    Quarantine,
    /// Deliveries of vendors.
    Inbox,
    /// Deliveries of flows.
    Deliveries,
}

impl RetainedKind {
    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchanges => "exchanges",
            Self::Runs => "runs",
            Self::Quarantine => "quarantine",
            Self::Inbox => "inbox",
            Self::Deliveries => "deliveries",
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        [Self::Exchanges, Self::Runs, Self::Quarantine, Self::Inbox, Self::Deliveries]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One kind of what a connection keeps for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// None for deliveries of flows, which are kept for all together.
    pub connection: Option<ConnectionName>,
    pub kind: RetainedKind,
    /// Rows that were deleted for their age.
    pub dropped: u64,
    /// When something last was.
    pub dropped_at_ms: Option<i64>,
    /// The time of the oldest that is left: of deliveries now, of the rest at the end of the last pass.
    pub oldest_at_ms: Option<i64>,
}

/// A pass under way: which one, and what its next step is.
#[derive(Debug, Clone)]
pub struct RetentionPass {
    pub(crate) token: i64,
    pub(crate) at: PassStep,
    /// The time of the oldest that was left, by whose it is.
    pub(crate) oldest: BTreeMap<Owner, i64>,
}

/// The steps of a pass, in their order. `cut`: no page after it is old enough.
#[derive(Debug, Clone)]
pub(crate) enum PassStep {
    /// Forgets what passes before noted.
    Clear,
    /// Notes pages in use, by records after one.
    InUse { after: i64, cut: i64 },
    /// Drops exchanges of whole days, where the backend lays them so.
    Days { cut: i64 },
    /// Exchanges of pages after one.
    Exchanges { after: i64, cut: i64 },
    /// Records in quarantine of the owner with this number.
    Quarantine { owner: usize },
    /// Runs of the owner with this number: of its streams after one.
    Runs { owner: usize, stream: i64 },
}
