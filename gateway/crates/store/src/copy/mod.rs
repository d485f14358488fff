//! A store copied whole from one backend to the other: every table, column by column, compared by count and hash before anybody can use
//! the copy. All of it or nothing.
//!
//! Must not know what a table is for. Which there are is asked of both databases, so that a table of a later migration comes along by
//! itself.

mod digest;
mod table;

use std::collections::BTreeMap;

use async_trait::async_trait;
use renmen_schema::text;
use serde::Serialize;

use crate::options::StoreLocation;
use crate::postgres::{PostgresSource, PostgresTarget};
use crate::sqlite::{SqliteSource, SqliteTarget};
use crate::{StoreError, StoreOptions};
pub(crate) use digest::Digest;
pub(crate) use table::{Cell, Column, ColumnKind, Row, SET_ID_KEY, Table};

/// Where a copy stands.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress<'t> {
    pub table: &'t str,
    /// Of this table, copied so far.
    pub rows: u64,
    /// Of this table, in all.
    pub of: u64,
    /// True while the copy is read again and compared.
    pub verifying: bool,
}

/// A table that was copied and compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    pub name: String,
    pub rows: u64,
    /// Of all rows in the order of their keys: the same in both databases.
    pub hash: String,
}

/// Where rows come from. It has no other writer until it is dropped.
#[async_trait]
pub(crate) trait CopySource: Send {
    /// By name.
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError>;
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError>;
    /// Begins with the first row of a table, in the order of its key.
    async fn open(&mut self, table: &Table) -> Result<(), StoreError>;
    /// The next rows; none at the end.
    async fn next(&mut self) -> Result<Vec<Row>, StoreError>;
    /// The last number that each table with a counter gave out.
    async fn counters(&mut self) -> Result<BTreeMap<String, i64>, StoreError>;
    /// The key that ids are made with.
    async fn id_key(&mut self) -> Result<Vec<u8>, StoreError>;
}

/// What is read as the source within it is.
pub(crate) trait HasSource: Send {
    type Source: CopySource;

    fn source(&mut self) -> &mut Self::Source;
}

#[async_trait]
impl<T: HasSource> CopySource for T {
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        self.source().tables().await
    }
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        self.source().count(table).await
    }
    async fn open(&mut self, table: &Table) -> Result<(), StoreError> {
        self.source().open(table).await
    }
    async fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        self.source().next().await
    }
    async fn counters(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        self.source().counters().await
    }
    async fn id_key(&mut self) -> Result<Vec<u8>, StoreError> {
        self.source().id_key().await
    }
}

/// Where rows go: an empty store, which stays empty unless [`CopyTarget::finish`] succeeds. It is read like a source.
#[async_trait]
pub(crate) trait CopyTarget: CopySource {
    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError>;
    /// After the last row: sets the counters and the key.
    async fn set(&mut self, counters: &BTreeMap<String, i64>, id_key: &[u8]) -> Result<(), StoreError>;
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// Copies a store into another that is empty.
///
/// # Errors
/// [`StoreError::Busy`] while a gateway runs on the source; [`StoreError::Configuration`] for a target that is not empty, a place that
/// is both, and a store of another version.
pub async fn copy_store(
    from: StoreOptions,
    to: StoreOptions,
    tell: &(dyn Fn(CopyProgress<'_>) + Send + Sync),
) -> Result<Vec<CopiedTable>, StoreError> {
    if from.url == to.url {
        return Err(StoreError::Configuration(text!(
            "source and target are the same database: name an empty one as the target",
            "来源与目标是同一个数据库：请把目标指定为空数据库"
        )));
    }
    let mut source: Box<dyn CopySource> = match from.location()? {
        StoreLocation::Sqlite(path) => Box::new(SqliteSource::open(path, from).await?),
        StoreLocation::Postgres(address) => Box::new(PostgresSource::open(&address, &from).await?),
    };
    let mut target: Box<dyn CopyTarget> = match to.location()? {
        StoreLocation::Sqlite(path) => Box::new(SqliteTarget::create(path, to).await?),
        StoreLocation::Postgres(address) => Box::new(PostgresTarget::create(&address, &to).await?),
    };
    let tables = common(source.tables().await?, &target.tables().await?)?;
    let mut read = Vec::with_capacity(tables.len());
    for table in &tables {
        read.push(copy_table(&mut *source, &mut *target, table, tell).await?);
    }
    target.set(&source.counters().await?, &source.id_key().await?).await?;
    let mut copied = Vec::with_capacity(tables.len());
    for (table, read) in tables.iter().zip(read) {
        let written = digest_of(&mut *target, table, read.rows(), tell).await?;
        if written != read {
            return Err(StoreError::Fault(format!(
                "the copy of the table `{}` differs ({} rows read, {} found): nothing was kept of it",
                table.name,
                read.rows(),
                written.rows()
            )));
        }
        copied.push(CopiedTable { name: table.name.clone(), rows: read.rows(), hash: read.hex() });
    }
    target.finish().await?;
    Ok(copied)
}

/// The tables, which must be the same on both sides.
fn common(source: Vec<Table>, target: &[Table]) -> Result<Vec<Table>, StoreError> {
    let differs = |name: &str| StoreError::Fault(format!("the table `{name}` differs between the two databases"));
    if let Some(more) = target.iter().find(|table| source.iter().all(|other| other.name != table.name)) {
        return Err(differs(&more.name));
    }
    for table in &source {
        let other = target.iter().find(|other| other.name == table.name).ok_or_else(|| differs(&table.name))?;
        if other != table {
            return Err(differs(&table.name));
        }
    }
    Ok(source)
}

async fn copy_table(
    source: &mut dyn CopySource,
    target: &mut dyn CopyTarget,
    table: &Table,
    tell: &(dyn Fn(CopyProgress<'_>) + Send + Sync),
) -> Result<Digest, StoreError> {
    let of = source.count(table).await?;
    let mut digest = Digest::default();
    source.open(table).await?;
    loop {
        tell(CopyProgress { table: &table.name, rows: digest.rows(), of, verifying: false });
        let rows = source.next().await?;
        if rows.is_empty() {
            return Ok(digest);
        }
        rows.iter().for_each(|row| digest.add(row));
        target.write(table, rows).await?;
    }
}

async fn digest_of(
    place: &mut dyn CopyTarget,
    table: &Table,
    of: u64,
    tell: &(dyn Fn(CopyProgress<'_>) + Send + Sync),
) -> Result<Digest, StoreError> {
    let mut digest = Digest::default();
    place.open(table).await?;
    loop {
        tell(CopyProgress { table: &table.name, rows: digest.rows(), of, verifying: true });
        let rows = place.next().await?;
        if rows.is_empty() {
            return Ok(digest);
        }
        rows.iter().for_each(|row| digest.add(row));
    }
}
