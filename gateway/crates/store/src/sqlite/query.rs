//! Running statements: cached, with typed reading. What only this backend says binds by `?1` and is run from here; what both say
//! comes through [`Session`].

use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params_from_iter};

use crate::StoreError;
use crate::rows::Columns;
use crate::sql::{Dialect, Session, Value};

impl Columns for Row<'_> {
    fn int(&self, at: usize) -> Result<i64, StoreError> {
        Ok(self.get(at)?)
    }
    fn int_or_none(&self, at: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.get(at)?)
    }
    fn text(&self, at: usize) -> Result<String, StoreError> {
        Ok(self.get(at)?)
    }
    fn text_or_none(&self, at: usize) -> Result<Option<String>, StoreError> {
        Ok(self.get(at)?)
    }
    fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        Ok(self.get(at)?)
    }
    fn bytes_or_none(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(at)?)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Each statement has run when its future is made, so that nothing is ever waited for.
impl Session for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn one<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send {
        ready(one(self, &numbered(sql), params_from_iter(values), |row| read(row)))
    }

    fn all<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send {
        ready(all(self, &numbered(sql), params_from_iter(values), |row| read(row)))
    }

    fn run(&self, sql: &str, values: &[Value<'_>]) -> impl Future<Output = Result<u64, StoreError>> + Send {
        ready(run(self, &numbered(sql), params_from_iter(values)).map(|rows| rows as u64))
    }
}

/// `$2` is a name to SQLite, numbered by when it first appears; `?2` is the second value wherever it stands.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// What a future gives whose statements all run on this backend.
pub(super) fn at_once<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Fault("a statement of SQLite was waited for".into())),
    }
}

/// At most one row.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Every row.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Runs a statement; gives the number of rows that it changed.
pub(super) fn run(connection: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(params)?)
}

/// A number, if there is a row.
pub(super) fn number(connection: &Connection, sql: &str, params: impl Params) -> Result<Option<i64>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sql::{number, values};

    #[test]
    fn a_value_is_bound_by_its_number_wherever_and_however_often_it_stands() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "SELECT 100 * $3 + 10 * $1 + $2 + 0 * $3";
        assert_eq!(at_once(number(&connection, sql, values![1_i64, 2_i64, 3_i64])).unwrap(), Some(312));
        let nothing = "SELECT CASE WHEN CAST($1 AS text) IS NULL THEN 1 ELSE 0 END";
        assert_eq!(at_once(number(&connection, nothing, values![None::<&str>])).unwrap(), Some(1));
    }

    #[test]
    fn what_would_have_to_be_waited_for_is_a_fault_and_not_a_hang() {
        let never = at_once(std::future::pending::<Result<(), StoreError>>());
        assert!(matches!(never, Err(StoreError::Fault(_))));
    }
}
