//! The last stage of a run: one page, one transaction, in the order of the pages.

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_clock::Clock;
use renmen_schema::id::RunId;
use renmen_store::{CommitOutcome, PageCommit, Store, StoreError, StreamKey};
use tokio::sync::mpsc;

use super::notes::Notes;
use super::prepare::Prepared;
use super::ratio::Ratio;
use super::sweep::{Listed, Sweeping};
use crate::SyncError;
use crate::failure::{FailureClass, RunFailure};
use crate::progress::{Progress, ProgressEvent};
use crate::spool::Spool;
use crate::{figures, report};

/// What the stage has done so far.
#[derive(Default)]
pub(super) struct Done {
    pub(super) pages: u64,
    pub(super) records: u64,
    pub(super) fetched: u64,
    pub(super) recalled: u64,
    pub(super) dated_ahead: u64,
    pub(super) outcome: CommitOutcome,
}

/// See the module.
pub(super) struct CommitStage<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) key: &'a StreamKey,
    pub(super) run: RunId,
    pub(super) clock: &'a dyn Clock,
    pub(super) progress: &'a dyn Progress,
    pub(super) spool: Option<Arc<Mutex<Spool>>>,
    pub(super) sweeping: Sweeping,
    pub(super) ratio: Ratio,
    pub(super) notes: Notes,
    /// It goes on where a run was cut.
    pub(super) resumed: bool,
    pub(super) done: Done,
}

impl CommitStage<'_> {
    /// Commits until nothing more comes. Answers why it refused a page.
    pub(super) async fn go(&mut self, inbox: &mut mpsc::Receiver<Prepared>) -> Result<Option<RunFailure>, SyncError> {
        while let Some(prepared) = inbox.recv().await {
            if let Some(failure) = self.commit(prepared).await? {
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    async fn commit(&mut self, prepared: Prepared) -> Result<Option<RunFailure>, SyncError> {
        let Prepared { head, page, told, exchanges, place, memory: _held_until_here } = prepared;
        let records = (page.records.len() + page.unchanged.len() + page.quarantine.len()) as u64;
        let payslips = page.payslips;
        if let Some(failure) = self.ratio.page(head.number, records, &page.quarantine) {
            return Ok(Some(failure));
        }
        let notes = self.notes.page(told, records);
        let complete = self.notes.is_complete(!head.has_more, !self.resumed);
        let sweep = self.sweeping.page(&Listed {
            records,
            unidentified: page.quarantine.iter().any(|item| item.external_id.is_none()),
            complete,
            has_more: head.has_more,
            coverage: head.coverage,
        });
        let dated_ahead = page.dated_ahead.values().sum();
        let began = std::time::Instant::now();
        let committed = self
            .store
            .commit_page(PageCommit {
                key: self.key.clone(),
                run: self.run,
                cursor_before: head.cursor_before,
                cursor_after: head.cursor_after,
                has_more: head.has_more,
                sweep,
                records: page.records,
                unchanged: page.unchanged,
                quarantine: page.quarantine,
                notes,
                exchanges,
                clock_ms: head.clock_ms,
                now_ms: self.clock.now_ms(),
            })
            .await;
        let outcome = match committed {
            Err(StoreError::Quota { limit, message }) => {
                return Ok(Some(RunFailure::new(
                    &format!("limit:{limit}"),
                    FailureClass::Operator,
                    message.to_string(),
                )));
            }
            committed => committed?,
        };
        if let (Some(spool), Some(ticket)) = (&self.spool, &place.ticket) {
            spool.lock().give_back(ticket);
        }
        self.done.pages += 1;
        self.done.records += records;
        self.done.fetched += head.fetched;
        self.done.recalled += head.recalled;
        self.done.dated_ahead += dated_ahead;
        figures::dated_ahead(self.key, dated_ahead);
        report::add(&mut self.done.outcome, &outcome);
        self.notes.committed(&outcome, payslips);
        figures::page(self.key, &outcome, began.elapsed());
        figures::payslips(&self.key.connection, payslips);
        self.progress.event(&ProgressEvent::Committed {
            key: self.key,
            run: self.run,
            page: head.number,
            outcome,
            pages: self.done.pages,
            records: self.done.records,
            listed: self.done.records + self.notes.omitted,
            total: self.notes.total,
        });
        Ok(None)
    }
}
