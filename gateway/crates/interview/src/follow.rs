//! Reads the change feed and the timers, and does what a look at each interview says.
//!
//! The place in the feed is kept with the records that came of it, in one transaction, so each change is looked at at least
//! once and what is written is written once, whichever gateway does it and whenever it was killed. Interviews are looked at as
//! they stand, not as a change says: twenty changes to one interview are one look.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::code::InterviewKind;
use renmen_schema::id::TenantId;
use renmen_schema::types::EXTERNAL_ID_BYTES_MAX;
use renmen_store::{
    AuthoredCommit, ChangeKind, ChangeRow, Follow, LinkWrite, Parent, RecordRow, Store, StoreError, StreamKey,
    TimerWrite,
};
use tokio_util::sync::CancellationToken;

use crate::children::Shelf;
use crate::decide::{self, RuleBook};
use crate::dossier::Dossier;
use crate::plan::Plan;
use crate::sources::Sources;
use crate::watch::{self, WatchOptions};
use crate::{Clock, InterviewError, author, subject};

/// Changes read at once.
const BATCH: u32 = 200;
/// How far behind others' changes the place may stay.
const FAR: i64 = 1_000;
/// Timers taken at once.
const TIMERS: u32 = 100;
/// How long a timer may be late because nobody looked.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after the store was away or another gateway was first.
const AGAIN: Duration = Duration::from_secs(1);
/// Interviews that are told of by name.
const TOLD_MAX: usize = 1_000;
/// Tries to write what a look said, when somebody else wrote first.
const TRIES: u32 = 5;
/// The stream that the loop writes by.
pub(crate) const STREAM: &str = "interview-loop";

/// Follows the feed of one tenant.
pub(crate) struct Follower {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenant: TenantId,
    pub(crate) rules: RuleBook,
    pub(crate) watch: WatchOptions,
    /// Whose interviews are acted on, and whose records count for them.
    pub(crate) sources: Arc<Sources>,
    /// Records of one kind of one interview that are looked at.
    pub(crate) children_max: usize,
    /// Interviews of which it was told that they have more steps.
    pub(crate) told: Told,
}

/// What was told once and need not be told again.
#[derive(Default)]
pub(crate) struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// True the first time; beyond a number that nobody reads, never.
    fn first(&self, name: String) -> bool {
        let mut told = self.0.lock();
        told.len() < TOLD_MAX && told.insert(name)
    }
}

/// What is looked at: an interview or an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    connection: String,
    entity: &'static str,
    external_id: String,
}

impl Follower {
    /// Until cancelled.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut feed = self.store.watch();
        loop {
            feed.mark_unchanged();
            let wait = match self.catch_up(&cancel).await {
                Ok(()) => TICK,
                Err(error) => {
                    tracing::warn!(%error, tenant = %self.tenant, "The interview loop waits; it goes on where it was");
                    AGAIN
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                changed = feed.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Does what is to be done by now: every change, then every timer that is due.
    pub(crate) async fn catch_up(&self, cancel: &CancellationToken) -> Result<(), InterviewError> {
        while !cancel.is_cancelled() && self.step().await? {}
        while !cancel.is_cancelled() && self.timers().await? {}
        Ok(())
    }

    async fn place(&self) -> Result<i64, InterviewError> {
        let key =
            StreamKey { tenant: self.tenant.clone(), connection: author::built_in(), stream: author::stream(STREAM) };
        let cursor = self.store.stream_state(&key).await?.cursor;
        cursor.map_or(Ok(0), |text| text.parse().map_err(|_| InterviewError::Fault("the loop's place is lost".into())))
    }

    fn commit(&self) -> AuthoredCommit {
        AuthoredCommit::of(self.tenant.clone(), author::stream(STREAM), self.clock.now_ms())
    }

    /// One piece of the feed. False when there was nothing.
    async fn step(&self) -> Result<bool, InterviewError> {
        let from = self.place().await?;
        let head = *self.store.watch().borrow();
        let changes = self.store.changes(&self.tenant, from, None, BATCH).await?;
        let Some(to) = changes.last().map(|change| change.seq) else {
            // Other tenants' changes alone: passed by from time to time, so that they are not read over again and again.
            if head - from > FAR {
                self.look(&BTreeSet::new(), Some(Follow { from, to: head })).await?;
            }
            return Ok(false);
        };
        let mut targets = BTreeSet::new();
        let mut linking = self.commit();
        for change in changes.iter().filter(|change| subject::is_followed(&change.entity)) {
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
        // First what belongs to what, so that a look sees it; doing it again does no harm.
        if !linking.links.is_empty() {
            self.store.author(linking).await?;
        }
        let follow = Follow { from, to };
        self.look(&targets, Some(follow)).await?;
        Ok(true)
    }

    /// The record that a change is about; none when it is gone.
    async fn changed(&self, change: &ChangeRow) -> Result<Option<RecordRow>, StoreError> {
        if change.kind == ChangeKind::Deleted {
            return Ok(None);
        }
        Ok(self.store.record(&self.tenant, change.id).await?.filter(|row| row.deleted.is_none()))
    }

    /// The timers that are due. False when there were none.
    async fn timers(&self) -> Result<bool, InterviewError> {
        let now_ms = self.clock.now_ms();
        let due = self.store.due_timers(&self.tenant, STREAM, now_ms, TIMERS).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let targets = due.iter().filter_map(|timer| Target::of_timer(&timer.name)).collect();
        self.look(&targets, None).await?;
        Ok(true)
    }

    /// Looks at each target as it stands, and writes what that comes to; again when somebody else wrote first.
    async fn look(&self, targets: &BTreeSet<Target>, follow: Option<Follow>) -> Result<(), InterviewError> {
        for _ in 0..TRIES {
            let mut commit = self.commit();
            commit.follow = follow;
            for target in targets {
                let Some(key) = target.key().filter(|key| self.acts_on(key)) else { continue };
                let plan = match self.plan(&key).await {
                    Ok(plan) => plan,
                    // What is wrong with one interview must not keep all others waiting.
                    Err(error @ (InterviewError::Fault(_) | InterviewError::BadInput { .. })) => {
                        tracing::error!(%error, connection = %key.connection, "An interview was looked at in vain");
                        metrics::counter!("renmen_interview_looks_failed_total").increment(1);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                commit.records.extend(plan.records);
                let name = target.timer();
                commit.timers.push(match plan.again_ms {
                    Some(due_ms) => TimerWrite::Set { name, due_ms },
                    None => TimerWrite::Clear { name },
                });
            }
            match self.store.author(commit).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Fenced(why)) => {
                    // Another gateway moved on, or a person wrote: what stands now decides.
                    tracing::debug!(why, "Looking again");
                    if let Some(follow) = follow
                        && self.place().await? != follow.from
                    {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(InterviewError::Refused("others keep writing to the same interviews".into()))
    }

    fn acts_on(&self, key: &Parent) -> bool {
        self.sources.acts_on(&key.connection)
    }

    fn shelf(&self) -> Shelf<'_> {
        let Self { store, tenant, sources, children_max, .. } = self;
        Shelf { store: &**store, tenant, sources, children_max: *children_max }
    }

    async fn plan(&self, key: &Parent) -> Result<Plan, InterviewError> {
        let now_ms = self.clock.now_ms();
        if key.entity == "interview_order" {
            return watch::plan_order(self.shelf(), key, &self.watch, now_ms).await;
        }
        let mut dossier = Dossier::read(self.shelf(), key).await?;
        // People hold their interviews themselves. One that has not come yet is looked at when it comes.
        if dossier.interview.as_ref().is_none_or(|read| read.body.kind != InterviewKind::Ai) {
            return Ok(Plan::default());
        }
        if !dossier.all_steps {
            metrics::counter!("renmen_interview_steps_unseen_total").increment(1);
            if self.told.first(dossier.name()) {
                let (connection, max) = (&key.connection, self.children_max);
                let interview = dossier.interview.as_ref().map(|read| read.row.id.to_string());
                tracing::warn!(
                    %connection, interview, max,
                    "An interview has more steps than are looked at: the watch sees the first; raise interview.children_max"
                );
            }
        }
        dossier.read_written(self.shelf(), &watch::names(&dossier)).await?;
        Ok(decide::plan(&dossier, &self.rules, now_ms)?.and(watch::plan(&dossier, &self.watch, now_ms)?))
    }
}

impl Target {
    fn of(key: &Parent) -> Option<Self> {
        let entity = ["interview", "interview_order"].into_iter().find(|entity| *entity == key.entity)?;
        // What no reference can name cannot be written about.
        if key.external_id.len() > EXTERNAL_ID_BYTES_MAX {
            return None;
        }
        Some(Self { connection: key.connection.to_string(), entity, external_id: key.external_id.clone() })
    }

    /// `interview/vendor/int-1`.
    fn timer(&self) -> String {
        format!("{}/{}/{}", self.entity, self.connection, self.external_id)
    }

    fn of_timer(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '/');
        let (entity, connection, external_id) = (parts.next()?, parts.next()?, parts.next()?);
        let entity = ["interview", "interview_order"].into_iter().find(|known| *known == entity)?;
        Some(Self { connection: connection.to_owned(), entity, external_id: external_id.to_owned() })
    }

    fn key(&self) -> Option<Parent> {
        Some(Parent {
            connection: self.connection.parse().ok()?,
            entity: self.entity.to_owned(),
            external_id: self.external_id.clone(),
        })
    }
}
