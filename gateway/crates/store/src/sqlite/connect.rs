//! Opening the file: who may read it, which SQLite, which settings.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, StoreOptions};

/// The first SQLite whose WAL cannot be corrupted by a checkpoint that meets a writer.
const VERSION_MIN: i32 = 3_051_003;
/// How long a command waits for the gateway's transaction to end: the largest page takes a second or two.
const BESIDE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
/// Statements kept prepared by each connection.
const STATEMENTS: usize = 96;

/// Creates folder and file where they are missing, readable by their owner alone.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let away =
        |error: std::io::Error| StoreError::Unavailable(format!("{} cannot be created: {error}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(away)?;
    }
    private_file(path).map(drop).map_err(away)
}

/// Opens or creates a file that only its owner may read.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The one connection that writes and checkpoints.
pub(super) fn writer(path: &Path, options: &StoreOptions) -> Result<Connection, StoreError> {
    check_version(rusqlite::version_number())?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let synchronous = if options.synchronous_full { "FULL" } else { "NORMAL" };
    // 16 KiB pages (only a new file takes this up) hold 30 records each: half the b-tree work of 4 KiB ones. What a superseded
    // body leaves in a page is overwritten, for it is personal data. Freed pages are used again, so nothing needs vacuuming.
    connection.execute_batch(&format!(
        "PRAGMA page_size = 16384; PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
         PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = {}; PRAGMA journal_size_limit = 268435456;",
        options.checkpoint_pages
    ))?;
    prepare(&connection, options.cache_bytes / 2)?;
    Ok(connection)
}

/// A connection that writes while the gateway has the file open. It never moves the log into the file: that is left to
/// the gateway or, if none runs, to the last connection that closes the file.
pub(super) fn beside(path: &Path, options: &StoreOptions) -> Result<Connection, StoreError> {
    check_version(rusqlite::version_number())?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let synchronous = if options.synchronous_full { "FULL" } else { "NORMAL" };
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0;"
    ))?;
    prepare(&connection, 1 << 20)?;
    connection.busy_timeout(BESIDE_PATIENCE)?;
    Ok(connection)
}

/// One of the connections that read.
pub(super) fn reader(path: &Path, options: &StoreOptions) -> Result<Connection, StoreError> {
    check_version(rusqlite::version_number())?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    prepare(&connection, options.cache_bytes / 2 / u64::from(options.readers))?;
    Ok(connection)
}

fn prepare(connection: &Connection, cache_bytes: u64) -> Result<(), StoreError> {
    // Negative: KiB instead of pages.
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
        (cache_bytes / 1024).max(256)
    ))?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn check_version(version: i32) -> Result<(), StoreError> {
    if version < VERSION_MIN {
        return Err(StoreError::Fault(format!(
            "SQLite {} can corrupt its write-ahead log; 3.51.3 or later is needed: build with the bundled one",
            rusqlite::version()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f05_a_sqlite_with_the_wal_reset_fault_is_refused_and_the_bundled_one_is_not() {
        assert!(check_version(3_051_002).is_err());
        assert!(check_version(3_051_003).is_ok());
        assert!(check_version(rusqlite::version_number()).is_ok());
    }
}
