//! The connections to the server: how many, how they are made, and which are thrown away instead of being used again.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool_postgres::{
    Client, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Metrics, Pool, RecyclingMethod, Runtime,
    StatementCache, Timeouts, Transaction,
};
use parking_lot::Mutex;
use renmen_schema::text;
use tokio::sync::oneshot;
use tokio_postgres::{CancelToken, Config, Connection, SimpleQueryMessage, Socket};

use super::PostgresAddress;
use super::call::{self, Held};
use super::tls::{Encrypted, TlsConnector};
use crate::{Pooler, StoreError, StoreOptions};

/// A connection that rested for so long is asked whether it is there before it is used: a server or a firewall may have left without a
/// word.
const RESTED: Duration = Duration::from_secs(30);
/// How long a cancellation may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

/// What moves the bytes of a connection that is not of the pool.
pub(super) type LoneConnection = Connection<Socket, Encrypted<Socket>>;

/// A pool of a store.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool,
    /// This one and the others of the same store.
    all: Arc<Mutex<Vec<Pool>>>,
    /// How each is made.
    config: Config,
    thrown_away: Arc<Mutex<Vec<Weak<StatementCache>>>>,
    connector: TlsConnector,
    pooler: Pooler,
}

impl Connections {
    /// Makes none yet, and never more than `most`. `name` is what the server shows of them.
    pub(super) fn new(
        address: &PostgresAddress,
        options: &StoreOptions,
        (name, most): (&str, u32),
    ) -> Result<Self, StoreError> {
        let timeout = |ms: u64| Duration::from_millis(ms.max(1));
        let connect = timeout(options.connect_timeout_ms);
        let mut config = address.config.clone();
        config.connect_timeout(connect).application_name(name);
        // A server that is gone without a word is noticed by its silence.
        config.tcp_user_timeout(connect).keepalives_idle(connect);
        if let Some(password) = &options.password {
            config.password(password.expose());
        }
        let connector = address.tls.connector()?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), connector.clone(), recycling);
        let thrown_away = Arc::<Mutex<Vec<Weak<StatementCache>>>>::default();
        let marks = Arc::clone(&thrown_away);
        let mut builder = Pool::builder(manager)
            .max_size(usize::try_from(most).unwrap_or(usize::MAX))
            .timeouts(Timeouts {
                wait: Some(timeout(options.acquire_timeout_ms)),
                create: Some(connect),
                recycle: Some(connect),
            })
            .pre_recycle(Hook::sync_fn(move |client, _| refuse_marked(&marks, client)))
            .post_recycle(Hook::async_fn(|client, metrics| Box::pin(prove_rested(client, metrics))))
            .runtime(Runtime::Tokio1);
        if options.pooler == Pooler::None {
            let settings = session_settings(options.statement_timeout_ms);
            builder = builder.post_create(Hook::async_fn(move |client, _| {
                let settings = settings.clone();
                Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
            }));
        }
        let pool = builder.build().map_err(|error| StoreError::Fault(format!("no pool: {error}")))?;
        let all = Arc::new(Mutex::new(vec![pool.clone()]));
        Ok(Self { pool, all, config, thrown_away, connector, pooler: options.pooler })
    }

    /// Another pool of the same store: what one of them finds out about the server counts for both.
    pub(super) fn along_with(mut self, other: &Self) -> Self {
        other.all.lock().push(self.pool.clone());
        self.all = Arc::clone(&other.all);
        self
    }

    /// A connection, for the call that is under way if there is one.
    pub(super) async fn get(&self) -> Result<Client, StoreError> {
        let client = self.pool.get().await?;
        call::hold(|| {
            let (connection, cancel) = (Arc::clone(&client.statement_cache), client.cancel_token());
            Box::new(HeldConnection { connection, cancel, from: self.clone() })
        });
        Ok(client)
    }

    /// One that is not of the pool, for what the server says of its own accord. The second half must be polled.
    pub(super) async fn connect_alone(
        &self,
        name: &str,
    ) -> Result<(tokio_postgres::Client, LoneConnection), StoreError> {
        let mut config = self.config.clone();
        Ok(config.application_name(name).connect(self.connector.clone()).await?)
    }

    /// Begins a transaction.
    pub(super) async fn begin<'c>(&self, client: &'c mut Client) -> Result<Transaction<'c>, StoreError> {
        if self.pooler == Pooler::Transaction {
            // Another server may have taken the place of the one that they were prepared in.
            client.statement_cache.clear();
        }
        let transaction = client.transaction().await?;
        if self.pooler == Pooler::Transaction {
            // What other clients of the pooler left in this one: the driver's names are the same in each process.
            transaction.batch_execute("DEALLOCATE ALL").await?;
        }
        Ok(transaction)
    }

    /// Begins a transaction that reads and sees one moment; its statements may take so long.
    pub(super) async fn begin_snapshot<'c>(
        &self,
        client: &'c mut Client,
        limit: Duration,
    ) -> Result<Transaction<'c>, StoreError> {
        if self.pooler == Pooler::Transaction {
            client.statement_cache.clear();
        }
        let isolation = tokio_postgres::IsolationLevel::RepeatableRead;
        let transaction = client.build_transaction().isolation_level(isolation).read_only(true).start().await?;
        if self.pooler == Pooler::Transaction {
            transaction.batch_execute("DEALLOCATE ALL").await?;
        }
        let (statement, idle) = (limit.as_millis(), limit.as_millis().saturating_mul(2));
        let settings = format!(
            "SET LOCAL statement_timeout = {statement}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
        );
        transaction.batch_execute(&settings).await?;
        Ok(transaction)
    }

    /// Refuses a pooler in transaction mode that the configuration does not name: a statement that was prepared through it may be another
    /// process's. Two clients of a server never have the same connection of it; behind such a pooler one takes over the other's.
    pub(super) async fn refuse_unnamed_pooler(&self) -> Result<(), StoreError> {
        if self.pooler == Pooler::Transaction {
            return Ok(());
        }
        let (first, second) = (self.pool.get().await?, self.pool.get().await?);
        let before = backend(&first).await?;
        second.batch_execute("BEGIN").await?;
        let (other, after) = (backend(&second).await?, backend(&first).await?);
        second.batch_execute("COMMIT").await?;
        if before == other || before != after {
            return Err(StoreError::Configuration(text!(
                "a pooler in transaction mode stands in front of PostgreSQL: set `store.pooler = \"transaction\"`",
                "PostgreSQL 前有一个事务模式的连接池：请设置 `store.pooler = \"transaction\"`"
            )));
        }
        Ok(())
    }

    pub(super) fn pooler(&self) -> Pooler {
        self.pooler
    }

    /// Never gives this connection out again.
    fn throw_away(&self, connection: &Arc<StatementCache>) {
        let mut marked = self.thrown_away.lock();
        marked.retain(|other| other.strong_count() > 0);
        marked.push(Arc::downgrade(connection));
    }

    /// Never gives any of the connections out again that there are now.
    fn throw_all_away(&self) {
        self.all.lock().iter().for_each(|pool| drop(pool.retain(|_, _| false)));
    }

    async fn cancel(&self, token: &CancelToken) {
        let cancelled = tokio::time::timeout(CANCEL_TIMEOUT, token.cancel_query(self.connector.clone())).await;
        if !matches!(cancelled, Ok(Ok(()))) {
            tracing::debug!("A statement that was given up could not be cancelled");
        }
    }
}

/// A connection that was given to a call.
struct HeldConnection {
    connection: Arc<StatementCache>,
    cancel: CancelToken,
    from: Connections,
}

impl Held for HeldConnection {
    fn give_up(self: Box<Self>) {
        self.from.throw_away(&self.connection);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // No caller waits for it: a server that is away has no statement to cancel.
        runtime.spawn(async move { self.from.cancel(&self.cancel).await });
    }

    fn leave_server(self: Box<Self>) {
        self.from.throw_all_away();
    }
}

/// A connection to read with. Behind a pooler it stands in a transaction, which [`ReadEnd::end`] ends when this is dropped.
pub(super) struct ReadClient {
    client: Option<Client>,
    back: Option<oneshot::Sender<Client>>,
}

/// Where the connection of a [`ReadClient`] comes back.
pub(super) struct ReadEnd(Option<oneshot::Receiver<Client>>);

impl ReadClient {
    pub(super) async fn begin(client: Client, pooler: Pooler) -> Result<(Self, ReadEnd), StoreError> {
        if pooler == Pooler::None {
            return Ok((Self { client: Some(client), back: None }, ReadEnd(None)));
        }
        client.statement_cache.clear();
        client.batch_execute("BEGIN READ ONLY; DEALLOCATE ALL").await?;
        let (back, end) = oneshot::channel();
        Ok((Self { client: Some(client), back: Some(back) }, ReadEnd(Some(end))))
    }
}

impl ReadEnd {
    pub(super) async fn end(self) -> Result<(), StoreError> {
        let Some(back) = self.0 else { return Ok(()) };
        match back.await {
            Ok(client) => Ok(client.batch_execute("COMMIT").await?),
            Err(_) => Ok(()),
        }
    }
}

impl Drop for ReadClient {
    fn drop(&mut self) {
        let (Some(client), Some(back)) = (self.client.take(), self.back.take()) else { return };
        if let Err(client) = back.send(client) {
            // Nothing ends its transaction any more: with the connection it ends now.
            drop(Client::take(client));
        }
    }
}

#[allow(clippy::expect_used, reason = "taken by drop alone")]
impl Deref for ReadClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("a connection until it is dropped")
    }
}

#[allow(clippy::expect_used, reason = "taken by drop alone")]
impl DerefMut for ReadClient {
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("a connection until it is dropped")
    }
}

/// No caller waits longer than this for a statement, so the server need not go on with it; and a transaction that was forgotten (its process
/// was stopped in the middle) does not keep others out for ever. None of our statements runs for so long that compiling it would pay; the
/// server compiles one all the same, for a hundred milliseconds, where it takes a plan for expensive.
fn session_settings(statement_timeout_ms: u64) -> String {
    format!(
        "SET jit = off; SET statement_timeout = {statement_timeout_ms}; SET idle_in_transaction_session_timeout = {}",
        statement_timeout_ms.saturating_mul(2)
    )
}

/// Which process of the server answers; asked without a prepared statement.
async fn backend(client: &Client) -> Result<Option<String>, StoreError> {
    let answer = client.simple_query("SELECT pg_backend_pid()").await?;
    Ok(answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

fn refuse_marked(marks: &Mutex<Vec<Weak<StatementCache>>>, client: &ClientWrapper) -> Result<(), HookError> {
    let mut marks = marks.lock();
    let known = marks.len();
    marks.retain(|mark| !std::ptr::eq(mark.as_ptr(), Arc::as_ptr(&client.statement_cache)));
    if marks.len() == known { Ok(()) } else { Err(HookError::message("its call was given up")) }
}

async fn prove_rested(client: &ClientWrapper, metrics: &Metrics) -> Result<(), HookError> {
    if metrics.last_used() < RESTED {
        return Ok(());
    }
    client.simple_query("").await.map(drop).map_err(HookError::Backend)
}
