//! One stream by itself: waits for its time, stands in line, runs, waits. Several gateways may have a loop for one stream: when it is
//! due, one of them begins the run, and the others wait for the next time.
//!
//! When a run is due is counted by the clock of the store, which is the same for all of them.

use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::{RunId, StreamName};
use renmen_store::{RunTrigger, StoreError, StreamKey, StreamStand};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::options::millis;
use crate::run::RunPlace;
use crate::shared::Shared;
use crate::wait::{self, Look, Wait};
use crate::{ConnectionRuntime, Runs, Schedule};

/// No sleep is longer: a wall clock that jumps is noticed within it.
const NAP_MAX: Duration = Duration::from_secs(30);
/// Wait after a store that is away or a stream whose run is under way.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// Wait before a stream is looked at again that another gateway reads.
const ELSEWHERE_WAIT: Duration = Duration::from_secs(5);
/// Gateways that find a run left behind do not all begin at once.
const TAKEOVER_SPREAD: Duration = Duration::from_millis(500);
/// Share of an interval by which streams that began together drift apart.
const JITTER: f64 = 0.05;

/// What other gateways do with a stream.
#[derive(Default)]
pub(crate) struct StreamNews {
    /// A run was left behind.
    pub(crate) left: Notify,
    /// It is read now.
    pub(crate) taken: Notify,
}

/// See the module.
pub(crate) struct StreamLoop {
    shared: Arc<Shared>,
    runs: Runs,
    key: StreamKey,
    /// As it was when it was last asked when the stream is due.
    schedule: Schedule,
    /// The last run that the next one follows.
    known: Option<RunId>,
    /// It waits for the end of another gateway's run, not for its own time.
    waits_for_other: bool,
    news: Arc<StreamNews>,
    reloads: watch::Receiver<u64>,
    changes: watch::Receiver<u64>,
}

/// A loop that ended.
pub(crate) struct EndedLoop {
    pub(crate) key: StreamKey,
    /// How often connections had been changed then.
    pub(crate) changes: u64,
}

/// The schedule of a stream that runs by itself; none of one that does not.
pub(crate) fn plan_of(connection: &ConnectionRuntime, stream: &StreamName) -> Option<Schedule> {
    let plan = connection.streams().get(stream).filter(|plan| plan.enabled)?;
    if matches!(plan.schedule, Schedule::Manual) || connection.shut_streams().contains_key(stream) {
        return None;
    }
    Some(plan.schedule.clone())
}

impl StreamLoop {
    pub(crate) fn new(shared: &Arc<Shared>, runs: &Runs, key: StreamKey, news: Arc<StreamNews>) -> Self {
        let changes = shared.connections.changes();
        let connection = shared.connection(&key.tenant, &key.connection);
        let reloads = connection.map_or_else(|_| changes.clone(), |connection| connection.reloads());
        Self {
            shared: Arc::clone(shared),
            runs: runs.clone(),
            key,
            schedule: Schedule::Manual,
            known: None,
            waits_for_other: false,
            news,
            reloads,
            changes,
        }
    }

    /// Goes on until it is cancelled, or its stream runs by itself no more.
    pub(crate) async fn go(mut self, cancel: CancellationToken) -> Option<EndedLoop> {
        let mut due_ms = if self.find_schedule() { self.first_due_ms().await } else { None };
        while let Some(at_ms) = due_ms {
            self.shared.book.next(&self.key, Some(at_ms));
            due_ms = match self.wait_until(at_ms, &cancel).await {
                Wake::Due => self.when_due(&cancel).await,
                Wake::Left => self.when_left().await,
                Wake::Reloaded => self.when_reloaded(at_ms).await,
                Wake::Stepped(by_ms) => self.after_step_ms(at_ms, by_ms),
                Wake::Cancelled => None,
            };
        }
        self.shared.book.next(&self.key, None);
        let changes = *self.changes.borrow();
        Some(EndedLoop { key: self.key, changes })
    }

    /// Reads its schedule again. False: it has none any more.
    fn find_schedule(&mut self) -> bool {
        let connection = self.shared.connection(&self.key.tenant, &self.key.connection).ok();
        let found = connection.and_then(|connection| {
            self.reloads = connection.reloads();
            plan_of(&connection, &self.key.stream)
        });
        let is_there = found.is_some();
        self.schedule = found.unwrap_or(Schedule::Manual);
        is_there
    }

    /// How the stream stands, with what other gateways did.
    async fn look(&self) -> Result<StreamStand, StoreError> {
        let stand = self.shared.store.stream_stand(&self.key, self.now_ms()).await?;
        self.shared.book.learn(&self.key, &stand.runs);
        Ok(stand)
    }

    async fn first_due_ms(&mut self) -> Option<i64> {
        match self.look().await {
            Ok(stand) => self.due_after_ms(&stand),
            // The run itself will say what is wrong with the store.
            Err(_) => Some(self.now_ms()),
        }
    }

    /// When the next run is due after the last one that the store knows, by this gateway's clock. A run that was cut goes on at once,
    /// regardless of the schedule; a failed one at the time set for its retry.
    fn due_after_ms(&mut self, stand: &StreamStand) -> Option<i64> {
        self.known = stand.last_run;
        let now_ms = self.now_ms();
        self.waits_for_other = self.is_elsewhere(stand);
        if self.waits_for_other {
            return Some(now_ms.saturating_add(millis(ELSEWHERE_WAIT)));
        }
        if let Some(retry_at_ms) = self.shared.book.health(&self.key).retry_at_ms {
            return Some(retry_at_ms);
        }
        if stand.was_cut() {
            return Some(now_ms);
        }
        let due_ms = self.schedule.due_ms(stand.last_began_at_ms, stand.now_ms)?;
        Some(due_ms.saturating_sub(stand.now_ms).saturating_add(now_ms))
    }

    /// Does another gateway read the stream now? A run of this one that ended without its end being written does not.
    fn is_elsewhere(&self, stand: &StreamStand) -> bool {
        stand.live_until_ms.is_some() && self.shared.book.unfinished(&self.key).is_none()
    }

    /// Its time has come: a run, unless another gateway was first. Answers when the next is due.
    async fn when_due(&mut self, cancel: &CancellationToken) -> Option<i64> {
        if let Ok(stand) = self.look().await
            && (self.waits_for_other || stand.last_run != self.known || self.is_elsewhere(&stand))
        {
            let due_ms = self.due_after_ms(&stand)?;
            if due_ms > self.now_ms() {
                return Some(due_ms);
            }
        }
        let mut place = self.runs.place(&self.key).ok()?;
        let taken = tokio::select! {
            () = cancel.cancelled() => return None,
            () = place.take() => None,
            stand = self.is_taken() => Some(stand),
        };
        if let Some(stand) = taken {
            return self.due_after_ms(&stand);
        }
        let due_ms = self.run(place, cancel.clone()).await;
        self.known = self.known.max(self.shared.book.own(&self.key));
        // What was changed during the run counts from now on.
        if self.changes.has_changed().unwrap_or(false) {
            self.changes.mark_unchanged();
            let was = self.schedule.to_string();
            if !self.find_schedule() {
                return None;
            }
            if was != self.schedule.to_string() {
                return self.first_due_ms().await;
            }
        }
        due_ms
    }

    /// Waits until another gateway reads the stream, or has read it.
    async fn is_taken(&self) -> StreamStand {
        loop {
            self.news.taken.notified().await;
            if let Ok(stand) = self.look().await
                && (stand.last_run != self.known || self.is_elsewhere(&stand))
            {
                return stand;
            }
        }
    }

    async fn when_left(&mut self) -> Option<i64> {
        let due_ms = self.first_due_ms().await?;
        let spread_ms = millis(TAKEOVER_SPREAD.mul_f64(rand::random::<f64>()));
        Some(due_ms.saturating_add(spread_ms))
    }

    /// Other code, or another configuration: what failed may be tried at once, and another schedule counts at once.
    async fn when_reloaded(&mut self, due_ms: i64) -> Option<i64> {
        let was = self.schedule.to_string();
        if !self.find_schedule() {
            return None;
        }
        let failed = self.shared.book.health(&self.key).failures > 0;
        self.shared.book.reloaded(&self.key);
        match failed {
            true => Some(self.now_ms()),
            false if was != self.schedule.to_string() => self.first_due_ms().await,
            false => Some(due_ms),
        }
    }

    /// The clock was set.
    fn after_step_ms(&self, due_ms: i64, by_ms: i64) -> Option<i64> {
        let health = self.shared.book.health(&self.key);
        tracing::warn!(
            connection = %self.key.connection, stream = %self.key.stream, by_ms, "The clock was changed; rescheduling the next run of a stream"
        );
        let (after_failure, started_ms) = (health.failures > 0, health.last_started_at_ms);
        wait::after_step_ms(&self.schedule, after_failure, started_ms, (due_ms, by_ms), self.now_ms())
    }

    /// One run; answers when the next is due.
    async fn run(&self, place: RunPlace, cancel: CancellationToken) -> Option<i64> {
        let started_ms = self.now_ms();
        let trigger =
            if self.shared.book.health(&self.key).failures > 0 { RunTrigger::Retry } else { RunTrigger::Schedule };
        let ended = self.runs.run_due(&self.key, (trigger, self.known), place, cancel).await;
        let now_ms = self.now_ms();
        match ended {
            Ok(report) => match report.failure {
                None => self.schedule.due_ms(Some(started_ms), now_ms).map(|due_ms| due_ms + self.jitter_ms()),
                Some(failure) => Some(failure.retry_at_ms.unwrap_or(now_ms).max(now_ms)),
            },
            Err(error) if error.passes() => {
                tracing::debug!(%error, connection = %self.key.connection, stream = %self.key.stream, "The stream cannot run now and is tried again soon");
                Some(now_ms.saturating_add(millis(STORE_WAIT)))
            }
            Err(error) => {
                tracing::error!(%error, connection = %self.key.connection, stream = %self.key.stream, "The stream's run could not begin");
                Some(now_ms.saturating_add(millis(self.shared.options.retry.max)))
            }
        }
    }

    async fn wait_until(&mut self, at_ms: i64, cancel: &CancellationToken) -> Wake {
        let clock = Arc::clone(&self.shared.options.clock);
        let wait = Wait::until(at_ms, clock.now_ms(), millis(clock.elapsed()));
        loop {
            let nap = match wait.look(clock.now_ms(), millis(clock.elapsed())) {
                Look::Due if !cancel.is_cancelled() => return Wake::Due,
                Look::Due => Duration::ZERO,
                Look::Stepped(by_ms) => return Wake::Stepped(by_ms),
                Look::Left(left_ms) => Duration::from_millis(left_ms).min(NAP_MAX),
            };
            tokio::select! {
                () = cancel.cancelled() => return Wake::Cancelled,
                Ok(()) = self.reloads.changed() => return Wake::Reloaded,
                Ok(()) = self.changes.changed() => return Wake::Reloaded,
                () = self.news.left.notified() => return Wake::Left,
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Only intervals drift; a cron time is a promise.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn jitter_ms(&self) -> i64 {
        match &self.schedule {
            Schedule::Every(interval) => (millis(*interval) as f64 * JITTER * rand::random::<f64>()) as i64,
            _ => 0,
        }
    }

    fn now_ms(&self) -> i64 {
        self.shared.now_ms()
    }
}

enum Wake {
    Due,
    /// Another gateway left a run of the stream behind.
    Left,
    Reloaded,
    /// The wall clock was set by so many milliseconds.
    Stepped(i64),
    Cancelled,
}
