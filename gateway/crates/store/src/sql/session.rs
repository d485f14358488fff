//! A connection of either backend, within a transaction or not.

use std::future::Future;

use super::Value;
use crate::StoreError;
use crate::rows::Columns;

/// What runs statements. On SQLite the answer is there at once, on PostgreSQL it is waited for.
pub(crate) trait Session {
    fn dialect(&self) -> Dialect;

    /// At most one row.
    fn one<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Every row.
    fn all<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send;

    /// Runs a statement; gives the number of rows that it changed.
    fn run(&self, sql: &str, values: &[Value<'_>]) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// A number, if there is a row.
pub(crate) async fn number(session: &impl Session, sql: &str, values: &[Value<'_>]) -> Result<Option<i64>, StoreError> {
    session.one(sql, values, |row| row.int(0)).await
}

/// The number that a statement must give.
pub(crate) async fn expect_number(session: &impl Session, sql: &str, values: &[Value<'_>]) -> Result<i64, StoreError> {
    let found = number(session, sql, values).await?;
    found.ok_or_else(|| StoreError::Fault("a row vanished within its transaction".into()))
}

/// The words in which the two dialects of SQL differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Goes after a SELECT: no other transaction changes its rows until this one ends. SQLite has one writer at a time
    /// anyway.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The same, passing over rows that another transaction holds.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Goes after a text in ORDER BY: compares by bytes, independent of the locale that a server's database was created
    /// with.
    pub(crate) fn by_bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " COLLATE \"C\"",
        }
    }

    /// The change feed's last position.
    pub(crate) fn feed_head(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT coalesce(max(seq), 0) FROM change",
            Self::Postgres => "SELECT seq FROM feed",
        }
    }

    /// Waits until no other transaction works on this name (bytes); none where only one works at a time.
    pub(crate) fn wait_for_turn(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))"),
        }
    }
}
