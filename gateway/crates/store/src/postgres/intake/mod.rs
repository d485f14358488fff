//! Deliveries that share a commit: those that come while one is under way wait for the next one together.
//!
//! A tenant's deliveries go by one committer of this process, so that they never wait for each other at the row of its feed. A group is
//! written as a whole (`group`), and answered when its commit is durable; where that fails for what one of them holds, each is committed
//! alone, so that the one takes no other with it. Must not know what a delivery means.

mod group;
mod names;

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::connections::Connections;
use super::writes::Writes;
use crate::heads::{Follower, Heads};
use crate::inbox::{Intake, Taken};
use crate::quota::Quotas;
use crate::sql::inbox;
use crate::{StoreError, failpoint};
use names::Names;

/// Deliveries that may wait for one committer; the next caller waits outside.
const WAITING_MAX: usize = 1_024;

/// One on its way in, and who waits for it.
struct Waiting {
    intake: Intake,
    answer: oneshot::Sender<Result<Taken, StoreError>>,
}

/// How large a group is, and how long its first delivery waits for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupOptions {
    pub(super) committers: usize,
    pub(super) deliveries: usize,
    pub(super) wait: Duration,
}

/// The doors to the committers. They end with it.
pub(super) struct Committers {
    doors: Vec<mpsc::Sender<Waiting>>,
    _tasks: Vec<Follower>,
}

impl Committers {
    pub(super) fn start(
        options: GroupOptions,
        (connections, writes): (&Connections, &Writes),
        quotas: &Quotas,
        heads: &Arc<Heads>,
    ) -> Self {
        let (mut doors, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..options.committers.max(1) {
            let (door, waiting) = mpsc::channel(WAITING_MAX);
            let committer = Committer {
                options,
                connections: connections.clone(),
                writes: writes.clone(),
                quotas: quotas.clone(),
                heads: Arc::clone(heads),
                names: Names::default(),
                waiting,
                later: VecDeque::new(),
                last: 0,
            };
            doors.push(door);
            tasks.push(Follower::of(committer.run()));
        }
        Self { doors, _tasks: tasks }
    }

    /// Takes one in with others; resolves when it is durable.
    pub(super) async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        let ended = || StoreError::Fault("the store's committers have ended".into());
        let mut hasher = DefaultHasher::new();
        intake.tenant.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % self.doors.len() as u64).unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        self.doors[at].send(Waiting { intake, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// May it be written with others? What a targeted read brought, and what brought several pages or refused records, is committed alone.
pub(super) fn may_share(intake: &Intake) -> bool {
    intake.delivery.is_some()
        && intake.done.is_empty()
        && intake.held.is_empty()
        && intake.pages.len() <= 1
        && intake.pages.iter().all(|page| page.quarantine.is_empty())
}

/// What commits the deliveries of some tenants.
struct Committer {
    options: GroupOptions,
    connections: Connections,
    writes: Writes,
    quotas: Quotas,
    heads: Arc<Heads>,
    names: Names,
    waiting: mpsc::Receiver<Waiting>,
    /// Repeats of what the group before brought: known when that is committed.
    later: VecDeque<Waiting>,
    /// How many the last group had.
    last: usize,
}

impl Committer {
    async fn run(mut self) {
        while let Some(group) = self.next_group().await {
            self.last = group.len();
            self.commit(group).await;
        }
    }

    /// What waits. The first one waits for others only where some came together before: one sender alone is not held up.
    async fn next_group(&mut self) -> Option<Vec<Waiting>> {
        let first = match self.later.pop_front() {
            Some(first) => first,
            None => self.waiting.recv().await?,
        };
        let until = Instant::now() + self.options.wait;
        let mut group = Group::default();
        group.add(first, &mut self.later);
        for _ in 0..self.later.len() {
            if group.list.len() >= self.options.deliveries {
                break;
            }
            let Some(again) = self.later.pop_front() else { break };
            group.add(again, &mut self.later);
        }
        while group.list.len() < self.options.deliveries {
            let next = match self.waiting.try_recv() {
                Ok(next) => Some(next),
                Err(_) if self.last.max(group.list.len()) < 2 => None,
                Err(_) => tokio::time::timeout_at(until, self.waiting.recv()).await.ok().flatten(),
            };
            match next {
                Some(next) => group.add(next, &mut self.later),
                None => break,
            }
        }
        // The rows of feeds are locked in one order.
        group.list.sort_by(|one, other| one.intake.tenant.cmp(&other.intake.tenant));
        Some(group.list)
    }

    async fn commit(&mut self, group: Vec<Waiting>) {
        let (intakes, answers): (Vec<Intake>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.intake, waiting.answer)).unzip();
        let done = self.commit_together(&intakes).await;
        let alone = match done {
            Ok(taken) => {
                self.names.keep();
                for ((intake, answer), taken) in intakes.iter().zip(answers).zip(taken) {
                    self.heads.committed(&intake.tenant, &taken.outcome);
                    let _ = answer.send(Ok(taken));
                }
                return;
            }
            Err(alone) => alone,
        };
        self.names.forget();
        for (intake, answer) in intakes.into_iter().zip(answers) {
            let result = match &alone {
                // Asking again for each would only take longer to say the same.
                Some(away) => Err(StoreError::Unavailable(away.clone())),
                None => self.commit_alone(intake).await,
            };
            let _ = answer.send(result);
        }
    }

    /// All of them in one transaction. Refused with the reason where the database is away, and without one where each is to be tried alone.
    async fn commit_together(&mut self, intakes: &[Intake]) -> Result<Vec<Taken>, Option<String>> {
        let Self { connections, writes, names, quotas, .. } = self;
        let done = writes
            .in_time(async {
                let mut client = connections.get().await?;
                names.prepare(connections, &mut client, intakes).await?;
                let transaction = connections.begin(&mut client).await?;
                let taken = group::take_all(&transaction, intakes, names, quotas).await?;
                failpoint::reach("before_commit");
                transaction.commit().await?;
                failpoint::reach("after_commit");
                Ok(taken)
            })
            .await;
        done.map_err(|error| match error {
            StoreError::Unavailable(text) => Some(text),
            error => {
                tracing::debug!(%error, deliveries = intakes.len(), "Deliveries are committed one by one");
                None
            }
        })
    }

    async fn commit_alone(&self, intake: Intake) -> Result<Taken, StoreError> {
        let tenant = intake.tenant.clone();
        let taken = take_alone((&self.connections, &self.writes), intake, &self.quotas).await?;
        self.heads.committed(&tenant, &taken.outcome);
        Ok(taken)
    }
}

/// One delivery in a transaction of its own.
pub(super) async fn take_alone(
    (connections, writes): (&Connections, &Writes),
    intake: Intake,
    quotas: &Quotas,
) -> Result<Taken, StoreError> {
    let quota = quotas.of(&intake.tenant, &intake.connection);
    writes
        .in_time(async {
            let mut client = connections.get().await?;
            let transaction = connections.begin(&mut client).await?;
            let taken = inbox::take(&transaction, intake, &quota).await?;
            failpoint::reach("before_commit");
            transaction.commit().await?;
            failpoint::reach("after_commit");
            Ok(taken)
        })
        .await
}

/// A group as it grows: of two equal deliveries the second waits for the next one, where it is known.
#[derive(Default)]
struct Group {
    list: Vec<Waiting>,
    identities: HashSet<(String, String, [u8; 32])>,
}

impl Group {
    fn add(&mut self, waiting: Waiting, later: &mut VecDeque<Waiting>) {
        let intake = &waiting.intake;
        let identity = intake.delivery.as_ref().map(|delivery| delivery.identity).unwrap_or_default();
        let known = (intake.tenant.to_string(), intake.connection.to_string(), identity);
        if self.identities.insert(known) {
            self.list.push(waiting);
        } else {
            later.push_back(waiting);
        }
    }
}
