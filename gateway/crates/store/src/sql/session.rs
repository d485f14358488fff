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

/// A write that changes nothing: does the database take writes?
pub(crate) const PROVE_WRITE: &str = "UPDATE meta SET one = one";

/// A number, if there is a row.
pub(crate) async fn number(session: &impl Session, sql: &str, values: &[Value<'_>]) -> Result<Option<i64>, StoreError> {
    session.one(sql, values, |row| row.int(0)).await
}

/// The number that a statement must give.
pub(crate) async fn expect_number(session: &impl Session, sql: &str, values: &[Value<'_>]) -> Result<i64, StoreError> {
    let found = number(session, sql, values).await?;
    found.ok_or_else(|| StoreError::Fault("a row vanished within its transaction".into()))
}

/// What a clock shows: [`Dialect::lease_clock`] or [`Dialect::rate_clock`] of the first value.
pub(crate) async fn shown_by(session: &impl Session, clock: &str, now: i64) -> Result<i64, StoreError> {
    expect_number(session, &format!("SELECT {clock}"), super::values![now]).await
}

/// Statements that need not wait for each other's answers, run in this order: on PostgreSQL they travel together.
pub(crate) async fn together<T>(work: Vec<impl Future<Output = Result<T, StoreError>>>) -> Result<Vec<T>, StoreError> {
    let (mut done, mut work) = (Vec::with_capacity(work.len()), work.into_iter());
    loop {
        // So few are polled in their order, and a statement is sent when it is polled first.
        let some: Vec<_> = work.by_ref().take(TOGETHER_MAX).collect();
        if some.is_empty() {
            return Ok(done);
        }
        done.extend(futures_util::future::try_join_all(some).await?);
    }
}

/// Statements under way on one connection.
const TOGETHER_MAX: usize = 30;

/// Numbers as one value, for [`Dialect::numbers`].
pub(crate) fn number_list(numbers: impl IntoIterator<Item = i64>) -> String {
    let texts: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", texts.join(","))
}

/// The number that follows on all of a table's, and on those that are not given out any more.
pub(crate) fn next_number(table: &str) -> String {
    format!(
        "max(coalesce((SELECT max(id) FROM {table}), 0), coalesce((SELECT max(begins_after) FROM cell_number WHERE own = 1), 0)) + 1"
    )
}

/// What a column of [`Dialect::rows_of`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnOf {
    Int,
    Text,
    Bytes,
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

    /// The number of a new row, as column and value of an INSERT that begins with them: in a database that tenants were moved into, what
    /// SQLite would count on from may be a row of another database. Nothing where a counter of the server's numbers rows.
    pub(crate) fn own_number(self, table: &str) -> (&'static str, String) {
        match self {
            Self::Postgres => ("", String::new()),
            Self::Sqlite => ("id, ", format!("(SELECT {}), ", next_number(table))),
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

    /// By which clock leases count, in milliseconds: the server's, or the one process's, which the statement binds as `now`.
    pub(crate) fn lease_clock(self, now: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({now} AS bigint)"),
            // The value is bound on both, so that their statements bind the same.
            Self::Postgres => format!(
                "(CAST({now} AS bigint) * 0 + CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint))"
            ),
        }
    }

    /// The same in microseconds.
    pub(crate) fn rate_clock(self, now_us: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({now_us} AS bigint)"),
            Self::Postgres => format!(
                "(CAST({now_us} AS bigint) * 0 + CAST(floor(extract(epoch FROM statement_timestamp()) * 1000000) AS bigint))"
            ),
        }
    }

    /// The numbers of a [`number_list`], as a query.
    pub(crate) fn numbers(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT value FROM json_each(CAST({list} AS text))"),
            Self::Postgres => {
                format!(
                    "SELECT CAST(n AS bigint) FROM json_array_elements_text(CAST(CAST({list} AS text) AS json)) AS n"
                )
            }
        }
    }

    /// Behind a table's name: the index to read it by. Where SQLite keeps a table in its primary key, and without statistics, it takes the first
    /// column of that key for about as good as two of another index, and reads every row of the tenant. PostgreSQL has statistics.
    pub(crate) fn by_index(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!(" INDEXED BY {index}"),
            Self::Postgres => String::new(),
        }
    }

    /// The rows of a list of lists in JSON, as a query with the columns `c0`, `c1`, …: any number of rows goes with one statement.
    pub(crate) fn rows_of(self, list: &str, kinds: &[ColumnOf]) -> String {
        let (value, from) = match self {
            Self::Sqlite => ("value", format!("json_each(CAST({list} AS text))")),
            Self::Postgres => ("v", format!("json_array_elements(CAST(CAST({list} AS text) AS json)) AS v")),
        };
        let column = |(at, kind): (usize, &ColumnOf)| match (kind, self) {
            (ColumnOf::Text, _) | (ColumnOf::Int, Self::Sqlite) => format!("{value}->>{at} AS c{at}"),
            (ColumnOf::Int, Self::Postgres) => format!("CAST({value}->>{at} AS bigint) AS c{at}"),
            (ColumnOf::Bytes, Self::Sqlite) => format!("unhex({value}->>{at}) AS c{at}"),
            (ColumnOf::Bytes, Self::Postgres) => format!("decode({value}->>{at}, 'hex') AS c{at}"),
        };
        let columns: Vec<String> = kinds.iter().enumerate().map(column).collect();
        format!("SELECT {} FROM {from}", columns.join(", "))
    }

    /// Waits until no commit has moved a feed that it has not moved in the end, and lets none move until the transaction ends; none
    /// where only one works at a time.
    pub(crate) fn hold_feeds(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE feed IN SHARE MODE"),
        }
    }

    /// The pages, in their order, that have exchanges: after `$1` and up to `$2`, at most `$3`.
    pub(crate) fn pages_with_exchanges(self) -> &'static str {
        match self {
            // Page and number are one number here, up to the pages (2^42) that stand in a table of their own.
            Self::Sqlite => {
                "SELECT page FROM (SELECT * FROM (SELECT DISTINCT id >> 20 AS page FROM exchange
                     WHERE id >= (min($1, 4398046511104) + 1) << 20 AND id < (min($2, 4398046511104) + 1) << 20 ORDER BY 1 LIMIT $3)
                 UNION ALL SELECT * FROM (SELECT DISTINCT page FROM exchange_far WHERE page > $1 AND page <= $2 ORDER BY 1 LIMIT $3))
                 ORDER BY 1 LIMIT $3"
            }
            Self::Postgres => {
                "SELECT DISTINCT page FROM exchange WHERE page > $1 AND page <= $2 ORDER BY page LIMIT $3"
            }
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
