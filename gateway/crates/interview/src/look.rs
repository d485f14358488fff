//! Looks at interviews and orders as they stand, and writes what that comes to.
//!
//! All of a batch in one commit, with the place in the feed. When that cannot be written (another gateway or a person was first, or
//! one record is refused), each for itself: what cannot be worked on is set aside with its reason and a timer, and the others go on.

use std::collections::BTreeSet;

use renmen_schema::code::InterviewKind;
use renmen_store::{AuthoredCommit, AuthoredRecord, Follow, LinkWrite, Parent, StoreError, TimerWrite};

use crate::children::Shelf;
use crate::decide::{self, Bounds};
use crate::dossier::Dossier;
use crate::follow::Follower;
use crate::plan::Plan;
use crate::target::Target;
use crate::{InterviewError, author, copies, subject, watch};

/// How many times a look at one subject tries to write its result when someone else wrote first.
const TRIES: u32 = 5;
/// When a subject that was set aside is looked at again, in milliseconds.
const AGAIN_MS: i64 = 10 * 60_000;

/// What became of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It is done, and the place is kept.
    Done,
    /// Another gateway read this part of the feed.
    Moved,
}

impl Follower {
    /// Looks at each target as it stands and writes what that comes to.
    pub(crate) async fn look(
        &self,
        targets: &BTreeSet<Target>,
        follow: Option<Follow>,
    ) -> Result<Looked, InterviewError> {
        if let Some(looked) = self.look_together(targets, follow).await? {
            return Ok(looked);
        }
        for target in targets {
            self.look_alone(target).await?;
        }
        let Some(follow) = follow else { return Ok(Looked::Done) };
        let kept = self.store.author(AuthoredCommit { follow: Some(follow), ..self.commit() }).await;
        match kept {
            Ok(_) => Ok(Looked::Done),
            Err(StoreError::Fenced(_)) => Ok(Looked::Moved),
            Err(error) => Err(error.into()),
        }
    }

    /// None: it cannot be written together.
    async fn look_together(
        &self,
        targets: &BTreeSet<Target>,
        follow: Option<Follow>,
    ) -> Result<Option<Looked>, InterviewError> {
        let mut commit = AuthoredCommit { follow, ..self.commit() };
        let mut worked = Vec::new();
        for target in targets {
            if self.add(&mut commit, target).await? {
                worked.push(target);
            }
        }
        match self.store.author(commit).await {
            Ok(_) => {
                worked.into_iter().for_each(|target| self.progress.done(target));
                Ok(Some(Looked::Done))
            }
            Err(StoreError::Fenced(why)) => {
                tracing::debug!(why, "Looking at an interview again");
                let moved = match follow {
                    Some(follow) => self.place().await? != follow.from,
                    None => false,
                };
                Ok(moved.then_some(Looked::Moved))
            }
            Err(error) if is_of_one(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at one, for itself; sets it aside where that cannot be written.
    pub(crate) async fn look_alone(&self, target: &Target) -> Result<(), InterviewError> {
        for _ in 0..TRIES {
            let mut commit = self.commit();
            let worked = self.add(&mut commit, target).await?;
            let made = commit.records.clone();
            match self.store.author(commit).await {
                Ok(_) => {
                    if worked {
                        self.progress.done(target);
                    }
                    return Ok(());
                }
                // What stands now decides; and what is there must be known to belong here.
                Err(StoreError::Fenced(_)) => self.link_again(&made).await?,
                Err(error) if is_of_one(&error) => return self.put_aside(target, &error.to_string()).await,
                Err(error) => return Err(error.into()),
            }
        }
        let why = "others kept writing to it: it is tried again by itself; if it stays, another program writes the gateway's records";
        self.put_aside(target, why).await
    }

    /// Adds what a look at this one comes to. False: it could not be worked on.
    async fn add(&self, commit: &mut AuthoredCommit, target: &Target) -> Result<bool, InterviewError> {
        let name = target.timer();
        let Some(key) = target.key().filter(|key| self.sources.acts_on(&key.connection)) else {
            // No longer one that is acted on: its timer would come again and again.
            if commit.follow.is_none() {
                commit.timers.push(TimerWrite::Clear { name });
            }
            return Ok(true);
        };
        match self.plan(&key).await {
            Ok(plan) => {
                commit.records.extend(plan.records);
                let due_ms = self.clock.now_ms();
                let others = plan.also.iter().filter_map(Target::of).map(|other| other.timer());
                commit.timers.extend(others.map(|name| TimerWrite::Set { name, due_ms }));
                commit.timers.push(match plan.again_ms {
                    Some(due_ms) => TimerWrite::Set { name, due_ms },
                    None => TimerWrite::Clear { name },
                });
                Ok(true)
            }
            Err(error) if is_of_subject(&error) => {
                self.note_aside(target, &error.to_string());
                commit.timers.push(TimerWrite::Set { name, due_ms: self.clock.now_ms() + AGAIN_MS });
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn put_aside(&self, target: &Target, why: &str) -> Result<(), InterviewError> {
        self.note_aside(target, why);
        let mut commit = self.commit();
        commit.timers.push(TimerWrite::Set { name: target.timer(), due_ms: self.clock.now_ms() + AGAIN_MS });
        self.store.author(commit).await?;
        Ok(())
    }

    fn note_aside(&self, target: &Target, why: &str) {
        metrics::counter!("renmen_interview_looks_failed_total").increment(1);
        if self.progress.set_aside(target, why, self.clock.now_ms()) {
            tracing::warn!(
                reason = why, connection = %target.connection, entity = target.entity, tenant = %self.tenant,
                "The interview loop set an interview aside and continues with the others. GET /v1/health lists what is set aside"
            );
        }
    }

    /// Records that were to be made and are there already: written by another gateway, or before records were linked as they are
    /// written. Links them, so that the next look knows them.
    async fn link_again(&self, made: &[AuthoredRecord]) -> Result<(), InterviewError> {
        let mut linking = self.commit();
        for record in made.iter().filter(|record| record.expect == Some(0)) {
            let key = Parent {
                connection: author::built_in(),
                entity: record.entity.clone(),
                external_id: record.external_id.clone(),
            };
            if let Some(row) = subject::row(&*self.store, &self.tenant, &key).await? {
                let parents = subject::parents(&*self.store, &self.tenant, &row).await?;
                linking.links.push(LinkWrite { child: row.id, parents });
            }
        }
        if !linking.links.is_empty() {
            self.store.author(linking).await?;
        }
        Ok(())
    }

    pub(crate) fn shelf(&self) -> Shelf<'_> {
        let Self { store, tenant, sources, children_max, .. } = self;
        Shelf { store: &**store, tenant, sources, children_max: *children_max }
    }

    async fn plan(&self, key: &Parent) -> Result<Plan, InterviewError> {
        let now_ms = self.clock.now_ms();
        if key.entity == "interview_order" {
            return watch::plan_order(self.shelf(), key, &self.watch, now_ms).await;
        }
        let dossier = Dossier::read(self.shelf(), key).await?;
        if !self.is_ours(&dossier).await? {
            return Ok(Plan::default());
        }
        self.tell_of_unseen_steps(&dossier);
        let bounds = Bounds {
            since_ms: self.history.since_ms(&key.connection),
            within_ms: self.decide_within_ms,
            catch_up_ms: self.watch.catch_up_ms,
        };
        let mut plan = decide::plan(&dossier, &self.rules, bounds, now_ms)?;
        if !self.rules.is_empty() {
            decide::tell_overdue(&mut plan, self.shelf(), &dossier, bounds, now_ms).await?;
        }
        Ok(plan.and(watch::plan(self.shelf(), &dossier, &self.watch, now_ms).await?))
    }

    /// People hold their interviews themselves, one that has not come yet is looked at when it comes, and a copy follows its original.
    pub(crate) async fn is_ours(&self, dossier: &Dossier) -> Result<bool, InterviewError> {
        let Some(interview) = dossier.interview.as_ref().filter(|read| read.body.kind == InterviewKind::Ai) else {
            return Ok(false);
        };
        Ok(!copies::is_copy(self.shelf(), interview).await?)
    }

    fn tell_of_unseen_steps(&self, dossier: &Dossier) {
        if dossier.all_steps {
            return;
        }
        metrics::counter!("renmen_interview_steps_unseen_total").increment(1);
        if self.told.first(dossier.name()) {
            let interview = dossier.interview.as_ref().map(|read| read.row.id.to_string());
            tracing::warn!(
                connection = %dossier.key.connection, interview, max = self.children_max,
                "An interview has more steps than the limit, so only the first are watched; raise interview.children_max"
            );
        }
    }
}

/// Is it the fault of what was to be written, and not of the store?
fn is_of_one(error: &StoreError) -> bool {
    matches!(error, StoreError::BadInput(_) | StoreError::Quota { .. })
}

/// Is it the fault of the interview or order that was looked at? A store that is away is not.
fn is_of_subject(error: &InterviewError) -> bool {
    match error {
        InterviewError::Store(error) => is_of_one(error) || matches!(error, StoreError::Fault(_)),
        InterviewError::Fault(_) | InterviewError::BadInput { .. } | InterviewError::Refused { .. } => true,
        InterviewError::NotFound(_)
        | InterviewError::Superseded { .. }
        | InterviewError::TooMany { .. }
        | InterviewError::Overloaded => false,
    }
}
