//! What a call is given.

use std::fmt;
use std::sync::Arc;

use renmen_egress::{Connection, Tape};
use renmen_schema::id::{ConnectionName, StreamName};

use crate::limits::CallLimits;

/// What every call needs.
#[derive(Clone)]
pub struct Call {
    /// The connection that the call is made for, named in the span and the log.
    pub connection: ConnectionName,
    /// The connection's configuration as JSON bytes.
    pub config: Arc<[u8]>,
    /// The budgets.
    pub limits: Arc<CallLimits>,
    /// The way out.
    pub egress: Arc<Connection>,
    /// What remembers the exchanges.
    pub tape: Arc<dyn Tape>,
    /// What `clock.now-ms` answers: fixed for the call, and the same in a replay. Milliseconds since the epoch.
    pub now_ms: i64,
}

impl fmt::Debug for Call {
    /// The configuration may be confidential: only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("connection", &self.connection)
            .field("config_bytes", &self.config.len())
            .field("limits", &self.limits)
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

/// Which page to pull.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The stream, as the manifest names it.
    pub stream: StreamName,
    /// What the last committed page left in [`Page::next`](crate::Page::next); none before the first.
    pub cursor: Option<String>,
    /// Not empty: read just these records, by external id.
    pub only: Vec<String>,
}
