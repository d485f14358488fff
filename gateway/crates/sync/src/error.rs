//! Why the engine did not do what was asked, by what the caller can do about it. A vendor that fails is no error of the
//! engine: such a run ends with a [`crate::RunFailure`] in its report.

use renmen_schema::id::{ConnectionName, RunId, StreamName};
use renmen_store::StoreError;

/// What the engine refuses or cannot do. Texts hold no secret and nobody's data.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No such connection for this tenant.
    #[error("unknown connection `{0}`: see the names under [connections]")]
    UnknownConnection(ConnectionName),
    /// The connection's plugin has no such stream.
    #[error("connection `{connection}` has no stream `{stream}`: it has {known}")]
    UnknownStream {
        /// Which connection.
        connection: ConnectionName,
        /// What was asked for.
        stream: StreamName,
        /// What there is, for people.
        known: String,
    },
    /// The stream is switched off in the configuration.
    #[error("stream `{stream}` of connection `{connection}` is switched off: set `enabled = true` to run it")]
    Disabled {
        /// Which connection.
        connection: ConnectionName,
        /// Which stream.
        stream: StreamName,
    },
    /// Nothing that the stream carries is granted.
    #[error(
        "stream `{stream}` of connection `{connection}` is off: it carries {entities}, and `grant.entities` names none of it; \
         add what it may write"
    )]
    NotGranted {
        /// Which connection.
        connection: ConnectionName,
        /// Which stream.
        stream: StreamName,
        /// What it carries, for people.
        entities: String,
    },
    /// A run of this stream is live, here or in another gateway.
    #[error("a run of this stream is under way")]
    Running {
        /// Its number, when this process runs it.
        run: Option<RunId>,
    },
    /// There is no such quarantined record.
    #[error("quarantined record {0} not found")]
    UnknownQuarantine(i64),
    /// A schedule, zone or limit that cannot work.
    #[error("{0}")]
    BadOption(String),
    /// The store refused or is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that should not happen: a task of the run panicked.
    #[error("internal fault: {0}")]
    Fault(String),
}

impl SyncError {
    /// May the same work succeed later without anybody's doing?
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Running { .. }
                | Self::Store(StoreError::Busy(_) | StoreError::Unavailable(_) | StoreError::Fenced(_))
        )
    }
}
