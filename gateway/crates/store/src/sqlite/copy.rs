//! A SQLite file as the source or the target of a copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_schema::text;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::mpsc;

use super::lock::ProcessLock;
use super::{blocking, connect, migrate};
use crate::copy::{Cell, Column, ColumnKind, CopySource, CopyTarget, Row, SET_ID_KEY, Table};
use crate::{StoreError, StoreOptions};

/// Rows that are handed on at a time, and their bytes.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;
/// Pieces that wait to be written.
const WAITING: usize = 2;

/// Numbers of an exchange within its page: the low bits of its id.
const EXCHANGE_BITS: u32 = 20;

type Shared = Arc<Mutex<Connection>>;
type Rows = mpsc::Receiver<Result<Vec<Row>, StoreError>>;

/// A file that no gateway has.
pub(crate) struct SqliteSource {
    connection: Shared,
    rows: Option<Rows>,
    _lock: ProcessLock,
}

impl SqliteSource {
    pub(crate) async fn open(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            if !path.exists() {
                return Err(StoreError::Configuration(text!(
                    "there is no database at {}: check the path of the source",
                    "{} 处没有数据库：请检查来源路径",
                    path.display()
                )));
            }
            let lock = ProcessLock::take(&path)?;
            let connection = connect::reader(&path, &options)?;
            migrate::check(&connection)?;
            Ok(Self { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: lock })
        })
        .await
    }
}

/// A file that is written under another name, and gets its own when it is whole.
pub(crate) struct SqliteTarget {
    file: SqliteSource,
    path: PathBuf,
    unfinished: PathBuf,
}

impl SqliteTarget {
    pub(crate) async fn create(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            if path.exists() {
                return Err(StoreError::Configuration(text!(
                    "the target {} exists: name a file that does not, or move that one away",
                    "目标 {} 已存在：请指定不存在的文件，或移走该文件",
                    path.display()
                )));
            }
            let unfinished = beside(&path, ".copying");
            // Its folder.
            connect::create(&unfinished)?;
            let lock = ProcessLock::take(&path)?;
            remove(&unfinished)?;
            connect::create(&unfinished)?;
            let mut connection = connect::writer(&unfinished, &options)?;
            migrate::migrate(&mut connection)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for table in tables(&connection)? {
                connection.execute_batch(&table.clear())?;
            }
            let file = SqliteSource { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: lock };
            Ok(Self { file, path, unfinished })
        })
        .await
    }
}

#[async_trait]
impl CopySource for SqliteSource {
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let connection = Arc::clone(&self.connection);
        blocking(move || tables(&connection.lock())).await
    }

    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let (connection, sql) = (Arc::clone(&self.connection), table.count());
        blocking(move || Ok(connection.lock().query_row(&sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())).await
    }

    async fn open(&mut self, table: &Table) -> Result<(), StoreError> {
        // What is still read of the table before ends with its receiver.
        self.rows = None;
        let (sender, receiver) = mpsc::channel(WAITING);
        let (connection, table) = (Arc::clone(&self.connection), table.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = send_rows(&connection.lock(), &table, &sender) {
                // The receiver may be gone.
                let _ = sender.blocking_send(Err(error));
            }
        });
        self.rows = Some(receiver);
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        let Some(rows) = &mut self.rows else { return Ok(Vec::new()) };
        rows.recv().await.unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn counters(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        let connection = Arc::clone(&self.connection);
        blocking(move || {
            let connection = connection.lock();
            let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence")?;
            let counters = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(counters.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn id_key(&mut self) -> Result<Vec<u8>, StoreError> {
        let connection = Arc::clone(&self.connection);
        blocking(move || Ok(migrate::id_key(&connection.lock())?.as_bytes().to_vec())).await
    }
}

#[async_trait]
impl CopySource for SqliteTarget {
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        self.file.tables().await
    }
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        self.file.count(table).await
    }
    async fn open(&mut self, table: &Table) -> Result<(), StoreError> {
        self.file.open(table).await
    }
    async fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        self.file.next().await
    }
    async fn counters(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        self.file.counters().await
    }
    async fn id_key(&mut self) -> Result<Vec<u8>, StoreError> {
        self.file.id_key().await
    }
}

#[async_trait]
impl CopyTarget for SqliteTarget {
    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let (connection, table) = (Arc::clone(&self.file.connection), table.clone());
        blocking(move || {
            let connection = connection.lock();
            let mut statement = connection.prepare_cached(&insert(&table))?;
            for row in rows {
                statement.execute(params_from_iter(row.iter().map(bound)))?;
            }
            Ok(())
        })
        .await
    }

    async fn set(&mut self, counters: &BTreeMap<String, i64>, id_key: &[u8]) -> Result<(), StoreError> {
        let (connection, counters, id_key) = (Arc::clone(&self.file.connection), counters.clone(), id_key.to_vec());
        blocking(move || {
            let connection = connection.lock();
            connection.execute(SET_ID_KEY, [id_key])?;
            for (table, last) in counters {
                let counts =
                    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND sql LIKE '%AUTOINCREMENT%'";
                if !connection.prepare_cached(counts)?.exists([&table])? {
                    continue;
                }
                let raised = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
                if connection.execute(raised, rusqlite::params![table, last])? == 0 {
                    let first = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
                    connection.execute(first, rusqlite::params![table, last])?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { file, path, unfinished } = *self;
        blocking(move || {
            let SqliteSource { connection, rows, _lock } = file;
            drop(rows);
            {
                let connection = connection.lock();
                connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
            }
            // The last one that closes the file takes its log away.
            let whole = Arc::try_unwrap(connection).map_err(|_| StoreError::Fault("the copy is still read".into()))?;
            drop(whole.into_inner());
            let failed = |error: std::io::Error| {
                StoreError::Unavailable(format!(
                    "{} cannot be renamed to {}: {error}",
                    unfinished.display(),
                    path.display()
                ))
            };
            std::fs::rename(&unfinished, &path).map_err(failed)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
        })
        .await
    }
}

/// What an earlier copy left that was stopped in the middle.
fn remove(file: &Path) -> Result<(), StoreError> {
    for end in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(file, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Unavailable(format!("{} cannot be removed: {error}", file.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// All but `meta`, which says what file this is.
fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let mut names = connection.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'meta' ORDER BY name",
    )?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names.into_iter().map(|name| table(connection, name)).collect()
}

fn table(connection: &Connection, name: String) -> Result<Table, StoreError> {
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Vec<(String, String, i64)> = statement.query_map([&name], read)?.collect::<Result<_, _>>()?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for (column, declared, place_in_key) in found {
        if place_in_key > 0 {
            key.push((place_in_key, column.clone()));
        }
        let kind = match declared.as_str() {
            "INTEGER" => ColumnKind::Int,
            "TEXT" => ColumnKind::Text,
            "BLOB" => ColumnKind::Bytes,
            other => return Err(StoreError::Fault(format!("`{name}.{column}` is of the type {other}"))),
        };
        columns.push(Column { name: column, kind });
    }
    key.sort();
    let mut key: Vec<String> = key.into_iter().map(|(_, column)| column).collect();
    if name == "exchange" {
        // Page and number are one column here.
        columns.retain(|column| column.name != "id");
        columns.extend(["no", "page"].map(|name| Column { name: name.into(), kind: ColumnKind::Int }));
        key = ["page", "no"].map(str::to_owned).to_vec();
    }
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Table { name, columns, key })
}

fn select(table: &Table) -> String {
    let expression = |column: &Column| match (table.name.as_str(), column.name.as_str()) {
        ("exchange", "page") => format!("id >> {EXCHANGE_BITS}"),
        ("exchange", "no") => format!("id & {}", (1_i64 << EXCHANGE_BITS) - 1),
        (_, name) => format!("\"{name}\""),
    };
    let columns: Vec<String> = table.columns.iter().map(expression).collect();
    let key: Vec<String> = match table.name.as_str() {
        "exchange" => vec!["id".into()],
        _ => table.key.iter().map(|column| format!("\"{column}\"")).collect(),
    };
    format!("SELECT {} FROM \"{}\" ORDER BY {}", columns.join(", "), table.name, key.join(", "))
}

fn insert(table: &Table) -> String {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name).map_or(0, |at| at + 1);
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (at, column) in table.columns.iter().enumerate() {
        match (table.name.as_str(), column.name.as_str()) {
            ("exchange", "no") => {}
            ("exchange", "page") => {
                columns.push("id".to_owned());
                values.push(format!("(?{} << {EXCHANGE_BITS}) | ?{}", place("page"), place("no")));
            }
            (_, name) => {
                columns.push(format!("\"{name}\""));
                values.push(format!("?{}", at + 1));
            }
        }
    }
    format!("INSERT INTO \"{}\" ({}) VALUES ({})", table.name, columns.join(", "), values.join(", "))
}

fn send_rows(
    connection: &Connection,
    table: &Table,
    to: &mpsc::Sender<Result<Vec<Row>, StoreError>>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&select(table))?;
    let mut rows = statement.query([])?;
    let (mut piece, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(table.columns.len());
        for at in 0..table.columns.len() {
            let cell = cell(row.get_ref(at)?)?;
            bytes += match &cell {
                Cell::Text(text) => text.len(),
                Cell::Bytes(found) => found.len(),
                Cell::Null | Cell::Int(_) => 8,
            };
            cells.push(cell);
        }
        piece.push(cells);
        if piece.len() >= ROWS || bytes >= BYTES {
            bytes = 0;
            if to.blocking_send(Ok(std::mem::take(&mut piece))).is_err() {
                return Ok(());
            }
        }
    }
    if !piece.is_empty() {
        let _ = to.blocking_send(Ok(piece));
    }
    Ok(())
}

fn cell(value: ValueRef<'_>) -> Result<Cell, StoreError> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| StoreError::Fault("a text is not UTF-8".into()))?;
            Cell::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::Fault("a value is a floating-point number".into())),
    })
}

fn bound(cell: &Cell) -> rusqlite::types::ToSqlOutput<'_> {
    let value = match cell {
        Cell::Null => ValueRef::Null,
        Cell::Int(number) => ValueRef::Integer(*number),
        Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        Cell::Bytes(bytes) => ValueRef::Blob(bytes),
    };
    rusqlite::types::ToSqlOutput::Borrowed(value)
}
