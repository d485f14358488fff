//! Runs by hand and by themselves: the one way through which every run of a stream goes. Never two runs of one stream at once.

use std::sync::Arc;

use renmen_schema::id::RunId;
use renmen_store::{RunEnd, RunState, RunTrigger, StoreError, StreamKey, StreamState};
use renmen_turns::{Places, Who};
use tokio_util::sync::CancellationToken;

use crate::run::{Job, Occasion, RunPlace};
use crate::shared::Shared;
use crate::{NoProgress, Progress, RunReport, SyncError};

/// Runs streams: see [`Engine::runs`](crate::Engine::runs).
#[derive(Clone)]
pub struct Runs {
    shared: Arc<Shared>,
    /// Runs under way.
    places: Places,
}

/// Ends a task with what it belongs to.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A run that has its number and has read nothing yet.
struct Started {
    job: Job,
    run: RunId,
    state: StreamState,
    place: RunPlace,
    /// Cancelled when its connection is taken away.
    removal: CancellationToken,
}

impl Runs {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), places: Places::new("runs", shared.options.parallel_runs) }
    }

    /// Does any run stand in line?
    pub(crate) fn are_waited_for(&self) -> bool {
        self.places.waiting() > 0
    }

    /// Runs a stream to its last page. `trigger` is kept with the run.
    ///
    /// A failing vendor or connector is not an error here: the report says why the run stopped, and what was committed
    /// stays. `cancel` ends the run after the pages that were read; the next run goes on from there.
    ///
    /// # Errors
    /// [`SyncError`] when the run could not begin, or when the store failed in the middle.
    pub async fn run(
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
        let started = self.begin(key, (trigger, Occasion::Asked), place).await?;
        self.drive(started, cancel, progress).await
    }

    /// A run that is due, by the loop that stood in line for it. `last`: the last run that it knows of; when another has read the
    /// stream since, it is not due any more.
    pub(crate) async fn run_due(
        &self,
        key: &StreamKey,
        (trigger, last): (RunTrigger, Option<RunId>),
        place: RunPlace,
        cancel: CancellationToken,
    ) -> Result<RunReport, SyncError> {
        let started = self.begin(key, (trigger, Occasion::Due { last }), place).await?;
        self.drive(started, cancel, &NoProgress).await
    }

    /// A run of this stream among the others; it holds no place yet.
    pub(crate) fn place(&self, key: &StreamKey) -> Result<RunPlace, SyncError> {
        let connection = self.shared.connection(&key.tenant, &key.connection)?;
        let who = Who::new(key.tenant.as_str(), key.connection.as_str(), key.stream.as_str());
        Ok(RunPlace::new(self.places.clone(), who, connection.limits().runs_max, self.shared.options.run_turn))
    }

    /// Begins a run by hand and answers with its number; the run goes on by itself, in its turn among the others, until its
    /// end or `cancel`.
    ///
    /// # Errors
    /// [`SyncError`] when the run could not begin.
    pub async fn start(
        &self,
        key: &StreamKey,
        trigger: RunTrigger,
        cancel: CancellationToken,
    ) -> Result<RunId, SyncError> {
        let started = self.begin(key, (trigger, Occasion::Asked), self.place(key)?).await?;
        let (run, runs) = (started.run, self.clone());
        tokio::spawn(async move {
            // The end is in the store, in the health and in the log; it is not needed here.
            let _ = runs.drive(started, cancel, &NoProgress).await;
        });
        Ok(run)
    }

    async fn begin(
        &self,
        key: &StreamKey,
        (trigger, occasion): (RunTrigger, Occasion),
        place: RunPlace,
    ) -> Result<Started, SyncError> {
        let connection = self.shared.connection(&key.tenant, &key.connection)?;
        let removal = self.shared.connections.removal(&key.tenant, &key.connection);
        let source = connection.source();
        let stream = connection.declared(source.as_ref(), &key.stream)?;
        if connection.streams().get(&key.stream).is_some_and(|plan| !plan.enabled) {
            return Err(SyncError::Disabled { connection: key.connection.clone(), stream: key.stream.clone() });
        }
        if connection.is_shut(&stream) {
            return Err(connection.shut(&key.stream, &stream));
        }
        let claim = self.shared.book.claim(key)?;
        self.finish_leftover(key).await?;
        let job = Job {
            store: Arc::clone(&self.shared.store),
            options: self.shared.options.clone(),
            key: key.clone(),
            source,
            limits: connection.limits().clone(),
            rules: Arc::new(connection.rules(&stream.entities)),
            trigger,
            failures: self.shared.book.health(key).failures,
            claim,
            stream,
        };
        let (run, state) = match job.begin(occasion).await {
            Err(SyncError::Store(StoreError::Busy(_))) => return Err(SyncError::Running { run: None }),
            begun => begun?,
        };
        self.shared.book.began(key, run, self.shared.now_ms());
        Ok(Started { job, run, state, place, removal })
    }

    async fn drive(
        &self,
        started: Started,
        cancel: CancellationToken,
        progress: &dyn Progress,
    ) -> Result<RunReport, SyncError> {
        let Started { job, run, state, place, removal } = started;
        let key = job.key.clone();
        let cancel = cancel.child_token();
        let _watching = AbortOnDrop(tokio::spawn({
            let cancel = cancel.clone();
            async move {
                removal.cancelled().await;
                cancel.cancel();
            }
        }));
        let _claim = Arc::clone(&job.claim);
        match job.go(run, state, place, cancel, progress).await {
            Ok(report) => {
                self.shared.book.ended(&report);
                Ok(report)
            }
            Err(error) => {
                self.shared.book.broke(&key, &error);
                Err(error)
            }
        }
    }

    /// A run of this process that ended without its end being written (the store was away, its task was dropped) would hold
    /// the stream until its lease is over.
    async fn finish_leftover(&self, key: &StreamKey) -> Result<(), SyncError> {
        let Some(run) = self.shared.book.unfinished(key) else { return Ok(()) };
        let now_ms = self.shared.now_ms();
        let error = Some("interrupted: the run ended without reporting; the next one goes on".to_owned());
        let end = RunEnd { findings: Vec::new(), state: RunState::Failed, error, retry_at_ms: Some(now_ms), now_ms };
        match self.shared.store.finish_run(run, end).await {
            Ok(()) | Err(StoreError::Fenced(_) | StoreError::BadInput(_)) => self.shared.book.finished(key),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Forgets the cursor of a stream: its next run reads everything again. Records stay.
    ///
    /// # Errors
    /// [`SyncError::Running`] while a run is live.
    pub async fn reset(&self, key: &StreamKey) -> Result<(), SyncError> {
        let _claim = self.shared.book.claim(key)?;
        self.finish_leftover(key).await?;
        Ok(self.shared.store.reset_stream(key).await?)
    }
}
