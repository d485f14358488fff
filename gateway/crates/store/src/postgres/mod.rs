//! PostgreSQL: any number of gateways on one database.
//!
//! Commits of one tenant take turns: each locks the tenant's row of `feed` first, so its rows and positions are given out in the order
//! in which they become visible. Those of two tenants do not wait for each other. A connection that broke is thrown away by the pool and
//! the next call makes another: nothing needs a restart when the server was away, or when another took its place.
//!
//! Nothing lives in a session beyond its transaction when a pooler stands between: every read and every write is one transaction.

mod address;
mod api_key;
mod author;
mod budget;
mod call;
mod commit_writer;
mod connections;
mod copy;
mod endpoint;
mod exchange;
mod exchange_days;
mod feed;
mod identity;
mod inbox;
mod insight;
mod intake;
mod known;
mod lease;
mod list;
mod migrate;
mod moving;
mod outbox;
mod query;
mod quota;
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
mod tls;
mod turns;
mod views;
mod wakeup;
mod writes;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Client, GenericClient, Transaction};

use crate::heads::{self, Follower, Heads};
use crate::holder::Holder;
use crate::identity::{IdKey, IdKeys};
use crate::outbox::delivery as outbox_delivery;
use crate::quota::Quotas;
use crate::sql::cell::{self, Settled};
use crate::sql::feed as positions;
use crate::{StoreError, StoreOptions, sql};
pub(crate) use address::PostgresAddress;
use connections::{Connections, ReadClient};
pub(crate) use copy::{PostgresSource, PostgresTarget};
use intake::{Committers, GroupOptions};
pub(crate) use moving::PostgresPlace;
pub(crate) use tls::refusal_of;
use turns::Turns;
use wakeup::WakeupState;
use writes::Writes;

/// What the server shows of a gateway's connections.
const GATEWAY: &str = "renmen";
/// How often a transaction is tried that others are in the way of.
const CONFLICTS_MAX: u32 = 3;

/// The store on a server.
pub(crate) struct PostgresStore {
    connections: Connections,
    ids: IdKeys,
    heads: Arc<Heads>,
    holder: Holder,
    read_timeout: Duration,
    insight_timeout: Duration,
    writes: Writes,
    writable: bool,
    /// What connections may keep.
    quotas: Quotas,
    /// What commits deliveries; none where it may not write.
    committers: Option<Committers>,
    turns: Turns,
    wakeup: Option<WakeupState>,
    _followers: Vec<Follower>,
}

impl PostgresStore {
    /// Connects, migrates when it may write, and begins to follow the feed.
    pub(crate) async fn open(
        address: &PostgresAddress,
        options: &StoreOptions,
        writable: bool,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(address, options, (GATEWAY, options.connections_max.max(2)))?;
        connections.refuse_unnamed_pooler().await?;
        let mut client = connections.get().await?;
        let key = if writable {
            let key = migrate::migrate(&connections, &mut client).await?;
            // What comes before it succeeds is kept all the same.
            if let Err(error) = exchange_days::make_ahead(&connections, &mut client).await {
                tracing::warn!(%error, "Parts of the table of exchanges could not be made ahead; trying again later");
            }
            // So is what a database that lets the gateway make no schemas lacks.
            if let Err(error) = views::make(&connections, &mut client).await {
                tracing::warn!(
                    %error,
                    "Views for BI could not be made; let the gateway's role make schemas (`GRANT CREATE ON DATABASE`), or go without them"
                );
            }
            key
        } else {
            let transaction = connections.begin(&mut client).await?;
            migrate::check(&transaction).await?
        };
        let holder = Holder::of(&options.holder);
        let transaction = connections.begin(&mut client).await?;
        if writable {
            // Gateways that start together take turns.
            migrate::lock(&transaction).await?;
            raise(&transaction, cell::settle(&transaction, &key, options.cell).await?).await?;
            positions::begin_epoch(&transaction).await?;
            take_back(&transaction, &holder).await?;
        }
        let heads = Heads::new(positions::heads(&transaction).await?)?;
        let ids = IdKeys::of(cell::keys(&transaction, &key).await?);
        transaction.commit().await?;
        drop(client);
        let (writes, quotas) = (Writes::new(options), Quotas::default());
        let mut followers = vec![follow(&connections, &heads, (&ids, key), options)];
        let committers = match writable {
            true => {
                // Of their own: a group waits for no reader.
                let own = Connections::new(address, options, (GATEWAY, options.intake_committers.max(1)))?;
                let own = own.along_with(&connections);
                Some(Committers::start(group_options(options), (&own, &writes), &quotas, &heads))
            }
            false => None,
        };
        let wakeup = writable.then(|| wakeup::start(connections.clone(), Arc::clone(&heads))).map(|(state, task)| {
            followers.push(task);
            state
        });
        Ok(Self {
            connections,
            ids,
            heads,
            holder,
            read_timeout: Duration::from_millis(options.read_timeout_ms),
            insight_timeout: Duration::from_millis(options.insight_timeout_ms),
            writes,
            writable,
            quotas,
            committers,
            turns: Turns::default(),
            wakeup,
            _followers: followers,
        })
    }

    /// A read: given up after the read timeout, in the server too.
    async fn read<T, R>(&self, work: impl FnOnce(ReadClient) -> R) -> Result<T, StoreError>
    where
        R: Future<Output = Result<T, StoreError>>,
    {
        let read = async {
            let client = self.connections.get().await?;
            let (client, end) = ReadClient::begin(client, self.connections.pooler()).await?;
            let result = work(client).await;
            end.end().await?;
            result
        };
        let late = || StoreError::Unavailable(format!("a read took longer than {} ms", self.read_timeout.as_millis()));
        call::in_call(self.read_timeout, late, read).await
    }

    /// A connection to write with, in one transaction.
    async fn client(&self) -> Result<Client, StoreError> {
        if !self.writable {
            return Err(crate::interface::read_only());
        }
        self.connections.get().await
    }

    /// See [`Writes::in_time`].
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.writes.in_time(work).await
    }
}

fn group_options(options: &StoreOptions) -> GroupOptions {
    let count = |number: u32| usize::try_from(number).unwrap_or(1).max(1);
    GroupOptions {
        committers: count(options.intake_committers),
        deliveries: count(options.intake_group),
        wait: Duration::from_millis(options.intake_wait_ms),
    }
}

/// Begins to look where the feeds end.
fn follow(
    connections: &Connections,
    heads: &Arc<Heads>,
    (ids, key): (&IdKeys, IdKey),
    options: &StoreOptions,
) -> Follower {
    let looking = (connections.clone(), ids.clone(), key);
    heads::follow(Arc::clone(heads), Duration::from_millis(options.poll_ms), move || {
        let (connections, ids, key) = looking.clone();
        async move {
            let mut client = connections.get().await?;
            let transaction = connections.begin(&mut client).await?;
            ids.replace(cell::keys(&transaction, &key).await?);
            positions::heads(&transaction).await
        }
    })
}

/// Lets every counter go on after a number.
async fn raise(client: &impl GenericClient, settled: Settled) -> Result<(), StoreError> {
    let Settled::Raise(after) = settled else { return Ok(()) };
    for (_, _, sequence) in copy::sequences(client).await? {
        let sql = format!("SELECT setval('{sequence}', $1) WHERE (SELECT last_value FROM {sequence}) < $1");
        query::run(client, &sql, &[&after]).await?;
    }
    Ok(())
}

/// Ends what the process before had under way that was the same gateway: it has ended, or this one would not have its name.
async fn take_back(transaction: &Transaction<'_>, holder: &Holder) -> Result<(), StoreError> {
    sql::run::interrupt_of(transaction, holder).await?;
    outbox_delivery::release_of(transaction, holder).await?;
    sql::inbox::release_refreshes_of(transaction, holder).await
}

/// Does work in one transaction: an error of it rolls everything back. It is done again when another transaction was in the way.
macro_rules! in_transaction {
    ($store:expr, |$transaction:ident| $work:expr) => {
        $store
            .in_time(async {
                let mut tries = 0;
                loop {
                    let mut client = $store.client().await?;
                    let $transaction = $store.connections.begin(&mut client).await?;
                    let done = match $work.await {
                        Ok(done) => $transaction.commit().await.map(|()| done).map_err($crate::StoreError::from),
                        Err(error) => Err(error),
                    };
                    tries += 1;
                    match done {
                        Err(error) if error.is_conflict() && tries < $crate::postgres::CONFLICTS_MAX => {}
                        done => break done,
                    }
                }
            })
            .await
    };
}
use in_transaction;
