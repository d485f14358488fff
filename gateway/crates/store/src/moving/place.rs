//! A database that a tenant leaves or comes to, whichever it is: statements by their values, tables by their rows.

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::copy::{Cell, CopySource, Row, Table};
use crate::options::StoreLocation;
use crate::postgres::PostgresPlace;
use crate::rows::Columns;
use crate::sql::cell::Settled;
use crate::sql::{Dialect, Session, Value};
use crate::sqlite::SqlitePlace;
use crate::{StoreError, StoreOptions};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Write,
    /// Everything that it reads is of one moment.
    Snapshot,
}

/// A database, with at most one transaction at a time.
#[async_trait]
pub(crate) trait Place: CopySource {
    fn dialect(&self) -> Dialect;
    async fn begin(&mut self, kind: Kind) -> Result<(), StoreError>;
    async fn commit(&mut self) -> Result<(), StoreError>;
    async fn run(&mut self, sql: &str, values: Row) -> Result<u64, StoreError>;
    async fn rows(&mut self, sql: &str, values: Row) -> Result<Vec<Row>, StoreError>;
    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError>;
    /// Deletes at most so many rows of a table; how many.
    async fn delete(&mut self, table: &Table, limit: u32) -> Result<u64, StoreError>;
    /// Waits until every transaction has ended that is under way. Outside of one.
    async fn outlast(&mut self) -> Result<(), StoreError>;
    /// Lets every counter go on after a number.
    async fn raise(&mut self, settled: Settled) -> Result<(), StoreError>;
    /// Are gateways connected that have to hear of new ranges?
    async fn has_gateways(&mut self) -> Result<bool, StoreError>;
    /// The version of its tables.
    fn version(&self) -> usize;
}

/// Opens the database that a tenant is in, whether or not a gateway runs on it.
pub(super) async fn beside(options: &StoreOptions) -> Result<Box<dyn Place>, StoreError> {
    Ok(match options.location()? {
        StoreLocation::Sqlite(path) => Box::new(SqlitePlace::beside(path, options.clone()).await?),
        StoreLocation::Postgres(address) => Box::new(PostgresPlace::open(&address, options).await?),
    })
}

/// Opens the database that a tenant comes to. No gateway may run on a SQLite file.
pub(super) async fn alone(options: &StoreOptions) -> Result<Box<dyn Place>, StoreError> {
    Ok(match options.location()? {
        StoreLocation::Sqlite(path) => Box::new(SqlitePlace::alone(path, options.clone()).await?),
        StoreLocation::Postgres(address) => Box::new(PostgresPlace::open(&address, options).await?),
    })
}

/// Runs the statements that both backends share.
pub(super) struct Asking<'p>(Mutex<&'p mut dyn Place>, Dialect);

impl<'p> Asking<'p> {
    pub(super) fn of(place: &'p mut dyn Place) -> Self {
        let dialect = place.dialect();
        Self(Mutex::new(place), dialect)
    }
}

impl Session for Asking<'_> {
    fn dialect(&self) -> Dialect {
        self.1
    }

    async fn one<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.0.lock().await.rows(sql, cells(values)).await?;
        rows.first().map(|row| read(row)).transpose()
    }

    async fn all<T: Send>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Columns) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.0.lock().await.rows(sql, cells(values)).await?;
        rows.iter().map(|row| read(row)).collect()
    }

    async fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.0.lock().await.run(sql, cells(values)).await
    }
}

fn cells(values: &[Value<'_>]) -> Row {
    let cell = |value: &Value<'_>| match value {
        Value::Null => Cell::Null,
        Value::Int(number) => Cell::Int(*number),
        Value::Text(text) => Cell::Text(text.to_string()),
        Value::Bytes(bytes) => Cell::Bytes(bytes.to_vec()),
    };
    values.iter().map(cell).collect()
}

impl Columns for Row {
    fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.int_or_none(at)?.ok_or_else(other_kind)
    }
    fn int_or_none(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.get(at) {
            Some(Cell::Int(number)) => Ok(Some(*number)),
            Some(Cell::Null) => Ok(None),
            _ => Err(other_kind()),
        }
    }
    fn text(&self, at: usize) -> Result<String, StoreError> {
        self.text_or_none(at)?.ok_or_else(other_kind)
    }
    fn text_or_none(&self, at: usize) -> Result<Option<String>, StoreError> {
        match self.get(at) {
            Some(Cell::Text(text)) => Ok(Some(text.clone())),
            Some(Cell::Null) => Ok(None),
            _ => Err(other_kind()),
        }
    }
    fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        self.bytes_or_none(at)?.ok_or_else(other_kind)
    }
    fn bytes_or_none(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.get(at) {
            Some(Cell::Bytes(bytes)) => Ok(Some(bytes.clone())),
            Some(Cell::Null) => Ok(None),
            _ => Err(other_kind()),
        }
    }
}

fn other_kind() -> StoreError {
    StoreError::Fault("a column is of another kind than it should be".into())
}
