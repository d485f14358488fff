//! [`MoveStore`] on SQLite, and a SQLite file that a tenant leaves or comes to.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_schema::id::TenantId;
use rusqlite::{Connection, params_from_iter};

use super::copy::SqliteSource;
use super::query::{at_once, numbered};
use super::table_rows::{self, bound, cell};
use super::{SqliteStore, blocking, migrate};
use crate::copy::{HasSource, Row, Table};
use crate::moving::{Kind, Place};
use crate::sql::cell::Settled;
use crate::sql::{Dialect, moving as moves};
use crate::{MoveStore, StoreError, StoreOptions, TenantMove};

/// A file; a gateway may have it too, unless it was opened alone.
pub(crate) struct SqlitePlace(SqliteSource);

impl SqlitePlace {
    pub(crate) async fn beside(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        Ok(Self(SqliteSource::beside(path, options).await?))
    }

    pub(crate) async fn alone(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        Ok(Self(SqliteSource::alone(path, options).await?))
    }

    async fn with<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let connection = Arc::clone(self.0.connection());
        blocking(move || work(&connection.lock())).await
    }
}

#[async_trait]
impl MoveStore for SqliteStore {
    async fn tenant_moves(&self) -> Result<Vec<TenantMove>, StoreError> {
        self.readers.run(|c| at_once(moves::list(c))).await
    }

    async fn tenant_move(&self, tenant: &TenantId) -> Result<Option<TenantMove>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(moves::find(c, &tenant))).await
    }
}

#[async_trait]
impl Place for SqlitePlace {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn version(&self) -> usize {
        migrate::VERSION
    }

    async fn begin(&mut self, kind: Kind) -> Result<(), StoreError> {
        let begin = if kind == Kind::Write { "BEGIN IMMEDIATE" } else { "BEGIN; SELECT one FROM meta" };
        self.with(move |connection| Ok(connection.execute_batch(begin)?)).await
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.0.end_reading();
        self.with(|connection| Ok(connection.execute_batch("COMMIT")?)).await
    }

    async fn run(&mut self, sql: &str, values: Row) -> Result<u64, StoreError> {
        let sql = numbered(sql);
        self.with(move |connection| {
            Ok(connection.prepare_cached(&sql)?.execute(params_from_iter(values.iter().map(bound)))? as u64)
        })
        .await
    }

    async fn rows(&mut self, sql: &str, values: Row) -> Result<Vec<Row>, StoreError> {
        let sql = numbered(sql);
        self.with(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let width = statement.column_count();
            let mut rows = statement.query(params_from_iter(values.iter().map(bound)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((0..width).map(|at| cell(row.get_ref(at)?)).collect::<Result<Vec<_>, StoreError>>()?);
            }
            Ok(found)
        })
        .await
    }

    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let table = table.clone();
        self.with(move |connection| table_rows::write(connection, &table, &rows)).await
    }

    async fn delete(&mut self, table: &Table, limit: u32) -> Result<u64, StoreError> {
        let statements = table_rows::parts(table).iter().map(|part| part.delete_some(limit)).collect::<Vec<_>>();
        self.with(move |connection| {
            let mut deleted = 0;
            for sql in statements {
                deleted += connection.execute(&sql, [])? as u64;
            }
            Ok(deleted)
        })
        .await
    }

    async fn outlast(&mut self) -> Result<(), StoreError> {
        // One transaction writes at a time, and each looks whether it may after it has begun.
        Ok(())
    }

    async fn raise(&mut self, settled: Settled) -> Result<(), StoreError> {
        self.with(move |connection| super::raise(connection, settled)).await
    }

    async fn has_gateways(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }
}

impl HasSource for SqlitePlace {
    type Source = SqliteSource;

    fn source(&mut self) -> &mut SqliteSource {
        &mut self.0
    }
}
