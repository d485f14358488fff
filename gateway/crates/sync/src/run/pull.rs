//! The first stage of a run: asks the connector for page after page, ahead of those that are still being committed.

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_clock::Clock;
use renmen_egress::{Prefetcher, Tape};
use renmen_plugin_host::{Coverage, Page, Pull};
use renmen_schema::id::{RunId, StreamName};
use renmen_turns::Account;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::guard::{Guard, PageVerdict, Step};
use super::place::RunPlace;
use crate::failure::{FailureClass, RunFailure};
use crate::source::{Puller, Reading};
use crate::spool::{self, Aside, Begin, PageTape, Reel, Spool, Ticket};

/// Which page it is and where it stands in its run: what goes with it through all three stages.
pub(super) struct PageHead {
    /// From 0 within the run.
    pub(super) number: u64,
    pub(super) cursor_before: Option<String>,
    pub(super) cursor_after: Option<String>,
    pub(super) has_more: bool,
    pub(super) coverage: Coverage,
    /// The clock that the connector saw.
    pub(super) clock_ms: i64,
    /// Answers that came from the network.
    pub(super) fetched: u64,
    /// Answers that a killed run had already fetched.
    pub(super) recalled: u64,
}

/// A page as the connector gave it.
pub(super) struct Pulled {
    pub(super) head: PageHead,
    pub(super) page: Page,
    pub(super) reel: Reel,
    pub(super) place: PageHold,
}

/// What a page under way holds: its share of the memory and its spool file.
pub(super) struct PageHold {
    pub(super) ticket: Option<Ticket>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// See the module.
pub(super) struct PullStage {
    pub(super) source: Arc<dyn Puller>,
    pub(super) stream: StreamName,
    /// The account that the time for packing is charged to.
    pub(super) account: Arc<Account>,
    pub(super) run: RunId,
    pub(super) cursor: Option<String>,
    /// The stream begins each run at its beginning: its last cursor is of no use.
    pub(super) full: bool,
    pub(super) guard: Guard,
    pub(super) spool: Option<Arc<Mutex<Spool>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) permits: Arc<Semaphore>,
    /// Answers that are fetched while the connector still works on the page before.
    pub(super) prefetcher: Arc<Prefetcher>,
    pub(super) out: mpsc::Sender<Pulled>,
    pub(super) stop: CancellationToken,
}

impl PullStage {
    /// Pulls until the last page, each page with a place among the runs under way. Answers why it stopped before that.
    pub(super) async fn go(mut self, mut place: RunPlace) -> Option<RunFailure> {
        for number in 0.. {
            let stop = self.stop.clone();
            let permit = tokio::select! {
                biased;
                () = stop.cancelled() => return Some(RunFailure::stopped()),
                permit = place.during(Arc::clone(&self.permits).acquire_owned()) => permit.expect("a run's semaphore is never closed"),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Some(RunFailure::stopped()),
                () = place.take() => {}
            }
            let pulled = tokio::select! {
                biased;
                () = stop.cancelled() => return Some(RunFailure::stopped()),
                pulled = place.during(self.pull(number, permit)) => pulled,
            };
            let pulled = match pulled {
                Ok(pulled) => pulled,
                Err(failure) => return Some(failure),
            };
            let step = Step {
                next: pulled.page.next.as_deref(),
                has_more: pulled.page.has_more,
                empty: pulled.page.records.is_empty() && pulled.page.rejects.is_empty(),
            };
            let verdict = self.guard.judge(self.cursor.as_deref(), &step);
            let over = !pulled.page.has_more;
            if let PageVerdict::Refuse(failure) = verdict {
                return Some(failure);
            }
            self.cursor.clone_from(&pulled.head.cursor_after);
            if place.during(self.out.send(pulled)).await.is_err() {
                // The stages behind have ended the run and know why.
                return None;
            }
            match verdict {
                PageVerdict::Last(failure) => return Some(failure),
                _ if over => return None,
                _ => {}
            }
        }
        None
    }

    async fn pull(&mut self, number: u64, permit: OwnedSemaphorePermit) -> Result<Pulled, RunFailure> {
        let ticket = self.spool.as_ref().and_then(|spool| spool.lock().take(self.cursor.as_deref()));
        let left = ticket.as_ref().and_then(|ticket| ticket.left);
        let clock_ms = left.map_or_else(|| self.clock.now_ms(), |(clock_ms, _)| clock_ms);
        let tape = self.tape(number, clock_ms, ticket.as_ref()).await?;
        self.prefetcher.next_call();
        // The pages that follow may wait in the spool: what is there is not asked for again.
        let resumes = self.spool.as_ref().is_some_and(|spool| spool.lock().has_left());
        let tape = Arc::new(tape.fetching_ahead((!resumes).then(|| Arc::clone(&self.prefetcher))));
        let reading = Reading { tape: Arc::clone(&tape) as Arc<dyn Tape>, clock_ms };
        let ask = Pull { stream: self.stream.clone(), cursor: self.cursor.clone(), only: Vec::new() };
        let page = self.source.pull(reading, ask).await;
        // Before the call's fate is looked at: what it heard stays in the spool for the run after this one.
        let reel = tape.take().await;
        let page = page.map_err(|error| RunFailure::from(&error))?;
        let cursor_after = if self.full && !page.has_more { None } else { page.next.clone() };
        let head = PageHead {
            number,
            cursor_before: self.cursor.clone(),
            cursor_after,
            has_more: page.has_more,
            coverage: page.coverage,
            clock_ms,
            fetched: reel.fetched,
            recalled: reel.recalled,
        };
        Ok(Pulled { head, page, reel, place: PageHold { ticket, _permit: permit } })
    }

    /// The page's tape, with what a killed run had heard of it.
    async fn tape(&self, page: u64, clock_ms: i64, ticket: Option<&Ticket>) -> Result<PageTape, RunFailure> {
        let Some(ticket) = ticket else { return Ok(PageTape::new(Vec::new(), None)) };
        let (known, held) = if ticket.left.is_some() {
            let (slot, memory) = (Arc::clone(&ticket.slot), self.source.memory().cloned());
            let answers = tokio::task::spawn_blocking(move || spool::answers(&slot, memory.as_ref()));
            answers.await.map_err(|error| fault(&error))?
        } else {
            (Vec::new(), None)
        };
        let begin = Begin {
            run: self.run.0,
            page,
            cursor: self.cursor.clone(),
            clock_ms,
            digest: self.source.digest().to_owned(),
        };
        ticket.slot.lock().begin(&begin, ticket.left.map(|(_, whole)| whole));
        let aside = Aside { slot: Arc::clone(&ticket.slot), account: Arc::clone(&self.account) };
        Ok(PageTape::new(known, Some(aside)).holding(held))
    }
}

fn fault(error: &tokio::task::JoinError) -> RunFailure {
    RunFailure::new("internal", FailureClass::Connector, format!("reading the resume spool ended badly: {error}"))
}
