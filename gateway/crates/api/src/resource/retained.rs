//! What the gateway deleted for its age, and how old the oldest is that is left, as the health shows it.

use renmen_store::Retained;
use serde::Serialize;
use utoipa::ToSchema;

use crate::instant::Time;

/// One kind of what is kept for a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retention {
    /// The connection that keeps it; null for `deliveries`, which are kept for all flows alike.
    connection: Option<String>,
    /// `exchanges` and `runs` (`limits.exchanges_age_max`, `runs_age_max`), `quarantine` (`quarantine_age_max`), `inbox`
    /// (`gateway.inbox_age`), `deliveries` (`outbox.keep`).
    kind: &'static str,
    /// How many were deleted for their age so far.
    dropped: u64,
    /// When some last were; null: none yet.
    dropped_at: Option<Time>,
    /// The time of the oldest that is left, as of the last pass; null where there is none.
    oldest_at: Option<Time>,
}

impl Retention {
    pub(crate) fn of(retained: Retained) -> Self {
        Self {
            connection: retained.connection.map(|name| name.to_string()),
            kind: retained.kind.as_str(),
            dropped: retained.dropped,
            dropped_at: retained.dropped_at_ms.map(Time),
            oldest_at: retained.oldest_at_ms.map(Time),
        }
    }
}
