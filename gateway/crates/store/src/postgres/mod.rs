//! PostgreSQL: any number of gateways on one database.
//!
//! Commits take turns: each locks the one row of `feed` first, so rows and positions are given out in the order in which they
//! become visible. A connection that broke is thrown away by the pool and the next call makes another: nothing needs a
//! restart when the server was away.

mod api_key;
mod author;
mod budget;
mod commit_writer;
mod endpoint;
mod exchange;
mod feed;
mod inbox;
mod known;
mod lease;
mod list;
mod migrate;
mod outbox;
mod query;
mod quota;
mod record_key;
mod reference;
mod revision_writer;
mod screen;
mod signature;
mod store;
mod sweep;

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio::sync::watch;
use tokio_postgres::NoTls;

use crate::follow::{self, Follower};
use crate::identity::IdKey;
use crate::quota::Quotas;
use crate::sql::feed as positions;
use crate::{StoreError, StoreOptions};

/// How long a new connection may take: with the rest of a call it stays under the 5 s within which an absent server is told.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a write may take, its turn included.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The store on a server.
pub(crate) struct PostgresStore {
    pool: Pool,
    ids: IdKey,
    head: watch::Sender<i64>,
    read_timeout: Duration,
    writable: bool,
    /// What connections may keep.
    quotas: Quotas,
    _follower: Follower,
}

impl PostgresStore {
    /// Connects, migrates when it may write, and begins to follow the feed.
    pub(crate) async fn open(
        mut config: tokio_postgres::Config,
        options: &StoreOptions,
        writable: bool,
    ) -> Result<Self, StoreError> {
        config.connect_timeout(CONNECT_TIMEOUT).application_name("renmen");
        // A server that is gone without a word is noticed by its silence.
        config.tcp_user_timeout(CONNECT_TIMEOUT).keepalives_idle(CONNECT_TIMEOUT);
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let timeouts =
            Timeouts { wait: Some(WRITE_TIMEOUT), create: Some(CONNECT_TIMEOUT), recycle: Some(CONNECT_TIMEOUT) };
        let pool = Pool::builder(manager)
            .max_size(usize::try_from(options.readers).unwrap_or(1).max(2))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Fault(format!("no pool: {error}")))?;
        let mut client = pool.get().await?;
        let ids = if writable { migrate::migrate(&mut client).await? } else { migrate::check(&client).await? };
        if writable {
            positions::begin_epoch(&client).await?;
        }
        let head = watch::Sender::new(positions::head(&client).await?);
        drop(client);
        let looking = pool.clone();
        let follower = follow::follow(head.clone(), move || {
            let pool = looking.clone();
            async move { positions::head(&pool.get().await?).await }
        });
        let read_timeout = Duration::from_millis(options.read_timeout_ms);
        Ok(Self { pool, ids, head, read_timeout, writable, quotas: Quotas::default(), _follower: follower })
    }

    /// A read: given up after the read timeout. What the server still does for it ends there, for the connection is dropped.
    async fn read<T, R>(&self, work: impl FnOnce(Client) -> R) -> Result<T, StoreError>
    where
        R: Future<Output = Result<T, StoreError>>,
    {
        let read = async { work(self.pool.get().await?).await };
        let late = || StoreError::Unavailable(format!("a read took longer than {} ms", self.read_timeout.as_millis()));
        tokio::time::timeout(self.read_timeout, read).await.map_err(|_| late())?
    }

    /// A connection to write with.
    async fn client(&self) -> Result<Client, StoreError> {
        if !self.writable {
            return Err(crate::interface::read_only());
        }
        Ok(self.pool.get().await?)
    }
}

/// Gives a write up after [`WRITE_TIMEOUT`]; its transaction is then rolled back.
async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unavailable(format!("a write took longer than {} s", WRITE_TIMEOUT.as_secs()));
    tokio::time::timeout(WRITE_TIMEOUT, work).await.map_err(late)?
}

/// Does work in one transaction: an error of it rolls everything back.
macro_rules! in_transaction {
    ($store:expr, |$transaction:ident| $work:expr) => {
        $crate::postgres::in_time(async {
            let mut client = $store.client().await?;
            let $transaction = client.transaction().await?;
            let done = $work.await?;
            $transaction.commit().await?;
            Ok(done)
        })
        .await
    };
}
use in_transaction;
