//! Two engines over one store, as two gateways are, and connections that change under an engine.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::{RunState, RunTrigger};
use renmen_sync::{ConnectionRuntime, Engine, IngestLimits, Schedule, StreamPlan};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor};
use crate::world::{World, connection, engine, tenant, units};

const HOUR_MS: i64 = 3_600_000;

fn script(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

fn hourly() -> Schedule {
    Schedule::every(Duration::from_secs(3600)).unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..10_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

fn serve(engine: &Arc<Engine>, cancel: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let (engine, cancel) = (Arc::clone(engine), cancel.clone());
    tokio::spawn(async move { engine.serve(cancel).await.unwrap() })
}

async fn ended_runs(world: &World) -> usize {
    let runs = world.store.runs(&tenant(), None, 1_000).await.unwrap();
    runs.iter().filter(|run| run.state == RunState::Completed).count()
}

/// The connection with another schedule, or another limit.
fn runtime(vendor: &Arc<Vendor>, schedule: Schedule) -> Arc<ConnectionRuntime> {
    let plans = [("units".parse().unwrap(), StreamPlan { schedule, enabled: true })].into();
    let made = ConnectionRuntime::new(tenant(), connection(), Arc::new(script(vendor)), plans, IngestLimits::default());
    Arc::new(made.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_one_pulls_a_stream_that_is_due_and_the_other_waits_for_the_next_time() {
    let vendor = Vendor::with(5, 10);
    let world = World::with(script(&vendor), IngestLimits::default(), hourly()).await;
    let other = engine(
        &world.store,
        Arc::new(script(&vendor)),
        world.dir.path(),
        &world.clock,
        IngestLimits::default(),
        hourly(),
    );
    let cancel = CancellationToken::new();
    let both = [serve(&world.engine, &cancel), serve(&other, &cancel)];
    // The clock stands still but for what the test moves; a loop that naps is woken to look at it.
    let both_wait = async || {
        until("both wait for the next hour", async || {
            world.clock.forward(1_000);
            let engines = [&world.engine, &other];
            engines.iter().for_each(|engine| engine.replace_connections(engine.connections()));
            let soon = world.engine.now_ms() + HOUR_MS / 2;
            engines.iter().all(|engine| engine.health()[0].1.next_run_at_ms.is_some_and(|at| at > soon))
        })
        .await;
    };
    for round in 1..=5 {
        until("a run of this hour", async || ended_runs(&world).await >= round).await;
        both_wait().await;
        world.clock.forward(2 * HOUR_MS);
        both_wait().await;
    }
    assert_eq!(ended_runs(&world).await, 6, "each hour once");
    cancel.cancel();
    for one in both {
        one.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_added_runs_one_that_is_changed_follows_its_schedule_and_one_that_is_gone_ends() {
    let vendor = Vendor::with(5, 10);
    let world = World::new(script(&vendor)).await;
    let cancel = CancellationToken::new();
    let serving = serve(&world.engine, &cancel);
    world.engine.replace_connections([]);
    assert!(world.engine.connection(&tenant(), &connection()).is_err());
    let gone = world.engine.runs().run(&units(), RunTrigger::Manual, cancel.clone(), &renmen_sync::NoProgress).await;
    assert!(gone.is_err(), "a connection that is not there");

    world.engine.replace_connections([runtime(&vendor, hourly())]);
    until("an added stream runs", async || ended_runs(&world).await == 1).await;
    let next = async |at_least: i64, at_most: i64| {
        until("its next time", async || {
            let next = world.engine.health()[0].1.next_run_at_ms;
            next.is_some_and(|at| (1_000_000 + at_least..=1_000_000 + at_most).contains(&at))
        })
        .await;
    };
    next(HOUR_MS, HOUR_MS + HOUR_MS / 10).await;
    let daily = Schedule::every(Duration::from_secs(24 * 3600)).unwrap();
    world.engine.replace_connections([runtime(&vendor, daily)]);
    next(24 * HOUR_MS, 27 * HOUR_MS).await;
    world.engine.replace_connections([runtime(&vendor, Schedule::Manual)]);
    until("by hand only", async || world.engine.health()[0].1.next_run_at_ms.is_none()).await;
    world.engine.replace_connections([runtime(&vendor, hourly())]);
    next(HOUR_MS, HOUR_MS + HOUR_MS / 10).await;
    assert_eq!(ended_runs(&world).await, 1);
    cancel.cancel();
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_connection_that_is_taken_away_is_stopped_and_one_of_a_changed_one_goes_on() {
    let vendor = Vendor::with(25, 10);
    vendor.hang_after.store(2, Ordering::SeqCst);
    let world = World::new(script(&vendor)).await;
    let begin = async || {
        let runs = world.engine.runs();
        runs.start(&units(), RunTrigger::Manual, CancellationToken::new()).await.unwrap()
    };
    let state = async |run| world.store.run(&tenant(), run).await.unwrap().unwrap().state;
    let run = begin().await;
    until("it waits for its vendor", async || vendor.hung.load(Ordering::SeqCst)).await;
    world.engine.replace_connections([runtime(&vendor, hourly())]);
    tokio::task::yield_now().await;
    assert_eq!(state(run).await, RunState::Running, "it ends as it began");
    world.engine.replace_connections([]);
    until("it is stopped", async || state(run).await == RunState::Failed).await;
    let stopped = world.store.run(&tenant(), run).await.unwrap().unwrap();
    assert!(stopped.error.is_some_and(|error| error.starts_with("stopped")), "it says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_changes_leave_as_many_tasks_as_one() {
    let vendor = Vendor::with(5, 10);
    let world = World::with(script(&vendor), IngestLimits::default(), hourly()).await;
    let cancel = CancellationToken::new();
    let serving = serve(&world.engine, &cancel);
    until("a run", async || ended_runs(&world).await == 1).await;
    let waits = async || {
        until("it waits", async || {
            let health = world.engine.health().remove(0).1;
            health.running.is_none() && health.next_run_at_ms.is_some_and(|at| at > 1_000_000)
        })
        .await;
    };
    waits().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for round in 0..100 {
        let seconds = 3600 + u64::from(round % 2 == 0);
        world.engine.replace_connections([runtime(&vendor, Schedule::every(Duration::from_secs(seconds)).unwrap())]);
        tokio::task::yield_now().await;
    }
    world.engine.replace_connections([]);
    world.engine.replace_connections([runtime(&vendor, hourly())]);
    waits().await;
    until("no task is left over", async || tasks() <= before).await;
    cancel.cancel();
    serving.await.unwrap();
}
