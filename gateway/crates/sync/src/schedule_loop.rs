//! The streams by themselves: each in its own loop, none faster than its schedule, each in its turn. Which loops there are follows the
//! connections: others may be put in their place at any time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::StreamKey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::intake::RefreshReader;
use crate::shared::Shared;
use crate::stream_loop::{EndedLoop, StreamLoop, StreamNews, plan_of};
use crate::{ConnectionRuntime, Deliveries, Runs, listen, retention, spool};

/// Looks at what other gateways have left behind, in the time of a lease.
const LOOKS: u32 = 6;
/// How often it is looked, while streams stand in line here, which of them other gateways read meanwhile.
const LINE_LOOK: Duration = Duration::from_secs(1);

/// Starts the loops: one for each stream with a schedule, one for what is to be read again, one for each held connection.
pub(crate) struct Scheduler {
    shared: Arc<Shared>,
    runs: Runs,
    deliveries: Deliveries,
    refreshes: RefreshReader,
}

/// A connection on which a vendor sends its events, held open.
struct Held {
    connection: Arc<ConnectionRuntime>,
    leave: CancellationToken,
    /// Cancelled when it has been let go.
    gone: CancellationToken,
}

/// Loops that are under way.
#[derive(Default)]
struct Loops {
    tasks: JoinSet<Option<EndedLoop>>,
    /// Of each stream: told what other gateways do with it.
    streams: BTreeMap<StreamKey, Arc<StreamNews>>,
    held: BTreeMap<(TenantId, ConnectionName), Held>,
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
        let mut changes = self.shared.connections.changes();
        let mut loops = Loops::default();
        let refreshes = self.refreshes.clone().serve(cancel.clone());
        loops.tasks.spawn(async move {
            refreshes.await;
            None
        });
        let retention = retention::keep_within_age(Arc::clone(&self.shared), cancel.clone());
        loops.tasks.spawn(async move {
            retention.await;
            None
        });
        let mut looks = tokio::time::interval(self.shared.options.lease / LOOKS);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let is_shared = self.shared.store.is_shared();
        let mut line_looks = tokio::time::interval(LINE_LOOK);
        line_looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !cancel.is_cancelled() {
            changes.mark_unchanged();
            self.follow_connections(&mut loops, &cancel);
            tokio::select! {
                () = cancel.cancelled() => {}
                Ok(()) = changes.changed() => {}
                Some(ended) = loops.tasks.join_next() => self.take_ended(&mut loops, ended),
                _ = looks.tick(), if is_shared => self.look_for_left_runs(&loops).await,
                _ = line_looks.tick(), if is_shared => self.look_who_reads(&loops).await,
            }
        }
        while let Some(ended) = loops.tasks.join_next().await {
            self.take_ended(&mut loops, ended);
        }
    }

    /// A loop that ended because its connection changed is begun again where it is wanted; one whose schedule never comes true again is
    /// not.
    fn take_ended(&self, loops: &mut Loops, ended: Result<Option<EndedLoop>, tokio::task::JoinError>) {
        match ended {
            Ok(Some(EndedLoop { key, changes })) => {
                let connection = self.shared.connection(&key.tenant, &key.connection);
                let is_planned = connection.is_ok_and(|connection| plan_of(&connection, &key.stream).is_some());
                if !is_planned || changes != *self.shared.connections.changes().borrow() {
                    loops.streams.remove(&key);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "A loop of the engine ended with a panic"),
        }
    }

    /// Begins what is missing, and lets go of what is another connection by now. A loop of a stream that is gone ends by itself.
    fn follow_connections(&self, loops: &mut Loops, cancel: &CancellationToken) {
        let connections = self.shared.connections.all();
        for connection in connections.values() {
            for stream in connection.streams().keys() {
                let key = connection.key(stream);
                if loops.streams.contains_key(&key) || plan_of(connection, stream).is_none() {
                    continue;
                }
                let news = Arc::new(StreamNews::default());
                let own = StreamLoop::new(&self.shared, &self.runs, key.clone(), Arc::clone(&news));
                loops.streams.insert(key, news);
                loops.tasks.spawn(own.go(cancel.clone()));
            }
        }
        loops.held.retain(|key, held| {
            let stays = connections.get(key).is_some_and(|now| Arc::ptr_eq(now, &held.connection));
            if !stays {
                held.leave.cancel();
            }
            // One that is let go is waited for by the one that takes its place.
            stays || !held.gone.is_cancelled()
        });
        for (key, connection) in connections.iter().filter(|(_, connection)| connection.event_socket()) {
            let before = loops.held.get(key);
            if before.is_some_and(|held| Arc::ptr_eq(&held.connection, connection)) {
                continue;
            }
            let before = before.map(|held| held.gone.clone());
            let held = self.hold_open(&mut loops.tasks, connection, before, cancel);
            loops.held.insert(key.clone(), held);
        }
    }

    fn hold_open(
        &self,
        tasks: &mut JoinSet<Option<EndedLoop>>,
        connection: &Arc<ConnectionRuntime>,
        before: Option<CancellationToken>,
        cancel: &CancellationToken,
    ) -> Held {
        let (leave, gone) = (cancel.child_token(), CancellationToken::new());
        let open = listen::hold_in_turn(
            Arc::clone(&self.shared),
            self.deliveries.clone(),
            Arc::clone(connection),
            leave.clone(),
        );
        let end = gone.clone().drop_guard();
        tasks.spawn(async move {
            let _end = end;
            if let Some(before) = before {
                before.cancelled().await;
            }
            open.await;
            None
        });
        Held { connection: Arc::clone(connection), leave, gone }
    }

    /// Tells the loops of streams whose run was left by its gateway. A store that is away is asked again.
    async fn look_for_left_runs(&self, loops: &Loops) {
        match self.shared.store.expired_runs(self.shared.now_ms()).await {
            Ok(left) => left.iter().filter_map(|key| loops.streams.get(key)).for_each(|news| news.left.notify_one()),
            Err(error) => tracing::debug!(%error, "Failed to look for runs that their gateway left"),
        }
    }

    /// Tells the loops that stand in line for a stream that another gateway reads meanwhile: they leave, so that no run of this gateway
    /// gives its place up for one that would not begin.
    async fn look_who_reads(&self, loops: &Loops) {
        if !self.runs.are_waited_for() {
            return;
        }
        match self.shared.store.runs_elsewhere(self.shared.now_ms()).await {
            Ok(keys) => {
                for news in keys.iter().filter_map(|key| loops.streams.get(key)) {
                    news.taken.notify_waiters();
                }
            }
            Err(error) => tracing::debug!(%error, "Failed to look which streams other gateways read"),
        }
    }
}
