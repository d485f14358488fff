//! A pass over all records: the first time, and when rules change.
//!
//! First the facts of all records are read again, piece by piece; a gateway that is killed goes on from the last piece. Then all are settled, group by
//! group, and each group takes the place of what is kept of its records in one transaction: what was found before stays until then. Killed there, a
//! gateway settles all of them again; groups that were written already differ in nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use renmen_clock::Clock;
use renmen_identity::{Decision, Digests, Facts, MemberId, Pass, Rules, Settled, Source, Summary};
use renmen_schema::id::TenantId;
use renmen_seat::Leave;
use renmen_store::{FactsCommit, IdentityAsk, IdentityPass, IdentityStand, ReadUpTo, Store, StoreError, Subjects};
use tokio::sync::mpsc;

use crate::progress::{PassProgress, Progress};
use crate::reader::{ENTITIES, Reader, subject_of};
use crate::settle::{self, Settler, decision_of, facts_in, member, row};

/// Rows of the table of records that are looked at for one piece.
const READ: u32 = 4_000;
/// Facts that are read at once.
const FACTS: u32 = 10_000;
/// Records that are written at once.
const WRITTEN: usize = 2_000;
/// Groups that wait to be written: the pass itself waits when they are more.
const GROUPS_WAITING: usize = 1_024;
/// Decisions read at once.
const DECISIONS: u32 = 1_000;
/// What `pass_after` is once all facts were read.
const ALL_READ: i64 = i64::MAX;

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// What was found is by its rules.
    All,
    /// It was left; it goes on from where it was.
    Left,
}

/// Who passes.
pub(crate) struct Passing<'a> {
    pub(crate) store: &'a Arc<dyn Store>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) rules: &'a Arc<Rules>,
    pub(crate) digests: &'a Digests,
    pub(crate) threads: usize,
    pub(crate) progress: &'a Progress,
}

impl Passing<'_> {
    pub(crate) async fn run(&self, stand: &IdentityStand, leave: &Leave) -> Result<Passed, StoreError> {
        let fingerprint = self.rules.fingerprint();
        let under_way = stand.pass.clone().filter(|pass| pass.rules.starts_with(&fingerprint));
        let mut pass = match under_way {
            Some(pass) => pass,
            None => {
                // What tells it from a pass by the same rules that another gateway may still think is under way.
                let rules = format!("{fingerprint}:{:016x}", rand::random::<u64>());
                let pass = IdentityPass { rules, after: 0 };
                self.store.begin_identity_pass(self.tenant, stand.version, &pass).await?;
                tracing::info!(tenant = %self.tenant, "Looking at all records for who is one person, for the first time or by other rules");
                pass
            }
        };
        let shown = PassProgress { since_ms: self.clock.now_ms(), ..PassProgress::default() };
        self.progress.set(|state| state.pass = Some(shown));
        if pass.after != ALL_READ && !self.read_all(&mut pass, leave).await? {
            return Ok(Passed::Left);
        }
        let Some(summary) = self.settle_all(&pass, leave).await? else { return Ok(Passed::Left) };
        let settler = Settler { store: &**self.store, tenant: self.tenant, rules: self.rules };
        let now_ms = self.clock.now_ms();
        let worn = summary.worn_out.iter().map(|found| settler.worn(found, now_ms)).collect();
        self.store.end_identity_pass(self.tenant, &pass, &fingerprint, worn, now_ms).await?;
        self.progress.set(|state| state.pass = None);
        tracing::info!(tenant = %self.tenant, records = summary.records, "All records were looked at for who is one person");
        Ok(Passed::All)
    }

    /// True at the end. The next piece is read, and the one before is written, while facts are made of one.
    async fn read_all(&self, pass: &mut IdentityPass, leave: &Leave) -> Result<bool, StoreError> {
        let (store, rules, digests) = (&**self.store, self.rules, self.digests);
        let reader = Reader { store, tenant: self.tenant, rules, digests, threads: self.threads };
        let mut next = store.subjects(self.tenant, pass.after, &ENTITIES, READ).await?;
        let mut unwritten: Option<FactsCommit> = None;
        loop {
            if leave.is_due() {
                return Ok(false);
            }
            let Subjects { records, to, .. } = next;
            // What a record tells of others must be there when theirs is read, and the other way round.
            let tells = records.iter().any(|record| subject_of(&record.entity).is_none());
            if tells || unwritten.as_ref().is_some_and(|commit| !commit.applications.is_empty()) {
                self.write_facts(unwritten.take()).await?;
            }
            pass.after = to.unwrap_or(ALL_READ);
            let count = records.len() as u64;
            let (written, read, following) =
                tokio::join!(self.write_facts(unwritten.take()), reader.read(records, pass.after), async {
                    match to {
                        Some(to) => store.subjects(self.tenant, to, &ENTITIES, READ).await.map(Some),
                        None => Ok(None),
                    }
                });
            written?;
            let read = read?;
            unwritten = Some(FactsCommit {
                tenant: self.tenant.clone(),
                version: 0,
                facts: read.facts,
                applications: read.applications,
                read: ReadUpTo::Pass(pass.clone()),
                now_ms: self.clock.now_ms(),
            });
            self.progress.set(|state| {
                if let Some(pass) = &mut state.pass {
                    pass.read += count;
                }
            });
            match following? {
                Some(following) => next = following,
                None => {
                    self.write_facts(unwritten).await?;
                    return Ok(true);
                }
            }
        }
    }

    async fn write_facts(&self, commit: Option<FactsCommit>) -> Result<(), StoreError> {
        match commit {
            Some(commit) => self.store.put_facts(commit).await.map(drop),
            None => Ok(()),
        }
    }

    /// None: it was left.
    async fn settle_all(&self, pass: &IdentityPass, leave: &Leave) -> Result<Option<Summary>, StoreError> {
        let decisions = self.decisions().await?;
        let (announce, mut announced) = mpsc::channel::<Vec<(MemberId, Arc<Facts>)>>(2);
        let (found, groups) = mpsc::channel(GROUPS_WAITING);
        let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let source = Kept {
            store: Arc::clone(self.store),
            tenant: self.tenant.clone(),
            handle: tokio::runtime::Handle::current(),
            stop: Arc::clone(&stop.0),
        };
        let (rules, threads) = (Arc::clone(self.rules), self.threads);
        let work = tokio::task::spawn_blocking(move || {
            let mut pass = Pass::new(&rules, &decisions);
            while let Some(piece) = announced.blocking_recv() {
                piece.iter().for_each(|(member, facts)| pass.add(*member, facts));
            }
            pass.run(&source, threads, |settled| {
                // Where no one writes any more, the source stops the pass.
                let _ = found.blocking_send(settled);
            })
        });
        let written = async {
            let all = self.announce(announce, leave).await? && self.write(pass, groups, leave).await?;
            Ok::<_, StoreError>(all)
        };
        let written = written.await;
        if !matches!(written, Ok(true)) {
            stop.0.store(true, Ordering::Relaxed);
        }
        let ended =
            work.await.map_err(|error| StoreError::Fault(format!("a pass ended without an answer: {error}")))?;
        if !written? {
            return Ok(None);
        }
        ended.map(Some)
    }

    async fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let some = self.store.identity_decisions(self.tenant, None, after, DECISIONS).await?;
            let Some(last) = some.last() else { return Ok(all) };
            after = last.seq;
            all.extend(some.iter().filter(|decision| decision.undone.is_none()).map(decision_of));
        }
    }

    /// True when all were announced.
    async fn announce(&self, to: mpsc::Sender<Vec<(MemberId, Arc<Facts>)>>, leave: &Leave) -> Result<bool, StoreError> {
        let mut after = 0;
        loop {
            if leave.is_due() {
                return Ok(false);
            }
            let rows = self.store.facts_after(self.tenant, after, FACTS).await?;
            let Some(last) = rows.last() else { return Ok(true) };
            after = last.record;
            let read = |row: &renmen_store::FactRow| Ok::<_, StoreError>((member(row.record), facts_in(&row.facts)?));
            let piece = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            if to.send(piece).await.is_err() {
                return Ok(false);
            }
        }
    }

    /// True when all were written.
    async fn write(
        &self,
        pass: &IdentityPass,
        mut groups: mpsc::Receiver<Settled>,
        leave: &Leave,
    ) -> Result<bool, StoreError> {
        let settler = Settler { store: &**self.store, tenant: self.tenant, rules: self.rules };
        while let Some(first) = groups.recv().await {
            if leave.is_due() {
                return Ok(false);
            }
            let mut piece = first;
            while piece.members.len() < WRITTEN
                && let Ok(more) = groups.try_recv()
            {
                add(&mut piece, more);
            }
            let count = piece.members.len() as u64;
            let kept = settler.kept(&piece).await?;
            let mut commit = settler.difference(piece, &kept, self.clock.now_ms());
            commit.pass = Some(pass.clone());
            if settle::says_something(&commit) {
                self.store.put_settled(commit).await?;
            }
            self.progress.set(|state| {
                if let Some(pass) = &mut state.pass {
                    pass.settled += count;
                }
            });
        }
        Ok(true)
    }
}

/// So that threads of a pass that is not waited for any more end soon.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Groups have no record in common.
fn add(into: &mut Settled, mut other: Settled) {
    into.members.append(&mut other.members);
    into.gone.append(&mut other.gone);
    into.identities.append(&mut other.identities);
    into.proposals.append(&mut other.proposals);
    into.conflicts.append(&mut other.conflicts);
}

/// Facts as they are kept, for the threads of a pass.
struct Kept {
    store: Arc<dyn Store>,
    tenant: TenantId,
    handle: tokio::runtime::Handle,
    stop: Arc<AtomicBool>,
}

impl Source for Kept {
    type Error = StoreError;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, StoreError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the pass was left".into()));
        }
        let facts = members.iter().map(|one| row(*one)).collect();
        let ask = IdentityAsk { facts, ..IdentityAsk::default() };
        let found = self.handle.block_on(self.store.identity_load(&self.tenant, ask))?;
        let mut by_record = std::collections::HashMap::with_capacity(found.facts.len());
        for one in &found.facts {
            by_record.insert(member(one.record), facts_in(&one.facts)?);
        }
        Ok(members.iter().map(|one| by_record.remove(one)).collect())
    }
}
