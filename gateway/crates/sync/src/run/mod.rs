//! One run of one stream: pull, prepare, commit. The stages work in parallel, with at most
//! [`PAGES_IN_FLIGHT`](crate::spool::PAGES_IN_FLIGHT) pages between them.
//!
//! What holds at every moment: a page's records, its exchanges and its cursor are committed together or not at all, so a
//! run may be cut anywhere and the next one goes on from the stored cursor.

mod commit;
mod guard;
mod lease;
mod notes;
mod place;
mod prepare;
mod pull;
mod ratio;
mod sweep;

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::Prefetcher;
use renmen_schema::id::RunId;
use renmen_schema::manifest::{Deletes, StreamManifest, StreamMode};
use renmen_store::{NewRun, RunEnd, RunFinding, RunState, RunTrigger, Store, StoreError, StreamKey, StreamState};
use renmen_turns::Account;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::connection::plugin_ref;
use crate::failure::RunFailure;
use crate::normalize::Rules;
use crate::options::{SyncOptions, millis};
use crate::progress::{Progress, ProgressEvent};
use crate::spool::{PAGES_IN_FLIGHT, Spool};
use crate::{IngestLimits, Puller, RunReport, SyncError, figures};
use commit::{CommitStage, Done};
use guard::Guard;
use lease::RunLease;
use notes::Notes;
pub(crate) use place::RunPlace;
use prepare::{PrepareStage, Prepared};
use pull::{PullStage, Pulled};
use ratio::Ratio;
use sweep::Sweeping;

/// What a run works with.
pub(crate) struct Job {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: SyncOptions,
    pub(crate) key: StreamKey,
    pub(crate) source: Arc<dyn Puller>,
    pub(crate) stream: StreamManifest,
    pub(crate) limits: IngestLimits,
    pub(crate) rules: Arc<Rules>,
    pub(crate) trigger: RunTrigger,
    /// Failed runs in a row before this one.
    pub(crate) failures: u32,
    /// Kept alive by the stages: another run of this stream begins only when they are gone.
    pub(crate) claim: Arc<dyn Send + Sync>,
}

/// Why a run begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occasion {
    /// It was asked for.
    Asked,
    /// Its time has come, and this is the last run that its loop knows of: of several gateways one begins it.
    Due { last: Option<RunId> },
}

/// How the stages ended.
enum End {
    /// With the last page, or for this reason.
    Orderly(Option<RunFailure>),
    /// The store, or a fault.
    Broken(SyncError),
}

impl Job {
    /// Begins the run in the store.
    pub(crate) async fn begin(&self, occasion: Occasion) -> Result<(RunId, StreamState), SyncError> {
        let mut state = self.store.stream_state(&self.key).await?;
        if self.stream.mode == StreamMode::Full && !state.mid_run && state.cursor.is_some() {
            // The connector's earlier version was incremental: its cursor means nothing to this one.
            self.store.reset_stream(&self.key).await?;
            state = self.store.stream_state(&self.key).await?;
        }
        let new = NewRun {
            key: self.key.clone(),
            plugin: plugin_ref(self.source.as_ref()),
            trigger: self.trigger,
            now_ms: self.options.clock.now_ms(),
            lease_ms: millis(self.options.lease),
        };
        let run = match occasion {
            Occasion::Asked => self.store.begin_run(new).await?,
            Occasion::Due { last } => self.store.begin_due_run(new, last).await?,
        };
        Ok((run, state))
    }

    /// The run itself. Ends with the run finished in the store, unless the store is what failed.
    pub(crate) async fn go(
        self,
        run: RunId,
        state: StreamState,
        place: RunPlace,
        cancel: CancellationToken,
        progress: &dyn Progress,
    ) -> Result<RunReport, SyncError> {
        let plugin = plugin_ref(self.source.as_ref());
        let span = tracing::info_span!(
            "sync.run", connection = %self.key.connection, stream = %self.key.stream, %run, plugin = plugin.name,
            version = plugin.version, trigger = %self.trigger
        );
        let resumed = state.mid_run;
        let started_at_ms = self.options.clock.now_ms();
        let began = std::time::Instant::now();
        progress.event(&ProgressEvent::Began { key: &self.key, run, resumed });
        let spool = self.open_spool().await;
        let (done, notes, end) =
            self.stages(run, state, place, cancel, progress, spool.clone()).instrument(span.clone()).await;
        let failure = match end {
            End::Orderly(failure) => failure,
            End::Broken(error) => return Err(self.broken(run, error, spool).instrument(span).await),
        };
        if !failure.as_ref().is_some_and(|failure| failure.class == crate::FailureClass::Stopped) {
            drop_spool(spool);
        }
        let found = if failure.is_none() { notes.end(!resumed) } else { Vec::new() };
        let findings = notes.len() + found.len() as u64;
        let state = match &failure {
            Some(_) => RunState::Failed,
            None if findings > 0 => RunState::CompletedWithFindings,
            None => RunState::Completed,
        };
        let failure = self.finish(run, state, failure, found.clone()).await?;
        let end = failure.as_ref().map_or(state_name(state), |failure| failure.code.as_str());
        figures::run(&self.key, end, began.elapsed());
        let (omitted, total) = (notes.omitted, notes.total);
        let mut kept = notes.into_kept();
        kept.extend(found);
        figures::findings(&self.key, &kept);
        let report = RunReport {
            key: self.key.clone(),
            run,
            resumed,
            pages: done.pages,
            records: done.records,
            outcome: done.outcome,
            fetched: done.fetched,
            recalled: done.recalled,
            omitted,
            total,
            findings,
            told: kept,
            dated_ahead: done.dated_ahead,
            started_at_ms,
            ended_at_ms: self.options.clock.now_ms(),
            failure,
        };
        span.in_scope(|| announce(&report));
        progress.event(&ProgressEvent::Ended { report: &report });
        Ok(report)
    }

    async fn stages(
        &self,
        run: RunId,
        state: StreamState,
        place: RunPlace,
        cancel: CancellationToken,
        progress: &dyn Progress,
        spool: Option<Arc<Mutex<Spool>>>,
    ) -> (Done, Notes, End) {
        let stop = cancel.child_token();
        let (to_prepare, pulled) = mpsc::channel(1);
        let (to_commit, mut prepared) = mpsc::channel(1);
        let prefetcher = Arc::new(Prefetcher::default());
        let pull = self.pull_stage(run, &state, spool.clone(), to_prepare, stop.clone(), Arc::clone(&prefetcher));
        let prepare = self.prepare_stage(&state, pulled, to_commit);
        // Dropped with this future, so that a caller who goes away ends the stages too.
        let (mut pulling, mut preparing) = (JoinSet::new(), JoinSet::new());
        let (one, other) = (Arc::clone(&self.claim), Arc::clone(&self.claim));
        let pull = async move {
            let _claim = one;
            pull.go(place).await
        };
        let prepare = async move {
            let _claim = other;
            prepare.go().await
        };
        pulling.spawn(pull.in_current_span());
        preparing.spawn(prepare.in_current_span());
        let mut commit = CommitStage {
            store: self.store.as_ref(),
            key: &self.key,
            run,
            clock: self.options.clock.as_ref(),
            progress,
            spool,
            sweeping: Sweeping::new(
                self.stream.deletes == Deletes::Diff,
                state.mid_run,
                state.sweeping,
                self.limits.brake(),
            ),
            notes: Notes::new(run, &self.limits),
            resumed: state.mid_run,
            ratio: Ratio::new(&self.limits),
            done: Done::default(),
        };
        // If this future is dropped, the pulling stops first: no page may begin that has no place in the spool.
        let stopping = stop.drop_guard();
        let lease =
            RunLease { store: self.store.as_ref(), run, clock: self.options.clock.as_ref(), lease: self.options.lease };
        let committed = tokio::select! {
            biased;
            committed = commit.go(&mut prepared) => committed,
            lost = lease.keep() => Err(lost.into()),
        };
        drop(stopping);
        drop(prepared);
        let prepared = preparing.join_next().await.unwrap_or(Ok(Ok(())));
        let pulled = pulling.join_next().await.unwrap_or(Ok(None));
        figures::prefetches(&self.key, &prefetcher.end());
        let end = match (committed, prepared, pulled) {
            (Err(error), _, _) | (_, Ok(Err(error)), _) => End::Broken(error),
            (_, Err(error), _) | (_, _, Err(error)) => {
                End::Broken(SyncError::Fault(format!("a stage of the run: {error}")))
            }
            (Ok(Some(failure)), _, _) => End::Orderly(Some(failure)),
            (Ok(None), Ok(Ok(())), Ok(failure)) => End::Orderly(failure),
        };
        (commit.done, commit.notes, end)
    }

    fn pull_stage(
        &self,
        run: RunId,
        state: &StreamState,
        spool: Option<Arc<Mutex<Spool>>>,
        out: mpsc::Sender<Pulled>,
        stop: CancellationToken,
        prefetcher: Arc<Prefetcher>,
    ) -> PullStage {
        PullStage {
            source: Arc::clone(&self.source),
            stream: self.key.stream.clone(),
            account: Account::of(self.key.connection.as_str()),
            run,
            cursor: state.cursor.clone(),
            full: self.stream.mode == StreamMode::Full,
            guard: Guard::new(&self.limits),
            spool,
            clock: Arc::clone(&self.options.clock),
            permits: Arc::new(Semaphore::new(PAGES_IN_FLIGHT)),
            prefetcher,
            out,
            stop,
        }
    }

    fn prepare_stage(
        &self,
        state: &StreamState,
        inbox: mpsc::Receiver<Pulled>,
        out: mpsc::Sender<Prepared>,
    ) -> PrepareStage {
        PrepareStage {
            store: Arc::clone(&self.store),
            key: self.key.clone(),
            rules: Arc::clone(&self.rules),
            look_up: state.records > 0,
            keep_exchanges: self.options.keep_exchanges,
            inbox,
            out,
        }
    }

    /// The spool of this stream with what may be honoured of a killed run. Without one the run goes on all the same.
    async fn open_spool(&self) -> Option<Arc<Mutex<Spool>>> {
        let data_dir = self.options.data_dir.clone()?;
        let (key, bytes_max) = (self.key.clone(), self.options.spool_bytes_max);
        let opened = tokio::task::spawn_blocking(move || Spool::open(&data_dir, &key, bytes_max)).await;
        let mut spool = match opened {
            Ok(Ok(spool)) => spool,
            Ok(Err(error)) => {
                tracing::warn!(%error, "Failed to open the resume spool: after a kill, pages in progress would be fetched again");
                return None;
            }
            Err(_) => return None,
        };
        let now_ms = self.options.clock.now_ms();
        let mut uncommitted = Vec::new();
        for begin in spool.left() {
            let age_ms = now_ms.saturating_sub(begin.clock_ms);
            let row = self.store.run(&self.key.tenant, RunId(begin.run)).await.ok().flatten();
            let same_stream =
                |row: &renmen_store::RunRow| row.connection == self.key.connection && row.stream == self.key.stream;
            if begin.digest == self.source.digest()
                && (0..=millis(self.options.spool_age_max)).contains(&age_ms)
                && row.is_some_and(|row| same_stream(&row) && row.pages <= begin.page)
            {
                uncommitted.push(begin);
            }
        }
        spool.retain(|begin| uncommitted.contains(begin));
        Some(Arc::new(Mutex::new(spool)))
    }

    async fn finish(
        &self,
        run: RunId,
        state: RunState,
        mut failure: Option<RunFailure>,
        findings: Vec<RunFinding>,
    ) -> Result<Option<RunFailure>, SyncError> {
        let now_ms = self.options.clock.now_ms();
        if let Some(failure) = &mut failure {
            failure.schedule(
                &self.options.retry,
                self.limits.waits(),
                self.failures.saturating_add(1),
                rand::random(),
                now_ms,
            );
        }
        let end = RunEnd {
            findings,
            state,
            error: failure.as_ref().map(RunFailure::line),
            retry_at_ms: failure.as_ref().and_then(|failure| failure.retry_at_ms),
            now_ms,
        };
        self.store.finish_run(run, end).await?;
        Ok(failure)
    }

    /// The store failed in the middle. Says so in the run's row when that is possible; what was fetched waits in the spool.
    async fn broken(&self, run: RunId, error: SyncError, spool: Option<Arc<Mutex<Spool>>>) -> SyncError {
        tracing::warn!(%error, "A run ended early; committed pages stay");
        if matches!(error, SyncError::Store(StoreError::Fenced(_)) | SyncError::Fault(_)) {
            drop_spool(spool);
        }
        if !matches!(error, SyncError::Store(StoreError::Fenced(_))) {
            let now_ms = self.options.clock.now_ms();
            let end = RunEnd {
                findings: Vec::new(),
                state: RunState::Failed,
                error: Some(error.to_string()),
                retry_at_ms: Some(now_ms),
                now_ms,
            };
            if let Err(second) = self.store.finish_run(run, end).await {
                tracing::debug!(%second, "Failed to record the end of a run");
            }
        }
        figures::run(&self.key, "broken", std::time::Duration::ZERO);
        error
    }
}

fn drop_spool(spool: Option<Arc<Mutex<Spool>>>) {
    if let Some(spool) = spool {
        spool.lock().remove();
    }
}

/// How a run ended, as metrics name it.
fn state_name(state: RunState) -> &'static str {
    if state == RunState::CompletedWithFindings { "completed_with_findings" } else { "completed" }
}

fn announce(report: &RunReport) {
    let outcome = report.outcome;
    if report.dated_ahead > 0 {
        tracing::warn!(records = report.dated_ahead, "{}", crate::health::DATED_AHEAD);
    }
    match &report.failure {
        None if report.findings > 0 => tracing::warn!(
            pages = report.pages,
            records = report.records,
            findings = report.findings,
            held = outcome.held,
            first = report.told.first().map(|finding| finding.code.as_str()),
            "Run completed with findings; see `renmen runs`"
        ),
        None => tracing::info!(
            pages = report.pages,
            records = report.records,
            created = outcome.created,
            updated = outcome.updated,
            deleted = outcome.deleted,
            quarantined = outcome.quarantined,
            "Run completed"
        ),
        Some(failure) => tracing::warn!(
            pages = report.pages,
            records = report.records,
            code = failure.code,
            reason = failure.message,
            retry_at_ms = failure.retry_at_ms,
            "Run stopped before its last page"
        ),
    }
}
