//! [`MoveStore`] on PostgreSQL, and a database that a tenant leaves or comes to. Gateways may run on it.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use renmen_schema::id::TenantId;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::copy::{PostgresSource, bound, types_of};
use super::query::one;
use super::{GATEWAY, PostgresAddress, PostgresStore, migrate};
use crate::copy::{Cell, HasSource, Row, Table};
use crate::moving::{Kind, Place};
use crate::rows::Columns;
use crate::sql::cell::Settled;
use crate::sql::{Dialect, Value, moving as moves};
use crate::{MoveStore, StoreError, StoreOptions, TenantMove};

/// What the server shows of the connections of a move.
const NAME: &str = "renmen tenant";
/// How often it is looked whether the transactions of others have ended.
const LOOK: Duration = Duration::from_millis(20);

/// A database.
pub(crate) struct PostgresPlace(PostgresSource);

impl PostgresPlace {
    pub(crate) async fn open(address: &PostgresAddress, options: &StoreOptions) -> Result<Self, StoreError> {
        let source = PostgresSource::connect(address, options, NAME).await?;
        migrate::check(source.client()).await?;
        Ok(Self(source))
    }

    async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.0.client().batch_execute(sql).await?)
    }
}

#[async_trait]
impl MoveStore for PostgresStore {
    async fn tenant_moves(&self) -> Result<Vec<TenantMove>, StoreError> {
        self.read(|c| async move { moves::list(&c).await }).await
    }

    async fn tenant_move(&self, tenant: &TenantId) -> Result<Option<TenantMove>, StoreError> {
        self.read(|c| async move { moves::find(&c, tenant).await }).await
    }
}

#[async_trait]
impl Place for PostgresPlace {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn version(&self) -> usize {
        migrate::VERSION
    }

    async fn begin(&mut self, kind: Kind) -> Result<(), StoreError> {
        // Behind a pooler the next transaction may meet another connection of the server.
        self.0.client().statement_cache.clear();
        let begin = match kind {
            Kind::Write => "BEGIN",
            Kind::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.batch(begin).await?;
        self.batch("DEALLOCATE ALL; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            .await
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.0.end_reading();
        self.batch("COMMIT").await
    }

    async fn run(&mut self, sql: &str, values: Row) -> Result<u64, StoreError> {
        let statement = self.0.client().prepare_cached(sql).await?;
        let values: Vec<Value<'_>> = values.iter().map(bound).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        Ok(self.0.client().execute(&statement, &values).await?)
    }

    async fn rows(&mut self, sql: &str, values: Row) -> Result<Vec<Row>, StoreError> {
        let statement = self.0.client().prepare_cached(sql).await?;
        let values: Vec<Value<'_>> = values.iter().map(bound).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let found = self.0.client().query(&statement, &values).await?;
        let kinds: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
        let cell = |row: &tokio_postgres::Row, at: usize, kind: &Type| {
            Ok(match *kind {
                Type::INT8 => row.int_or_none(at)?.map_or(Cell::Null, Cell::Int),
                Type::BYTEA => row.bytes_or_none(at)?.map_or(Cell::Null, Cell::Bytes),
                _ => row.text_or_none(at)?.map_or(Cell::Null, Cell::Text),
            })
        };
        found.iter().map(|row| kinds.iter().enumerate().map(|(at, kind)| cell(row, at, kind)).collect()).collect()
    }

    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let sql = format!("COPY \"{}\" ({}) FROM STDIN BINARY", table.name, table.column_list());
        let types = types_of(table);
        let mut copy = pin!(BinaryCopyInWriter::new(self.0.client().copy_in(&sql).await?, &types));
        for row in &rows {
            let values: Vec<Value<'_>> = row.iter().map(bound).collect();
            copy.as_mut().write_raw(&values).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn delete(&mut self, table: &Table, limit: u32) -> Result<u64, StoreError> {
        let sql = table.delete_some(limit);
        self.run(&sql, Vec::new()).await
    }

    /// Each transaction holds a lock on its own number, whether it has written yet or not: those that are there now are waited for.
    async fn outlast(&mut self) -> Result<(), StoreError> {
        let under_way = "SELECT l.virtualxid::text FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                         WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()
                         AND a.datname = current_database()";
        let named = |rows: Vec<Row>| rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>();
        let mut waited_for = named(self.rows(under_way, Vec::new()).await?)?;
        while !waited_for.is_empty() {
            tokio::time::sleep(LOOK).await;
            let still = named(self.rows(under_way, Vec::new()).await?)?;
            waited_for.retain(|transaction| still.contains(transaction));
        }
        Ok(())
    }

    async fn raise(&mut self, settled: Settled) -> Result<(), StoreError> {
        super::raise(self.0.client(), settled).await
    }

    async fn has_gateways(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()";
        Ok(one(self.0.client(), sql, &[&GATEWAY]).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0) > 0)
    }
}

impl HasSource for PostgresPlace {
    type Source = PostgresSource;

    fn source(&mut self) -> &mut PostgresSource {
        &mut self.0
    }
}
