//! What can go wrong, by what the caller can do about it.
//!
//! No text holds a value of a record: statements bind values, and of a database's error only its code and message are kept,
//! never its detail (PostgreSQL writes key values there).

use renmen_schema::Text;
use rusqlite::ErrorCode;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another gateway holds the file, or another run holds the stream.
    #[error("busy: {0}")]
    Busy(String),
    /// The run lost its stream to another gateway or its cursor moved: stop this run, the other goes on.
    #[error("fenced: {0}")]
    Fenced(String),
    /// The disk is full, the database is away: try again later. Nothing was written, with one exception: when a PostgreSQL
    /// connection breaks while it commits, the page may have landed. Trying again is safe either way, because then the
    /// cursor has moved and the second try is [`StoreError::Fenced`].
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The connection would keep more on disk than it may: the key under its `[limits]`, what was seen and what to do. Nothing was
    /// written.
    #[error("{}", renmen_schema::text!("limit {limit}: {message}", "限额 {limit}：{message}"))]
    Quota {
        /// `records_bytes_max`, `exchanges_bytes_max`, `quarantine_records_max`, `quarantine_bytes_max`.
        limit: &'static str,
        /// What was seen against what is allowed.
        message: Text,
    },
    /// A cursor or id that is not ours, or more than a limit allows.
    #[error("bad input: {0}")]
    BadInput(String),
    /// Anything else: a fault.
    #[error("store: {0}")]
    Fault(String),
}

/// What is wrong with where the database is: why a store is not ready, for people who may make room or restore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The disk is full, or nearly.
    DiskFull,
    /// The file cannot be read or written: its rights, its disk, a file system that became read-only.
    Unusable,
    /// The file is damaged.
    Damaged,
}

const DISK_FULL: &str = "the disk is full";
const UNUSABLE: &str = "the database file cannot be read or written";
const DAMAGED: &str = "the database file is damaged";

impl Trouble {
    /// The trouble that an error tells of.
    pub(crate) fn of(error: &StoreError) -> Option<Self> {
        let StoreError::Unavailable(text) = error else { return None };
        let all = [(DISK_FULL, Self::DiskFull), (UNUSABLE, Self::Unusable), (DAMAGED, Self::Damaged)];
        all.into_iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, trouble)| trouble)
    }

    pub(crate) fn error(self, detail: &str) -> StoreError {
        StoreError::Unavailable(match self {
            Self::DiskFull => format!("{DISK_FULL} ({detail}): make room, nothing is lost"),
            Self::Unusable => format!("{UNUSABLE} ({detail})"),
            Self::Damaged => format!("{DAMAGED} ({detail}): stop the gateway and restore the file from a backup"),
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Trouble::DiskFull.error(&error.to_string()),
            Some(ErrorCode::DatabaseCorrupt) => Trouble::Damaged.error(&error.to_string()),
            Some(
                ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied,
            ) => Trouble::Unusable.error(&error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Unavailable(format!("another program holds the database file ({error})"))
            }
            Some(ErrorCode::OperationInterrupted) => Self::Unavailable("a read took too long and was given up".into()),
            _ => Self::Fault(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            // No answer of the server: the connection could not be made or broke.
            return if error.is_closed()
                || std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
            {
                Self::Unavailable(format!("the connection to PostgreSQL broke ({error})"))
            } else {
                Self::Fault(format!("PostgreSQL: {error}"))
            };
        };
        let code = db.code();
        let text = format!("PostgreSQL: {} ({})", db.message(), code.code());
        // Classes: 08 connection, 53 resources, 57 operator (shutdown, cancel, time), 40 rolled back, 55 in use, 25006 read only.
        let away = ["08", "53", "57", "40", "55"].iter().any(|class| code.code().starts_with(class));
        if away || *code == SqlState::READ_ONLY_SQL_TRANSACTION { Self::Unavailable(text) } else { Self::Fault(text) }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => match Self::from(error) {
                Self::Fault(text) => Self::Fault(text),
                other => Self::Unavailable(format!("no connection to PostgreSQL: {other}")),
            },
            other => Self::Unavailable(format!("no connection to PostgreSQL: {other}")),
        }
    }
}
