//! Reads the change feed and the timers, and has each interview that they name looked at.
//!
//! The place in the feed is kept with the records that came of it, so each change is looked at at least once; a place behind which
//! nothing concerns the loop is kept now and then (`reading`), so that others' changes cost no commits. What is written is
//! written once, whichever gateway does it and whenever it was killed, because a look goes by what stands and records that the loop
//! makes are linked as they are written. Interviews are looked at as they stand, not as a change says: twenty changes to one interview
//! are one look.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use renmen_store::{
    AuthoredCommit, ChangeKind, ChangeRow, Follow, LinkWrite, RecordRow, Store, StoreError, TimerWrite,
};
use tokio_util::sync::CancellationToken;

use crate::decide::RuleBook;
use crate::history::History;
use crate::look::Looked;
use crate::progress::Progress;
use crate::reading::{Pace, Reading};
use crate::sources::Sources;
use crate::target::Target;
use crate::watch::WatchOptions;
use crate::{Clock, InterviewError, adjust, author, subject};
use renmen_seat::{Leave, Seat};

/// How far the place may stay behind the end of a feed in which there is nothing.
const FAR: i64 = 1_000;
/// Timers taken at once.
const TIMERS: u32 = 100;
/// The longest time for which a timer that is due may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after the store was away, and while another gateway goes on.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked how far the gateway is that works.
const LOOK_ON: Duration = Duration::from_secs(5);
/// Interviews that are told of by name.
const TOLD_MAX: usize = 1_000;
/// The entity of the rules that decide.
const RULE: &str = "decision_rule";
/// The stream that the loop writes by.
pub(crate) const STREAM: &str = renmen_store::LINKS_STREAM;

/// Follows the feed of one tenant.
pub(crate) struct Follower {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenant: TenantId,
    pub(crate) rules: RuleBook,
    pub(crate) watch: WatchOptions,
    /// The connections whose interviews are acted on, and those whose records count for them.
    pub(crate) sources: Arc<Sources>,
    /// Records of one kind of one interview that are looked at.
    pub(crate) children_max: usize,
    /// Since when each connection is acted on.
    pub(crate) history: History,
    /// How long after its end an interview may be undecided, in milliseconds.
    pub(crate) decide_within_ms: i64,
    /// Changes read at once.
    pub(crate) batch: u32,
    /// Interviews of which it was told that they have more steps.
    pub(crate) told: Told,
    /// Where it stands.
    pub(crate) progress: Arc<Progress>,
    /// How far it has read.
    pub(crate) reading: Reading,
}

/// What was told once and need not be told again.
#[derive(Default)]
pub(crate) struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// True the first time; never once so many were told that no one would read more.
    pub(crate) fn first(&self, name: String) -> bool {
        let mut told = self.0.lock();
        told.len() < TOLD_MAX && told.insert(name)
    }
}

/// How far a catch-up came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caught {
    /// Everything that was to be done is done.
    All,
    /// There was nothing to be done.
    Idle,
    /// Another gateway is at it.
    Another,
}

/// One piece of the feed.
enum Step {
    Nothing,
    /// Others' changes alone, up to the end of the feed.
    Passed,
    Went,
    Another,
}

/// A step that the gateway wrote: it was linked when it was written, and the code that wrote it has looked already. A
/// vendor's questions about pay bands are such steps, hundreds a second.
fn is_own_step(change: &ChangeRow) -> bool {
    change.entity == "process_node" && change.connection == author::built_in()
}

/// Does a change make work here, or for a flow that waits until it is known what belongs to its record?
pub(crate) fn concerns(change: &ChangeRow) -> bool {
    let followed = subject::is_followed(&change.entity) && !is_own_step(change);
    followed || subject::has_parts(&change.entity) || adjust::is_theirs(change) || change.entity == RULE
}

impl Follower {
    /// Until cancelled, as long as the seat is this gateway's.
    pub(crate) async fn run(self, seat: Arc<Seat>, cancel: CancellationToken) {
        let mut feed = self.store.watch(&self.tenant);
        let leave = Leave::of(cancel.clone(), Arc::clone(&seat));
        let mut pace = Pace::default();
        loop {
            if !seat.holds() {
                self.look_on().await;
                self.measure();
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = seat.wait(LOOK_ON) => continue,
                }
            }
            feed.mark_unchanged();
            let caught = self.catch_up(&leave).await;
            pace.looked(!matches!(caught, Ok(Caught::Idle)));
            let wait = match caught {
                Ok(Caught::All | Caught::Idle) => TICK,
                Ok(Caught::Another) => {
                    // Two that race for each piece would both do the work; the one that came second steps back.
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = tokio::time::sleep(AGAIN) => continue,
                    }
                }
                Err(error) => {
                    self.progress.waits(error.to_string());
                    tracing::warn!(%error, tenant = %self.tenant, "The interview loop is waiting and will resume where it stopped");
                    AGAIN
                }
            };
            self.measure();
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                changed = async { pace.wait().await; feed.changed().await } => if changed.is_err() { return },
            }
        }
    }

    fn measure(&self) {
        let progress = self.progress.shown();
        let labels = [("tenant", self.tenant.to_string())];
        let behind_ms = progress.behind_since_ms.map_or(0, |since_ms| (self.clock.now_ms() - since_ms).max(0));
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        {
            metrics::gauge!("renmen_interview_loop_behind_seconds", &labels).set(behind_ms as f64 / 1_000.0);
            metrics::gauge!("renmen_interview_loop_set_aside", &labels).set(progress.set_aside as f64);
        }
    }

    /// Does what is to be done by now: changes, and timers that are due; neither waits for the end of the other.
    pub(crate) async fn catch_up(&self, leave: &Leave) -> Result<Caught, InterviewError> {
        let mut worked = false;
        while !leave.is_due() {
            // What was written before an error is not known: the store is asked.
            let step = self.step().await.inspect_err(|_| self.reading.forget())?;
            if matches!(step, Step::Another) {
                self.reading.forget();
                return Ok(Caught::Another);
            }
            let timed = self.timers().await?;
            if matches!(step, Step::Nothing | Step::Passed) && !timed {
                break;
            }
            worked = true;
        }
        Ok(if worked { Caught::All } else { Caught::Idle })
    }

    /// Sees how far the gateway is that works on the loop, so that this one can tell.
    pub(crate) async fn look_on(&self) {
        self.reading.forget();
        let seen = async {
            let place = self.place().await?;
            let next = self.store.changes(&self.tenant, place, None, 1).await?;
            Ok::<_, InterviewError>((place, next.first().map(|change| change.at_ms)))
        };
        match seen.await {
            Ok((place, behind_since_ms)) => self.progress.at(place, behind_since_ms),
            Err(error) => self.progress.waits(error.to_string()),
        }
    }

    pub(crate) async fn place(&self) -> Result<i64, InterviewError> {
        author::place(&*self.store, &self.tenant, STREAM).await
    }

    pub(crate) fn commit(&self) -> AuthoredCommit {
        AuthoredCommit::of(self.tenant.clone(), author::stream(STREAM), self.clock.now_ms())
    }

    /// The place in the store, and the one up to which was read.
    async fn stands(&self) -> Result<(i64, i64), InterviewError> {
        if let Some(stands) = self.reading.stands() {
            return Ok(stands);
        }
        let place = self.place().await?;
        self.reading.found(place);
        Ok((place, place))
    }

    async fn step(&self) -> Result<Step, InterviewError> {
        let (kept, from) = self.stands().await?;
        let head = *self.store.watch(&self.tenant).borrow();
        let changes = self.store.changes(&self.tenant, from, None, self.batch).await?;
        self.progress.at(from, changes.first().map(|change| change.at_ms));
        let Some(to) = changes.last().map(|change| change.seq) else {
            // Positions without a change, as an earlier release left them by counting all tenants' together: passed by.
            if head - from > FAR {
                self.keep(Follow { from: kept, to: head }).await?;
            } else if from > kept {
                self.pass_by(Follow { from: kept, to: from }, 0).await?;
            }
            return Ok(Step::Nothing);
        };
        if !changes.iter().any(concerns) {
            return self.pass_by(Follow { from: kept, to }, changes.len()).await;
        }
        // After the piece was read: a rule that stands in it, or before it, counts for all that is judged here.
        self.rules.refresh(&*self.store, &self.tenant).await?;
        let mut targets = BTreeSet::new();
        let mut linking = self.commit();
        for change in changes.iter().filter(|change| subject::is_followed(&change.entity) && !is_own_step(change)) {
            if let Some(row) = self.changed(change).await? {
                let parents = subject::parents(&*self.store, &self.tenant, &row).await?;
                if subject::is_looked_at(&row.entity) {
                    // A stranger's record changes nothing, so it makes no work either.
                    let moved = parents.iter().filter(|parent| self.sources.counts(parent, &row.connection));
                    targets.extend(moved.chain([&subject::key_of(&row)]).filter_map(Target::of));
                }
                linking.links.push(LinkWrite { child: row.id, parents });
            }
        }
        for change in changes.iter().filter(|change| adjust::is_theirs(change)) {
            if let Some(row) = self.changed(change).await? {
                adjust::wake(&*self.store, &self.tenant, &row, self.clock.now_ms()).await?;
            }
        }
        // First what belongs to what, so that a look sees it; doing it again does no harm.
        if !linking.links.is_empty() {
            self.store.author(linking).await?;
        }
        let follow = Follow { from: kept, to };
        let looked = self.look(&targets, Some(follow)).await?;
        Ok(self.moved(looked, follow))
    }

    /// Nothing of what was read concerns the loop: the place is kept now and then.
    async fn pass_by(&self, follow: Follow, count: usize) -> Result<Step, InterviewError> {
        if self.reading.passed(follow.to, self.clock.elapsed())
            && let Step::Another = self.keep(follow).await?
        {
            return Ok(Step::Another);
        }
        if count >= self.batch as usize {
            return Ok(Step::Went);
        }
        self.progress.at(follow.to, None);
        Ok(Step::Passed)
    }

    /// Keeps a place behind which there is nothing to look at.
    async fn keep(&self, follow: Follow) -> Result<Step, InterviewError> {
        let looked = self.look(&BTreeSet::new(), Some(follow)).await?;
        Ok(self.moved(looked, follow))
    }

    fn moved(&self, looked: Looked, follow: Follow) -> Step {
        match looked {
            Looked::Done => {
                self.reading.kept(follow.to, self.clock.elapsed());
                Step::Went
            }
            Looked::Moved => Step::Another,
        }
    }

    /// The record that a change is about; none when it is gone.
    async fn changed(&self, change: &ChangeRow) -> Result<Option<RecordRow>, StoreError> {
        if change.kind == ChangeKind::Deleted {
            return Ok(None);
        }
        Ok(self.store.record(&self.tenant, change.id).await?.filter(|row| row.deleted.is_none()))
    }

    /// Works on the timers that are due. False when there were none.
    async fn timers(&self) -> Result<bool, InterviewError> {
        let now_ms = self.clock.now_ms();
        let due = self.store.due_timers(&self.tenant, STREAM, now_ms, TIMERS).await?;
        if due.is_empty() {
            return Ok(false);
        }
        self.rules.refresh(&*self.store, &self.tenant).await?;
        let (mut targets, mut lost) = (BTreeSet::new(), self.commit());
        for timer in due {
            match Target::of_timer(&timer.name) {
                Some(target) => _ = targets.insert(target),
                // Of another release: it would come again and again.
                None => lost.timers.push(TimerWrite::Clear { name: timer.name }),
            }
        }
        if !lost.timers.is_empty() {
            self.store.author(lost).await?;
        }
        self.look(&targets, None).await?;
        Ok(true)
    }
}
