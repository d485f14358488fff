//! The streams by themselves: each in its own loop, none faster than its schedule, each in its turn.

use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::StreamName;
use renmen_store::{RunTrigger, StreamKey};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::intake::RefreshReader;
use crate::options::millis;
use crate::run::RunPlace;
use crate::shared::Shared;
use crate::wait::{self, Look, Wait};
use crate::{ConnectionRuntime, Deliveries, NoProgress, Runs, Schedule, listen, spool};

/// No sleep is longer: a wall clock that jumps is noticed within it.
const NAP_MAX: Duration = Duration::from_secs(30);
/// Wait after a store that is away or a stream that another gateway holds.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// Share of an interval by which streams that began together drift apart.
const JITTER: f64 = 0.05;

/// Starts the loops: one for each stream with a schedule, one for what is to be read again, one for each held connection.
pub(crate) struct Scheduler {
    shared: Arc<Shared>,
    runs: Runs,
    deliveries: Deliveries,
    refreshes: RefreshReader,
}

impl Scheduler {
    pub(crate) fn new(shared: &Arc<Shared>, runs: &Runs, deliveries: &Deliveries, refreshes: &RefreshReader) -> Self {
        Self {
            shared: Arc::clone(shared),
            runs: runs.clone(),
            deliveries: deliveries.clone(),
            refreshes: refreshes.clone(),
        }
    }

    /// See [`Engine::serve`](crate::Engine::serve).
    pub(crate) async fn serve(&self, cancel: CancellationToken) {
        if let Some(data_dir) = self.shared.options.data_dir.clone() {
            let age_max = self.shared.options.spool_age_max;
            let _ = tokio::task::spawn_blocking(move || spool::purge(&data_dir, age_max)).await;
        }
        let mut loops = JoinSet::new();
        for connection in self.shared.connections.values() {
            let shut = connection.shut_streams();
            for (stream, plan) in connection.streams().iter().filter(|(stream, _)| !shut.contains_key(*stream)) {
                if plan.enabled && !matches!(plan.schedule, Schedule::Manual) {
                    loops.spawn(StreamLoop::new(&self.shared, &self.runs, connection, stream).go(cancel.clone()));
                }
            }
        }
        loops.spawn(self.refreshes.clone().serve(cancel.clone()));
        for connection in self.shared.connections.values().filter(|connection| connection.event_socket()) {
            loops.spawn(listen::hold_open(&self.shared, &self.deliveries, connection, cancel.clone()));
        }
        cancel.cancelled().await;
        while let Some(ended) = loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A loop of the engine ended with a panic");
            }
        }
    }
}

/// One stream's loop.
struct StreamLoop {
    shared: Arc<Shared>,
    runs: Runs,
    key: StreamKey,
    schedule: Schedule,
    reloads: watch::Receiver<u64>,
}

impl StreamLoop {
    fn new(shared: &Arc<Shared>, runs: &Runs, connection: &ConnectionRuntime, stream: &StreamName) -> Self {
        Self {
            shared: Arc::clone(shared),
            runs: runs.clone(),
            key: connection.key(stream),
            schedule: connection.streams()[stream].schedule.clone(),
            reloads: connection.reloads(),
        }
    }

    async fn go(mut self, cancel: CancellationToken) {
        let mut due_ms = self.first_due_ms().await;
        while let Some(at_ms) = due_ms {
            self.shared.book.next(&self.key, Some(at_ms));
            match self.wait_until(at_ms, &cancel).await {
                Wake::Due => {}
                Wake::Reloaded => {
                    due_ms = self.after_reload_ms(at_ms);
                    continue;
                }
                Wake::Stepped(by_ms) => {
                    due_ms = self.after_step_ms(at_ms, by_ms);
                    continue;
                }
                Wake::Cancelled => break,
            }
            let Ok(mut place) = self.runs.place(&self.key) else { break };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = place.take() => {}
            }
            due_ms = self.run(place, cancel.clone()).await;
        }
        self.shared.book.next(&self.key, None);
    }

    /// A run that was cut goes on at once, regardless of the schedule; a failed one at the time set for its retry.
    async fn first_due_ms(&self) -> Option<i64> {
        let now_ms = self.now_ms();
        let health = self.shared.book.health(&self.key);
        if let Some(retry_at_ms) = health.retry_at_ms {
            return Some(retry_at_ms);
        }
        match self.shared.store.stream_state(&self.key).await {
            Ok(state) if state.mid_run => Some(now_ms),
            Ok(_) => self.schedule.due_ms(health.last_started_at_ms, now_ms),
            // The run itself will say what is wrong with the store.
            Err(_) => Some(now_ms),
        }
    }

    fn after_reload_ms(&self, due_ms: i64) -> Option<i64> {
        let health = self.shared.book.health(&self.key);
        self.shared.book.reloaded(&self.key);
        Some(if health.failures > 0 { self.now_ms() } else { due_ms })
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
        let ended = self.runs.run_placed(&self.key, trigger, place, cancel, &NoProgress).await;
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
    Reloaded,
    /// The wall clock was set by so many milliseconds.
    Stepped(i64),
    Cancelled,
}
