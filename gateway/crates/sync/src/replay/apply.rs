//! Commits what a replay found, through the normal door: a run, pages, revisions, changes. The cursor stays where it is.

use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::RunId;
use renmen_store::{
    CommitOutcome, ExchangeRow, NewRun, PageCommit, PageRow, PluginRef, RecordWrite, RunEnd, RunState, RunTrigger,
    StreamKey, StreamState,
};

use crate::connection::plugin_ref;
use crate::health::Claim;
use crate::options::millis;
use crate::shared::Shared;
use crate::{Puller, SyncError, figures, report};

/// How long a replay may go without a commit: it shows no other sign of life.
const LEASE: Duration = Duration::from_secs(300);

/// The run of a replay; begins with the first page that has something to commit.
pub(super) struct Applying<'a> {
    shared: &'a Shared,
    key: &'a StreamKey,
    plugin: PluginRef,
    live: Option<(RunId, StreamState)>,
    sum: CommitOutcome,
    _claim: Arc<Claim>,
}

impl<'a> Applying<'a> {
    pub(super) fn claim(shared: &'a Shared, key: &'a StreamKey, source: &dyn Puller) -> Result<Self, SyncError> {
        let claim = shared.book.claim(key)?;
        Ok(Self { shared, key, plugin: plugin_ref(source), live: None, sum: CommitOutcome::default(), _claim: claim })
    }

    /// Commits records of one old page, with copies of the exchanges that they point into.
    pub(super) async fn commit(
        &mut self,
        row: &PageRow,
        records: Vec<RecordWrite>,
        exchanges: Vec<ExchangeRow>,
    ) -> Result<(), SyncError> {
        let (run, state) = match self.live.take() {
            Some(live) => live,
            None => self.begin().await?,
        };
        let page = PageCommit {
            key: self.key.clone(),
            run,
            cursor_before: state.cursor.clone(),
            cursor_after: state.cursor.clone(),
            has_more: state.mid_run,
            // This gives up a listing that is under way: the next complete run begins a new one.
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: exchanges.into_iter().map(|kept| kept.exchange).collect(),
            clock_ms: row.now_ms,
            now_ms: self.shared.now_ms(),
        };
        let began = std::time::Instant::now();
        let committed = self.shared.store.commit_page(page).await;
        self.live = Some((run, state));
        match committed {
            Ok(outcome) => {
                report::add(&mut self.sum, &outcome);
                figures::page(self.key, &outcome, began.elapsed());
                Ok(())
            }
            Err(error) => {
                self.end(RunState::Failed, Some(error.to_string())).await?;
                Err(error.into())
            }
        }
    }

    async fn begin(&self) -> Result<(RunId, StreamState), SyncError> {
        let options = &self.shared.options;
        let state = self.shared.store.stream_state(self.key).await?;
        let run = NewRun {
            key: self.key.clone(),
            plugin: self.plugin.clone(),
            trigger: RunTrigger::Replay,
            now_ms: options.clock.now_ms(),
            lease_ms: millis(options.lease.max(LEASE)),
        };
        Ok((self.shared.store.begin_run(run).await?, state))
    }

    /// Ends the run; answers what it committed.
    pub(super) async fn finish(mut self) -> Result<Option<CommitOutcome>, SyncError> {
        let any = self.live.is_some();
        self.end(RunState::Completed, None).await?;
        Ok(any.then_some(self.sum))
    }

    async fn end(&mut self, state: RunState, error: Option<String>) -> Result<(), SyncError> {
        if let Some((run, _)) = self.live.take() {
            let now_ms = self.shared.now_ms();
            self.shared
                .store
                .finish_run(run, RunEnd { findings: Vec::new(), state, error, retry_at_ms: None, now_ms })
                .await?;
        }
        Ok(())
    }
}
