//! The engine: which connections there are, and the one door through which every run goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::{RunEnd, RunState, RunTrigger, Store, StoreError, StreamKey, StreamState};
use renmen_turns::{Places, Who};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::health::Book;
use crate::normalize::Rules;
use crate::run::{Job, RunPlace};
use crate::{ConnectionRuntime, NoProgress, Progress, RunReport, StreamHealth, SyncError, SyncOptions, figures};

/// Rows read for each connection when the engine recalls earlier runs.
const HISTORY_ROWS: u32 = 1_000;

/// Runs streams: by hand through [`Engine::run_stream`] and [`Engine::start`], by themselves through [`Engine::serve`].
/// Never two runs of one stream at once. Shared by reference; every method may be called side by side.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connections: BTreeMap<(TenantId, ConnectionName), Arc<ConnectionRuntime>>,
    pub(crate) options: SyncOptions,
    pub(crate) book: Arc<Book>,
    /// Runs under way.
    pub(crate) places: Places,
    /// Targeted reads under way.
    pub(crate) reads: Places,
    /// Told when a delivery asked for something to be read.
    pub(crate) refreshes: Notify,
}

/// A run that has its number and has read nothing yet.
struct Started {
    job: Job,
    run: RunId,
    state: StreamState,
    place: RunPlace,
}

impl Engine {
    /// Puts together what was loaded.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, connections: Vec<ConnectionRuntime>, options: SyncOptions) -> Arc<Self> {
        let connections = connections
            .into_iter()
            .map(|connection| ((connection.tenant().clone(), connection.name().clone()), Arc::new(connection)))
            .collect();
        Arc::new(Self {
            store,
            connections,
            book: Arc::new(Book::default()),
            places: Places::new("runs", options.parallel_runs),
            reads: Places::new("reads", options.parallel_reads),
            options,
            refreshes: Notify::new(),
        })
    }

    /// The engine's clock, in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }

    /// Every connection, in the order of tenants and names.
    pub fn connections(&self) -> impl Iterator<Item = &Arc<ConnectionRuntime>> {
        self.connections.values()
    }

    /// One connection of a tenant.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`].
    pub fn connection(&self, tenant: &TenantId, name: &ConnectionName) -> Result<&Arc<ConnectionRuntime>, SyncError> {
        let key = (tenant.clone(), name.clone());
        self.connections.get(&key).ok_or_else(|| SyncError::UnknownConnection(name.clone()))
    }

    /// The key of a stream by its names.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`], [`SyncError::UnknownStream`].
    pub fn key(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        stream: &StreamName,
    ) -> Result<StreamKey, SyncError> {
        let connection = self.connection(tenant, connection)?;
        connection.declared(connection.source().as_ref(), stream)?;
        Ok(connection.key(stream))
    }

    /// Runs a stream to its last page. `trigger` is kept with the run.
    ///
    /// A vendor or a connector that fails is no error here: the report says why the run stopped, and what was committed stays.
    /// `cancel` ends the run after the pages that were read; the next run goes on from there.
    ///
    /// # Errors
    /// [`SyncError`] when the run could not begin, or when the store failed in the middle.
    pub async fn run_stream(
        &self,
        key: &StreamKey,
        trigger: RunTrigger,
        cancel: CancellationToken,
        progress: &dyn Progress,
    ) -> Result<RunReport, SyncError> {
        let mut place = self.place(key)?;
        tokio::select! {
            // The run begins all the same, and says that it was stopped.
            () = cancel.cancelled() => {}
            () = place.take() => {}
        }
        self.run_placed(key, trigger, place, cancel, progress).await
    }

    /// The same, by whoever stood in line for it.
    pub(crate) async fn run_placed(
        &self,
        key: &StreamKey,
        trigger: RunTrigger,
        place: RunPlace,
        cancel: CancellationToken,
        progress: &dyn Progress,
    ) -> Result<RunReport, SyncError> {
        let started = self.begin(key, trigger, place).await?;
        self.drive(started, cancel, progress).await
    }

    /// A run of this stream among the others; it holds no place yet.
    pub(crate) fn place(&self, key: &StreamKey) -> Result<RunPlace, SyncError> {
        let connection = self.connection(&key.tenant, &key.connection)?;
        let who = Who::new(key.tenant.as_str(), key.connection.as_str(), key.stream.as_str());
        Ok(RunPlace::new(self.places.clone(), who, connection.limits().runs_max, self.options.run_turn))
    }

    /// Begins a run by hand and answers with its number; the run goes on by itself, in its turn among the others, until its
    /// end or `cancel`.
    ///
    /// # Errors
    /// [`SyncError`] when the run could not begin.
    pub async fn start(
        self: &Arc<Self>,
        key: &StreamKey,
        trigger: RunTrigger,
        cancel: CancellationToken,
    ) -> Result<RunId, SyncError> {
        let started = self.begin(key, trigger, self.place(key)?).await?;
        let (run, engine) = (started.run, Arc::clone(self));
        tokio::spawn(async move {
            // The end is in the store, in the health and in the log; nobody waits for it here.
            let _ = engine.drive(started, cancel, &NoProgress).await;
        });
        Ok(run)
    }

    async fn begin(&self, key: &StreamKey, trigger: RunTrigger, place: RunPlace) -> Result<Started, SyncError> {
        let connection = self.connection(&key.tenant, &key.connection)?;
        let source = connection.source();
        let stream = connection.declared(source.as_ref(), &key.stream)?;
        if connection.streams().get(&key.stream).is_some_and(|plan| !plan.enabled) {
            return Err(SyncError::Disabled { connection: key.connection.clone(), stream: key.stream.clone() });
        }
        if connection.is_shut(&stream) {
            return Err(connection.shut(&key.stream, &stream));
        }
        let claim = self.book.claim(key)?;
        self.finish_leftover(key).await?;
        let job = Job {
            store: Arc::clone(&self.store),
            options: self.options.clone(),
            key: key.clone(),
            source,
            limits: connection.limits().clone(),
            rules: Arc::new(Rules::of(connection, &stream.entities)),
            trigger,
            failures: self.book.health(key).failures,
            claim,
            stream,
        };
        let (run, state) = match job.begin().await {
            Err(SyncError::Store(StoreError::Busy(_))) => return Err(SyncError::Running { run: None }),
            begun => begun?,
        };
        self.book.began(key, run, self.options.clock.now_ms());
        Ok(Started { job, run, state, place })
    }

    async fn drive(
        &self,
        started: Started,
        cancel: CancellationToken,
        progress: &dyn Progress,
    ) -> Result<RunReport, SyncError> {
        let Started { job, run, state, place } = started;
        let key = job.key.clone();
        let _claim = Arc::clone(&job.claim);
        match job.go(run, state, place, cancel, progress).await {
            Ok(report) => {
                self.book.ended(&report);
                Ok(report)
            }
            Err(error) => {
                self.book.broke(&key, &error);
                Err(error)
            }
        }
    }

    /// A run of this process that ended without its end being written (the store was away, its task was dropped) would hold
    /// the stream until its lease is over.
    async fn finish_leftover(&self, key: &StreamKey) -> Result<(), SyncError> {
        let Some(run) = self.book.unfinished(key) else { return Ok(()) };
        let now_ms = self.options.clock.now_ms();
        let error = Some("interrupted: the run ended without reporting; the next one goes on".to_owned());
        let end = RunEnd { findings: Vec::new(), state: RunState::Failed, error, retry_at_ms: Some(now_ms), now_ms };
        match self.store.finish_run(run, end).await {
            Ok(()) | Err(StoreError::Fenced(_) | StoreError::BadInput(_)) => self.book.finished(key),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Forgets the cursor of a stream: its next run reads everything again. Records stay.
    ///
    /// # Errors
    /// [`SyncError::Running`] while a run is live.
    pub async fn reset(&self, key: &StreamKey) -> Result<(), SyncError> {
        let _claim = self.book.claim(key)?;
        self.finish_leftover(key).await?;
        Ok(self.store.reset_stream(key).await?)
    }

    /// Reads what the store knows of earlier runs into [`Engine::health`]. [`Engine::serve`] does it by itself.
    ///
    /// # Errors
    /// [`SyncError::Store`].
    pub async fn recall(&self) -> Result<(), SyncError> {
        for connection in self.connections.values() {
            let rows = self.store.runs(connection.tenant(), Some(connection.name()), HISTORY_ROWS).await?;
            for stream in connection.streams().keys() {
                let own: Vec<_> =
                    rows.iter().filter(|row| row.stream == *stream && row.trigger.pulls_stream()).collect();
                self.book.remember(&connection.key(stream), &own);
            }
        }
        Ok(())
    }

    /// Every configured stream with how it is doing, in the order of tenants, connections and streams.
    #[must_use]
    pub fn health(&self) -> Vec<(StreamKey, StreamHealth)> {
        let now_ms = self.options.clock.now_ms();
        let keys = self.connections.values().flat_map(|c| c.streams().keys().map(|stream| c.key(stream)));
        keys.map(|key| {
            let mut health = self.book.health(&key);
            health.lag_ms = health.last_success_at_ms.map(|at| now_ms.saturating_sub(at).max(0));
            if let Some(lag) = health.lag_ms {
                figures::lag(&key, std::time::Duration::from_millis(lag.unsigned_abs()));
            }
            (key, health)
        })
        .collect()
    }
}
