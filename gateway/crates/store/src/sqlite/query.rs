//! Small things that every statement module uses: typed reading and cached statements.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::StoreError;
use crate::rows::Columns;

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
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// A number, if there is a row.
pub(super) fn number(connection: &Connection, sql: &str, params: impl Params) -> Result<Option<i64>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}
