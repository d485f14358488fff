//! A SQLite file as the source or the target of a copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_schema::text;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::lock::ProcessLock;
use super::table_rows::{self, counts, send_rows};
use super::{blocking, connect, migrate};
use crate::copy::{CopySource, CopyTarget, HasSource, Row, SET_ID_KEY, Table};
use crate::{StoreError, StoreOptions};

/// Pieces that wait to be written.
const WAITING: usize = 2;

type Shared = Arc<Mutex<Connection>>;
type Rows = mpsc::Receiver<Result<Vec<Row>, StoreError>>;

/// A file that no gateway has.
pub(crate) struct SqliteSource {
    connection: Shared,
    rows: Option<Rows>,
    /// Held where no gateway may have the file meanwhile.
    _lock: Option<ProcessLock>,
}

impl SqliteSource {
    /// A file that a gateway may have.
    pub(super) async fn beside(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            if !path.exists() {
                return Err(no_database(&path));
            }
            let connection = connect::beside(&path, &options)?;
            migrate::check(&connection)?;
            Ok(Self { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: None })
        })
        .await
    }

    /// A file that no gateway has, to write into.
    pub(super) async fn alone(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            let lock = ProcessLock::take(&path)?;
            let connection = connect::writer(&path, &options)?;
            migrate::check(&connection)?;
            Ok(Self { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: Some(lock) })
        })
        .await
    }

    pub(super) fn connection(&self) -> &Shared {
        &self.connection
    }

    /// Gives up what is still to be read of a table.
    pub(super) fn end_reading(&mut self) {
        self.rows = None;
    }

    pub(crate) async fn open(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            if !path.exists() {
                return Err(no_database(&path));
            }
            let lock = ProcessLock::take(&path)?;
            let connection = connect::reader(&path, &options)?;
            migrate::check(&connection)?;
            Ok(Self { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: Some(lock) })
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
            for table in table_rows::tables(&connection)? {
                connection.execute_batch(&table.clear())?;
            }
            let file = SqliteSource { connection: Arc::new(Mutex::new(connection)), rows: None, _lock: Some(lock) };
            Ok(Self { file, path, unfinished })
        })
        .await
    }
}

#[async_trait]
impl CopySource for SqliteSource {
    async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let connection = Arc::clone(&self.connection);
        blocking(move || table_rows::tables(&connection.lock())).await
    }

    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let (connection, sql) = (Arc::clone(&self.connection), counts(table));
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

impl HasSource for SqliteTarget {
    type Source = SqliteSource;

    fn source(&mut self) -> &mut SqliteSource {
        &mut self.file
    }
}

#[async_trait]
impl CopyTarget for SqliteTarget {
    async fn write(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let (connection, table) = (Arc::clone(&self.file.connection), table.clone());
        blocking(move || table_rows::write(&connection.lock(), &table, &rows)).await
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

fn no_database(path: &Path) -> StoreError {
    StoreError::Configuration(text!(
        "there is no database at {}: check the path of the source",
        "{} 处没有数据库：请检查来源路径",
        path.display()
    ))
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
