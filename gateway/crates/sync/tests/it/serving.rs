//! Streams by themselves. The engine's clock stands still unless a test moves it, so only what is due runs.

use std::sync::Arc;
use std::time::Duration;

use renmen_schema::FailureKind;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_sync::{IngestLimits, Schedule};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, failure};
use crate::world::World;

fn script(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

async fn hourly(vendor: &Arc<Vendor>) -> World {
    let schedule = Schedule::every(Duration::from_secs(3600)).unwrap();
    World::with(script(vendor), IngestLimits::default(), schedule).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_ran_runs_at_once_and_then_waits_for_its_time() {
    let vendor = Vendor::with(25, 10);
    let world = hourly(&vendor).await;
    let cancel = CancellationToken::new();
    let serving = tokio::spawn({
        let (engine, cancel) = (Arc::clone(&world.engine), cancel.clone());
        async move { engine.serve(cancel).await }
    });
    until("a complete run", || world.engine.health()[0].1.last_success_at_ms.is_some()).await;
    until("a next time", || world.engine.health()[0].1.next_run_at_ms.is_some_and(|at| at > 1_000_000)).await;
    let next = world.engine.health()[0].1.next_run_at_ms.unwrap();
    assert!((1_000_000 + 3_600_000..1_000_000 + 3_600_000 + 180_000).contains(&next), "{next}");
    assert_eq!(vendor.asked.lock().len(), 6, "and it ran once");
    cancel.cancel();
    serving.await.unwrap().unwrap();
    assert_eq!(world.engine.health()[0].1.next_run_at_ms, None);
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_waits_after_a_failure_is_tried_at_once_when_other_code_comes() {
    let vendor = Vendor::with(5, 10);
    vendor.failures.lock().push(failure(FailureKind::UpstreamChanged, None, None));
    let world = hourly(&vendor).await;
    let cancel = CancellationToken::new();
    let serving = tokio::spawn({
        let (engine, cancel) = (Arc::clone(&world.engine), cancel.clone());
        async move { engine.serve(cancel).await }
    });
    until("a failed run", || world.engine.health()[0].1.failures == 1).await;
    until("a later time", || world.engine.health()[0].1.next_run_at_ms.is_some_and(|at| at > 1_000_000)).await;
    assert!(vendor.asked.lock().is_empty());
    world.replace(script(&vendor));
    until("a complete run", || world.engine.health()[0].1.last_success_at_ms.is_some()).await;
    cancel.cancel();
    serving.await.unwrap().unwrap();
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_run_goes_on_at_once_after_a_start_although_its_time_has_not_come() {
    let vendor = Vendor::with(25, 10);
    let world = hourly(&vendor).await;
    // A run that is cut after its first page.
    world.replace(script(&vendor).mutating({
        let vendor = Arc::clone(&vendor);
        move |_, cursor| {
            if cursor.is_none() {
                vendor.failures.lock().push(failure(FailureKind::Internal, None, None));
            }
        }
    }));
    let cut = world.run().await;
    assert_eq!(cut.pages, 1);
    let schedule = Schedule::every(Duration::from_secs(3600)).unwrap();
    let (store, dir, clock) = (&world.store, world.dir.path(), &world.clock);
    let fresh = crate::world::engine(store, Arc::new(script(&vendor)), dir, clock, IngestLimits::default(), schedule);
    let cancel = CancellationToken::new();
    let serving = tokio::spawn({
        let (engine, cancel) = (Arc::clone(&fresh), cancel.clone());
        async move { engine.serve(cancel).await }
    });
    until("the rest of the run", || {
        let health = fresh.health().remove(0).1;
        health.running.is_none()
            && health.last_run.is_some_and(|run| run > cut.run)
            && health.last_success_at_ms.is_some()
    })
    .await;
    cancel.cancel();
    serving.await.unwrap().unwrap();
    assert!(!store.stream_state(&crate::world::units()).await.unwrap().mid_run);
    assert_eq!(world.live().await, vendor.truth());
}
