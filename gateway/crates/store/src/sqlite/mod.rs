//! SQLite: one file, one writer thread, readers beside it.
//!
//! `writer` and `readers` run the statements that the other modules hold; this file only hands them over. A transaction
//! holds no state outside the file: positions and counters are read where they are needed, so one that fails leaves nothing to
//! repair.

mod api_key;
mod author;
mod budget;
mod commit;
mod condition;
mod connect;
mod endpoint;
mod feed;
mod gather;
mod inbox;
mod key_file;
mod keyed;
mod lease;
mod ledger;
mod list;
mod lock;
mod migrate;
mod note;
mod outbox;
mod pen;
mod quarantine;
mod query;
mod readers;
mod record;
mod run;
mod screen;
mod sign;
mod store;
mod sweep;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::follow::{self, Follower};
use crate::identity::IdKey;
use crate::quota::Quotas;
use crate::{StoreError, StoreOptions};
use condition::Condition;
use gather::Gather;
pub(crate) use key_file::KeyFile;
use lock::ProcessLock;
use readers::Readers;
use writer::Writer;

/// The store in one file.
pub(crate) struct SqliteStore {
    /// None: opened for reading only.
    writer: Option<Writer>,
    readers: Readers,
    ids: IdKey,
    head: watch::Sender<i64>,
    /// Deliveries that wait for their commit.
    gather: Arc<Gather>,
    /// What connections may keep.
    quotas: Quotas,
    condition: Condition,
    /// Only where another process writes.
    _follower: Option<Follower>,
}

impl SqliteStore {
    /// Takes the file for this process.
    pub(crate) async fn open(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        blocking(move || {
            connect::create(&path)?;
            let lock = ProcessLock::take(&path)?;
            let mut connection = connect::writer(&path, &options)?;
            migrate::migrate(&mut connection)?;
            feed::begin_epoch(&connection)?;
            let interrupted = run::interrupt_all(&connection)?;
            if interrupted > 0 {
                tracing::warn!(interrupted, "Runs of an earlier process were cut; they go on from their last page");
            }
            outbox::release_all(&connection)?;
            inbox::release_all(&connection)?;
            lease::release_all(&connection)?;
            let ids = migrate::id_key(&connection)?;
            let head = watch::Sender::new(feed::head(&connection)?.seq);
            let condition = Condition::of(&path, options.disk_free_bytes_min);
            let readers = Readers::open(&path, &options, condition.clone())?;
            let doors = (head.clone(), condition.clone());
            let writer = Writer::start(connection, lock, doors, options.holds_paused_clock)?;
            let quotas = Quotas::default();
            let gather = Arc::new(Gather::new(quotas.clone()));
            Ok(Self { writer: Some(writer), readers, ids, head, gather, quotas, condition, _follower: None })
        })
        .await
    }

    /// Opens beside the process that has the file.
    pub(crate) async fn open_read_only(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        let (readers, condition, ids, seq) = blocking(move || {
            if !path.exists() {
                let path = path.display();
                return Err(StoreError::Unavailable(format!(
                    "there is no database at {path}: start the gateway once, it makes it"
                )));
            }
            let connection = connect::reader(&path, &options)?;
            migrate::check(&connection)?;
            let condition = Condition::of(&path, options.disk_free_bytes_min);
            let readers = Readers::open(&path, &options, condition.clone())?;
            Ok((readers, condition, migrate::id_key(&connection)?, feed::head(&connection)?.seq))
        })
        .await?;
        let head = watch::Sender::new(seq);
        let reading = readers.clone();
        let follower = follow::follow(head.clone(), move || {
            let readers = reading.clone();
            async move { readers.run(|connection| feed::head(connection).map(|head| head.seq)).await }
        });
        let quotas = Quotas::default();
        let gather = Arc::new(Gather::new(quotas.clone()));
        Ok(Self { writer: None, readers, ids, head, gather, quotas, condition, _follower: Some(follower) })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(crate::interface::read_only)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Fault(format!("opening ended: {error}")))?
}
