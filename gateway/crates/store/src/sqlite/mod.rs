//! SQLite: one file, one writer thread, and readers in parallel with it.
//!
//! `writer` and `readers` run the statements that `crate::sql` and the other modules hold; this file only hands them over. A transaction
//! holds no state outside the file: positions and counters are read where they are needed, so one that fails leaves nothing to
//! repair.

mod api_key;
mod author;
mod budget;
mod commit_writer;
mod condition;
mod connect;
mod copy;
mod delivery_group;
mod endpoint;
mod exchange;
mod feed;
mod identity;
mod inbox;
mod insight;
mod key_file;
mod known;
mod lease;
mod list;
mod lock;
mod migrate;
mod moving;
mod outbox;
mod query;
mod quota;
mod readers;
mod record_key;
mod reference;
mod registry;
mod retention;
mod revision_writer;
mod schedule;
mod screen;
mod signature;
mod store;
mod sweep;
mod table_rows;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::heads::{self, Follower, Heads};
use crate::holder::Holder;
use crate::identity::IdKeys;
use crate::outbox::delivery as outbox_delivery;
use crate::quota::Quotas;
use crate::sql::cell::{self, Settled};
use crate::{StoreError, StoreOptions, sql};
use condition::Condition;
pub(crate) use copy::{SqliteSource, SqliteTarget};
use delivery_group::DeliveryGroup;
pub(crate) use key_file::KeyFile;
use lock::ProcessLock;
pub(crate) use moving::SqlitePlace;
use query::at_once;
use readers::Readers;
use writer::Writer;

/// The store in one file.
pub(crate) struct SqliteStore {
    /// None: opened for reading only.
    writer: Option<Writer>,
    readers: Readers,
    ids: IdKeys,
    heads: Arc<Heads>,
    holder: Holder,
    /// Deliveries that wait for their commit.
    group: Arc<DeliveryGroup>,
    /// What connections may keep.
    quotas: Quotas,
    condition: Condition,
    /// Only where another process writes.
    _follower: Option<Follower>,
}

impl SqliteStore {
    /// Takes the file for this process.
    pub(crate) async fn open(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        let holder = Holder::of(&options.holder);
        blocking(move || {
            connect::create(&path)?;
            let lock = ProcessLock::take(&path)?;
            let mut connection = connect::writer(&path, &options)?;
            migrate::migrate(&mut connection)?;
            writer::in_transaction(&mut connection, |transaction| {
                let key = migrate::id_key(transaction)?;
                raise(transaction, at_once(cell::settle(transaction, &key, options.cell))?)?;
                at_once(take_over(transaction))
            })?;
            let ids = IdKeys::of(at_once(cell::keys(&connection, &migrate::id_key(&connection)?))?);
            let heads = Heads::new(at_once(sql::feed::heads(&connection))?)?;
            let condition = Condition::of(&path, options.disk_free_bytes_min);
            let readers = Readers::open(&path, &options, condition.clone())?;
            let doors = (Arc::clone(&heads), condition.clone());
            let writer = Writer::start(connection, lock, doors, options.holds_paused_clock)?;
            let quotas = Quotas::default();
            let group = Arc::new(DeliveryGroup::new(quotas.clone(), Arc::clone(&heads), group_max(&options)));
            Ok(Self { writer: Some(writer), readers, ids, holder, heads, group, quotas, condition, _follower: None })
        })
        .await
    }

    /// Opens for reading while another process may have the file.
    pub(crate) async fn open_read_only(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        let (poll, group_max) = (Duration::from_millis(options.poll_ms), group_max(&options));
        let holder = Holder::of(&options.holder);
        let (readers, condition, ids, heads) = blocking(move || {
            if !path.exists() {
                let path = path.display();
                return Err(StoreError::Unavailable(format!(
                    "there is no database at {path}: start the gateway once to create it"
                )));
            }
            let connection = connect::reader(&path, &options)?;
            migrate::check(&connection)?;
            let condition = Condition::of(&path, options.disk_free_bytes_min);
            let readers = Readers::open(&path, &options, condition.clone())?;
            let heads = Heads::new(at_once(sql::feed::heads(&connection))?)?;
            let ids = IdKeys::of(at_once(cell::keys(&connection, &migrate::id_key(&connection)?))?);
            Ok((readers, condition, ids, heads))
        })
        .await?;
        let reading = readers.clone();
        let follower = heads::follow(Arc::clone(&heads), poll, move || {
            let readers = reading.clone();
            async move { readers.run(|c| at_once(sql::feed::heads(c))).await }
        });
        let quotas = Quotas::default();
        let group = Arc::new(DeliveryGroup::new(quotas.clone(), Arc::clone(&heads), group_max));
        Ok(Self { writer: None, readers, ids, holder, heads, group, quotas, condition, _follower: Some(follower) })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(crate::interface::read_only)
    }
}

/// Lets every counter go on after a number. Tables without a counter go on after what [`cell`] noted.
fn raise(connection: &Connection, settled: Settled) -> Result<(), StoreError> {
    let Settled::Raise(after) = settled else { return Ok(()) };
    connection.execute("UPDATE sqlite_sequence SET seq = max(seq, ?1)", [after])?;
    let first = "INSERT INTO sqlite_sequence (name, seq) SELECT m.name, ?1 FROM sqlite_master m WHERE m.type = 'table'
                 AND m.sql LIKE '%AUTOINCREMENT%' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence s WHERE s.name = m.name)";
    connection.execute(first, [after])?;
    Ok(())
}

fn group_max(options: &StoreOptions) -> usize {
    usize::try_from(options.intake_group).unwrap_or(1).max(1)
}

/// Begins an epoch and ends what the process before had under way: it has ended, for this one has the file.
async fn take_over(connection: &Connection) -> Result<(), StoreError> {
    sql::feed::begin_epoch(connection).await?;
    sql::run::interrupt_all(connection).await?;
    outbox_delivery::release_all(connection).await?;
    sql::inbox::release_refreshes(connection).await?;
    sql::lease::release_all(connection).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Fault(format!("opening ended: {error}")))?
}
