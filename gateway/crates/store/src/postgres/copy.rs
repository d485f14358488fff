//! A PostgreSQL database as the source or the target of a copy: one transaction, so that the source stands still and the target shows
//! all of it or nothing.

use std::collections::BTreeMap;
use std::pin::pin;

use async_trait::async_trait;
use deadpool_postgres::{Client, GenericClient};
use renmen_schema::text;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::connections::Connections;
use super::query::{all, one, run};
use super::{GATEWAY, PostgresAddress, migrate};
use crate::copy::{Cell, Column, ColumnKind, CopySource, CopyTarget, HasSource, Row, SET_ID_KEY, Table};
use crate::rows::Columns as _;
use crate::sql::Value;
use crate::{StoreError, StoreOptions};

/// What the server shows of a copy's connections: not what it shows of a gateway's.
const NAME: &str = "renmen store copy";
/// Rows that are fetched at a time.
const ROWS: u32 = 200;
/// The name of the one cursor that is open at a time.
const CURSOR: &str = "renmen_copy";

/// A database on which no gateway runs.
pub(crate) struct PostgresSource {
    client: Client,
    columns: Option<Vec<ColumnKind>>,
    _connections: Connections,
}

impl PostgresSource {
    /// A database that gateways may run on, with no transaction under way.
    pub(super) async fn connect(
        address: &PostgresAddress,
        options: &StoreOptions,
        name: &str,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(address, options, (name, options.connections_max.max(2)))?;
        connections.refuse_unnamed_pooler().await?;
        let client = connections.get().await?;
        Ok(Self { client, columns: None, _connections: connections })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The transaction that a table was read in ends.
    pub(super) fn end_reading(&mut self) {
        self.columns = None;
    }

    pub(crate) async fn open(address: &PostgresAddress, options: &StoreOptions) -> Result<Self, StoreError> {
        let connections = Connections::new(address, options, (NAME, options.connections_max.max(2)))?;
        connections.refuse_unnamed_pooler().await?;
        let client = connections.get().await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let source = Self::begin(connections, client, begin).await?;
        migrate::check(&source.client).await?;
        source.refuse_gateway().await?;
        Ok(source)
    }

    /// With one connection from the first to the last statement.
    async fn begin(connections: Connections, client: Client, begin: &str) -> Result<Self, StoreError> {
        client.statement_cache.clear();
        client.batch_execute(begin).await?;
        client.batch_execute("DEALLOCATE ALL; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        // A gateway that starts meanwhile waits here until the copy is done.
        migrate::lock(&client).await?;
        Ok(Self { client, columns: None, _connections: connections })
    }

    /// Refuses while a gateway is connected.
    async fn refuse_gateway(&self) -> Result<(), StoreError> {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = $1";
        let others = one(&self.client, sql, &[&GATEWAY]).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        if others > 0 {
            return Err(StoreError::Busy(format!(
                "a gateway is connected to the database ({others} connections): stop all gateways on it, then copy"
            )));
        }
        Ok(())
    }
}

/// An empty database.
pub(crate) struct PostgresTarget(PostgresSource);

impl PostgresTarget {
    pub(crate) async fn create(address: &PostgresAddress, options: &StoreOptions) -> Result<Self, StoreError> {
        let connections = Connections::new(address, options, (NAME, options.connections_max.max(2)))?;
        connections.refuse_unnamed_pooler().await?;
        let mut client = connections.get().await?;
        migrate::migrate(&connections, &mut client).await?;
        let mut target = Self(PostgresSource::begin(connections, client, "BEGIN").await?);
        target.0.refuse_gateway().await?;
        for table in target.0.tables().await? {
            target.refuse_rows(&table).await?;
            run(&target.0.client, &table.clear(), &[]).await?;
        }
        Ok(target)
    }

    /// Refuses a table in which there is more than what its migration put there.
    async fn refuse_rows(&self, table: &Table) -> Result<(), StoreError> {
        let sql = match table.name.as_str() {
            "feed" => "SELECT 1::bigint FROM feed WHERE tenant <> '' OR seq <> 0 LIMIT 1".to_owned(),
            "registry_version" => "SELECT 1::bigint FROM registry_version WHERE version <> 0 LIMIT 1".to_owned(),
            name => format!("SELECT 1::bigint FROM \"{name}\" LIMIT 1"),
        };
        if one(&self.0.client, &sql, &[]).await?.is_some() {
            return Err(StoreError::Configuration(text!(
                "the target database is not empty (table `{}`): create a new database for the copy",
                "目标数据库不为空（表 `{}`）：请为副本新建一个数据库",
                table.name
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl CopySource for PostgresSource {
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let sql = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)::text,
                   coalesce(array_position(i.indkey::int2[], a.attnum), -1)::bigint
                   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
                   WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT c.relispartition AND c.relname <> 'meta' ORDER BY c.relname, a.attname";
        let mut tables: Vec<(Table, Vec<(i64, String)>)> = Vec::new();
        for row in all(&self.client, sql, &[]).await? {
            let (name, column, declared, place_in_key) = (row.text(0)?, row.text(1)?, row.text(2)?, row.int(3)?);
            let kind = match declared.as_str() {
                "bigint" => ColumnKind::Int,
                "text" => ColumnKind::Text,
                "bytea" => ColumnKind::Bytes,
                other => return Err(StoreError::Fault(format!("`{name}.{column}` is of the type {other}"))),
            };
            if tables.last().is_none_or(|(table, _)| table.name != name) {
                tables.push((Table { name, columns: Vec::new(), key: Vec::new(), only: None }, Vec::new()));
            }
            let Some((table, key)) = tables.last_mut() else { continue };
            if place_in_key >= 0 {
                key.push((place_in_key, column.clone()));
            }
            table.columns.push(Column { name: column, kind });
        }
        let finished = |(table, mut key): (Table, Vec<(i64, String)>)| {
            key.sort();
            Table { key: key.into_iter().map(|(_, column)| column).collect(), ..table }
        };
        Ok(tables.into_iter().map(finished).collect())
    }

    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        Ok(one(&self.client, &table.count(), &[]).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
    }

    async fn open(&mut self, table: &Table) -> Result<(), StoreError> {
        if self.columns.take().is_some() {
            self.client.batch_execute(&format!("CLOSE {CURSOR}")).await?;
        }
        let kind = |name: &String| table.columns.iter().find(|column| column.name == *name).map(|column| column.kind);
        let ordered = |name: &String| match kind(name) {
            Some(ColumnKind::Text) => format!("\"{name}\" COLLATE \"C\""),
            _ => format!("\"{name}\""),
        };
        let key: Vec<String> = table.key.iter().map(ordered).collect();
        let (columns, name, key) = (table.column_list(), &table.name, key.join(", "));
        let only = table.condition();
        let sql =
            format!("DECLARE {CURSOR} NO SCROLL CURSOR FOR SELECT {columns} FROM \"{name}\"{only} ORDER BY {key}");
        self.client.batch_execute(&sql).await?;
        self.columns = Some(table.columns.iter().map(|column| column.kind).collect());
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        let Some(kinds) = &self.columns else { return Ok(Vec::new()) };
        // Not prepared once for all tables: its columns are the cursor's.
        let rows = self.client.query(&format!("FETCH FORWARD {ROWS} FROM {CURSOR}"), &[]).await?;
        let cell = |row: &tokio_postgres::Row, at: usize, kind: &ColumnKind| {
            Ok(match kind {
                ColumnKind::Int => row.int_or_none(at)?.map_or(Cell::Null, Cell::Int),
                ColumnKind::Text => row.text_or_none(at)?.map_or(Cell::Null, Cell::Text),
                ColumnKind::Bytes => row.bytes_or_none(at)?.map_or(Cell::Null, Cell::Bytes),
            })
        };
        rows.iter().map(|row| kinds.iter().enumerate().map(|(at, kind)| cell(row, at, kind)).collect()).collect()
    }

    async fn counters(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut counters = BTreeMap::new();
        for (table, _, sequence) in sequences(&self.client).await? {
            let sql = format!("SELECT last_value FROM {sequence} WHERE is_called");
            if let Some(row) = one(&self.client, &sql, &[]).await? {
                counters.insert(table, row.int(0)?);
            }
        }
        Ok(counters)
    }

    async fn id_key(&mut self) -> Result<Vec<u8>, StoreError> {
        Ok(migrate::check(&self.client).await?.as_bytes().to_vec())
    }
}

impl HasSource for PostgresTarget {
    type Source = PostgresSource;

    fn source(&mut self) -> &mut PostgresSource {
        &mut self.0
    }
}

#[async_trait]
impl CopyTarget for PostgresTarget {
    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let types = types_of(table);
        let sql = format!("COPY \"{}\" ({}) FROM STDIN BINARY", table.name, table.column_list());
        let mut copy = pin!(BinaryCopyInWriter::new(self.0.client.copy_in(&sql).await?, &types));
        for row in &rows {
            let values: Vec<Value<'_>> = row.iter().map(bound).collect();
            copy.as_mut().write_raw(&values).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn set(&mut self, counters: &BTreeMap<String, i64>, id_key: &[u8]) -> Result<(), StoreError> {
        let client = &self.0.client;
        run(client, SET_ID_KEY, &[&id_key]).await?;
        for (table, column, sequence) in sequences(client).await? {
            let last = counters.get(&table).copied().unwrap_or(0);
            let sql = format!(
                "SELECT setval('{sequence}', greatest($1, x.last, 1), greatest($1, x.last) > 0) FROM (SELECT greatest(
                 (SELECT coalesce(max(\"{column}\"), 0) FROM \"{table}\"),
                 (SELECT coalesce(max(begins_after), 0) FROM cell_number WHERE own = 1)) AS last) x"
            );
            one(client, &sql, &[&last]).await?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        self.0.client.batch_execute("COMMIT").await?;
        Ok(())
    }
}

/// Table, column and sequence of each column that counts by itself.
pub(super) async fn sequences(client: &impl GenericClient) -> Result<Vec<(String, String, String)>, StoreError> {
    let sql = "SELECT c.relname::text, a.attname::text, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
               AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL";
    all(client, sql, &[]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).collect()
}

/// The types of a table's columns, in their order.
pub(super) fn types_of(table: &Table) -> Vec<Type> {
    let of = |column: &Column| match column.kind {
        ColumnKind::Int => Type::INT8,
        ColumnKind::Text => Type::TEXT,
        ColumnKind::Bytes => Type::BYTEA,
    };
    table.columns.iter().map(of).collect()
}

pub(super) fn bound(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(*number),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Bytes(bytes) => Value::from(bytes.as_slice()),
    }
}
