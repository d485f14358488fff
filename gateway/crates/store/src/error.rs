//! What can go wrong, by what the caller can do about it.
//!
//! No text holds a value of a record: statements bind values, and of a database's error only its code and message are kept,
//! never its detail (PostgreSQL writes key values there).

use renmen_schema::{Text, text};
use rusqlite::ErrorCode;

use crate::model::MOVING;

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
    /// The database cannot be used as it is configured: what is wrong, and what to do about it.
    #[error("{0}")]
    Configuration(Text),
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
    /// The server cannot be reached.
    Away,
}

const DISK_FULL: &str = "the disk is full";
const UNUSABLE: &str = "the database file cannot be read or written";
const DAMAGED: &str = "the database file is damaged";
const BROKE: &str = "the connection to PostgreSQL broke";
const NO_CONNECTION: &str = "no connection to PostgreSQL";

impl Trouble {
    /// The trouble that an error tells of.
    pub(crate) fn of(error: &StoreError) -> Option<Self> {
        let StoreError::Unavailable(text) = error else { return None };
        let all = [
            (DISK_FULL, Self::DiskFull),
            (UNUSABLE, Self::Unusable),
            (DAMAGED, Self::Damaged),
            (BROKE, Self::Away),
            (NO_CONNECTION, Self::Away),
        ];
        all.into_iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, trouble)| trouble)
    }

    pub(crate) fn error(self, detail: &str) -> StoreError {
        StoreError::Unavailable(match self {
            Self::DiskFull => format!("{DISK_FULL} ({detail}): make room, nothing is lost"),
            Self::Unusable => format!("{UNUSABLE} ({detail})"),
            Self::Damaged => format!("{DAMAGED} ({detail}): stop the gateway and restore the file from a backup"),
            Self::Away => format!("{NO_CONNECTION}: {detail}"),
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

/// How the text begins of an error of a server that takes no writes: what is connected to it should look for another.
pub(crate) const READ_ONLY: &str = "the PostgreSQL server takes no writes";
/// How the text begins of an error of a transaction that another one was in the way of: nothing of it was written.
const CONFLICT: &str = "another transaction was in the way";

impl StoreError {
    /// Is it refused because its tenant leaves for another database? What it says may be shown to that tenant.
    #[must_use]
    pub fn of_move(&self) -> Option<&str> {
        let Self::Unavailable(why) = self else { return None };
        why.strip_prefix(MOVING).and_then(|why| why.strip_prefix(": "))
    }

    /// May the same transaction succeed at once?
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Unavailable(why) if why.starts_with(CONFLICT))
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            return of_server(answer.code().code(), answer.message());
        }
        if let Some(why) = crate::postgres::refusal_of(&error) {
            return Self::Configuration(why);
        }
        // No answer of the server. What the driver could not send or read is ours; anything else is a connection that could not be
        // made, or broke.
        let what = error.to_string();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let ours = ["error serializing", "error deserializing", "invalid column", "expected ", "query returned"];
        if what.starts_with("authentication error") || what.starts_with("invalid configuration") {
            return Self::Configuration(text!(
                "PostgreSQL cannot be logged in to{cause}: check the user and `store.password`",
                "无法登录 PostgreSQL{cause}：请检查用户与 `store.password`"
            ));
        }
        if ours.iter().any(|begin| what.starts_with(begin)) {
            return Self::Fault(format!("PostgreSQL: {what}{cause}"));
        }
        Self::Unavailable(format!("{BROKE} ({what}{cause})"))
    }
}

/// What a server answered, by its code.
fn of_server(code: &str, message: &str) -> StoreError {
    let told = format!("PostgreSQL: {message} ({code})");
    match code {
        "53100" => return Trouble::DiskFull.error(&told),
        "25006" => return StoreError::Unavailable(format!("{READ_ONLY} ({told}): it is a replica, or was made one")),
        "40001" | "40P01" | "55P03" => return StoreError::Unavailable(format!("{CONFLICT} ({told})")),
        "57014" => {
            let what = format!("a statement was cancelled ({told}): see `store.statement_timeout`");
            return StoreError::Unavailable(what);
        }
        "XX001" | "XX002" => return Trouble::Damaged.error(&told),
        "26000" | "42P05" => {
            return StoreError::Configuration(text!(
                "a pooler gives each transaction another connection of PostgreSQL's ({told}): set `store.pooler = \"transaction\"`",
                "连接池为每个事务分配不同的 PostgreSQL 连接（{told}）：请设置 `store.pooler = \"transaction\"`"
            ));
        }
        "42501" => {
            return StoreError::Configuration(text!(
                "the user of the database lacks a privilege ({told}): make it the owner of the database",
                "数据库用户缺少权限（{told}）：请让它成为该数据库的所有者"
            ));
        }
        _ => {}
    }
    let class = code.get(..2).unwrap_or_default();
    match class {
        // Connection, resources, operator (shutdown, cancel), rolled back, in use.
        "08" | "53" | "57" | "40" | "55" => StoreError::Unavailable(told),
        "58" => Trouble::Unusable.error(&told),
        // Who may log in, and into which database.
        "28" | "3D" => StoreError::Configuration(text!(
            "PostgreSQL refuses the connection ({told}): check user, database and `store.password`, or the server's pg_hba.conf",
            "PostgreSQL 拒绝连接（{told}）：请检查用户、数据库与 `store.password`，或服务器的 pg_hba.conf"
        )),
        _ => StoreError::Fault(told),
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        use deadpool_postgres::{HookError, PoolError, TimeoutType};
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => match Self::from(error) {
                Self::Unavailable(why) if why.starts_with(READ_ONLY) => Self::Unavailable(why),
                Self::Unavailable(why) | Self::Fault(why) => Trouble::Away.error(&why),
                other => other,
            },
            PoolError::Timeout(TimeoutType::Wait) => Self::Unavailable(
                "all connections to PostgreSQL were in use for `store.acquire_timeout`: raise `store.connections_max`, or see \
                 what keeps them"
                    .into(),
            ),
            other => Trouble::Away.error(&other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_server_is_classified_by_its_code() {
        let of = |code: &str| of_server(code, "why");
        for code in ["57P01", "57P02", "57P03", "57014", "53300", "53200", "40003", "08006", "08P01", "55006", "25006"]
        {
            assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}: {}", of(code));
            assert_eq!(Trouble::of(&of(code)), None, "{code}");
        }
        assert_eq!(Trouble::of(&of("53100")), Some(Trouble::DiskFull));
        assert_eq!(Trouble::of(&of("58030")), Some(Trouble::Unusable));
        assert_eq!(Trouble::of(&of("XX001")), Some(Trouble::Damaged));
        for code in ["40001", "40P01", "55P03"] {
            assert!(of(code).is_conflict(), "{code}");
        }
        assert!(!of("57014").is_conflict() && !of("40003").is_conflict(), "nobody knows whether it was written");
        for code in ["28P01", "28000", "3D000", "26000", "42P05", "42501"] {
            assert!(matches!(of(code), StoreError::Configuration(_)), "{code}");
        }
        for code in ["42601", "42P01", "23505", "22021", "XX000", "P0001", ""] {
            assert!(matches!(of(code), StoreError::Fault(_)), "{code}");
        }
    }
}
