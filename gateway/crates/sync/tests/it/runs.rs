//! What a run does when everything goes well, and what it keeps when the vendor fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use renmen_schema::FailureKind;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::{RunState, RunTrigger};
use renmen_sync::{FailureClass, NoProgress, Progress, ProgressEvent, SyncError};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, failure};
use crate::world::{World, changes_match_revisions, tenant, units};

fn incremental(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_lands_once_with_its_page_its_exchange_and_its_place() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(incremental(&vendor)).await;
    let report = world.run().await;
    assert!(report.completed());
    assert_eq!((report.pages, report.records, report.outcome.created), (3, 25, 25));
    assert_eq!((report.fetched, report.recalled), (6, 0));
    assert_eq!(world.live().await, vendor.truth());
    let slice =
        world.store.records(&tenant(), &renmen_store::RecordQuery { limit: 1, ..Default::default() }).await.unwrap();
    let origin = &slice.items[0].origin;
    assert_eq!((origin.pointer.as_str(), origin.exchange.unwrap().no), ("/items/0", 1));
    assert_eq!((origin.plugin.name.as_str(), origin.plugin.digest.as_str()), ("scripted", "sha256:1"));
    let exchange = world.store.exchange(&tenant(), origin.exchange.unwrap()).await.unwrap().unwrap();
    let opened = renmen_egress::unpack(&exchange.exchange.packed).unwrap();
    assert!(opened.url.contains("/units?after=begin"));
    assert_eq!(exchange.exchange.body_hash, *blake3::hash(&opened.response.body).as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_asks_only_for_what_changed_and_writes_only_that() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(incremental(&vendor)).await;
    world.run().await;
    let report = world.run().await;
    assert_eq!((report.pages, report.records), (1, 0), "one page that says that there is nothing");
    vendor.put("u00003", "renamed");
    let report = world.run().await;
    assert_eq!((report.records, report.outcome.updated, report.outcome.created), (1, 1, 0));
    assert_eq!(world.live().await, vendor.truth());
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_reads_everything_again_and_writes_nothing_that_stayed() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Full, Deletes::None)).await;
    world.run().await;
    vendor.put("u00003", "renamed");
    let report = world.run().await;
    assert_eq!((report.records, report.outcome.unchanged, report.outcome.updated), (25, 24, 1));
    assert_eq!(world.live().await, vendor.truth());
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_comes_back_on_the_next_page_wins_although_the_store_does_not_know_the_first_yet() {
    let vendor = Vendor::with(20, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Full, Deletes::None)).await;
    world.run().await;
    // Page 1 says that u00000 has another name, page 2 repeats the stored one: the last word is the stored name.
    world.replace(Script::new(&vendor, StreamMode::Full, Deletes::None).mutating(|page, cursor| {
        let moved = page.records[0].payload.clone();
        let first = &mut page.records[0];
        if cursor.is_none() {
            first.payload = br#"{"name":{"en":"for a moment"},"kind":{"code":"DEPARTMENT"}}"#.to_vec();
        } else {
            first.external_id = "u00000".to_owned();
            first.payload = moved.clone();
            first.payload = String::from_utf8(moved).unwrap().replace("unit 10", "unit 0").into_bytes();
        }
    }));
    world.run().await;
    assert_eq!(world.live().await["u00000"], "unit 0");
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_in_the_middle_costs_nothing_that_was_read() {
    // F06
    let vendor = Vendor::with(30, 10);
    let world = World::new(incremental(&vendor).mutating({
        let vendor = Arc::clone(&vendor);
        move |_, cursor| {
            if cursor == Some("10") && vendor.asked.lock().len() < 5 {
                vendor.failures.lock().push(failure(FailureKind::RateLimited, Some("90018"), Some(120_000)));
            }
        }
    }))
    .await;
    let report = world.run().await;
    let why = report.failure.clone().unwrap();
    assert_eq!((why.code.as_str(), why.class), ("rate-limited", FailureClass::Wait));
    assert_eq!(why.retry_at_ms, Some(report.ended_at_ms + 120_000), "when the vendor said");
    assert_eq!(report.pages, 2);
    assert_eq!(world.live().await.len(), 20);
    let row = world.store.run(&tenant(), report.run).await.unwrap().unwrap();
    assert_eq!((row.state, row.retry_at_ms), (RunState::Failed, why.retry_at_ms));
    assert!(row.error.unwrap().contains("90018"));
    let health = world.engine.health().remove(0).1;
    assert_eq!((health.failures, health.blocked), (1, false));
    let asked = vendor.asked.lock().len();
    let report = world.run().await;
    assert!(report.completed() && report.resumed);
    assert_eq!(vendor.asked.lock().len() - asked, 2, "only the last page was asked for");
    assert_eq!(world.live().await, vendor.truth());
    assert_eq!(world.engine.health().remove(0).1.failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_wrong_waits_for_a_person() {
    let vendor = Vendor::with(3, 10);
    vendor.failures.lock().push(failure(FailureKind::AuthRequired, None, None));
    let world = World::new(incremental(&vendor)).await;
    let report = world.run().await;
    assert_eq!(report.failure.unwrap().class, FailureClass::Operator);
    assert!(world.engine.health().remove(0).1.blocked);
    assert!(world.run().await.completed(), "by hand it may be tried at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_keeps_what_it_read_and_the_next_goes_on() {
    let vendor = Vendor::with(30, 10);
    let world = World::new(incremental(&vendor)).await;
    let cancel = CancellationToken::new();
    struct StopAfterFirst(CancellationToken);
    impl Progress for StopAfterFirst {
        fn event(&self, event: &ProgressEvent<'_>) {
            if matches!(event, ProgressEvent::Committed { .. }) {
                self.0.cancel();
            }
        }
    }
    let report =
        world.engine.runs().run(&units(), RunTrigger::Manual, cancel.clone(), &StopAfterFirst(cancel)).await.unwrap();
    let stored = world.live().await.len() as u64;
    assert_eq!(stored, report.records);
    if let Some(why) = &report.failure {
        assert_eq!(why.class, FailureClass::Stopped);
    }
    let report = world.run().await;
    assert!(report.completed());
    assert_eq!(world.live().await, vendor.truth());
    let asked = vendor.asked.lock().clone();
    let distinct: std::collections::BTreeSet<_> = asked.iter().collect();
    // The page that was on its way when the run was stopped may come too late to be kept.
    assert!(asked.len() <= distinct.len() + 1, "at most one page was asked for twice: {asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_one_stream_never_overlap() {
    let vendor = Vendor::with(3, 10);
    vendor.hang_after.store(0, Ordering::SeqCst);
    let world = World::new(incremental(&vendor)).await;
    let cancel = CancellationToken::new();
    let run = world.engine.runs().start(&units(), RunTrigger::Manual, cancel.clone()).await.unwrap();
    match world.try_run().await {
        Err(SyncError::Running { run: Some(live) }) => assert_eq!(live, run),
        other => panic!("{:?}", other.map(|report| report.run)),
    }
    assert_eq!(world.engine.health().remove(0).1.running, Some(run));
    cancel.cancel();
    vendor.hang_after.store(usize::MAX, Ordering::SeqCst);
    for _ in 0..2_000 {
        match world.try_run().await {
            Err(SyncError::Running { .. }) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            ended => {
                assert!(ended.unwrap().completed());
                return;
            }
        }
    }
    panic!("the cancelled run never let go of its stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_caller_went_away_does_not_hold_its_stream_until_the_lease_is_over() {
    let vendor = Vendor::with(3, 10);
    vendor.hang_after.store(0, Ordering::SeqCst);
    let world = World::new(incremental(&vendor)).await;
    let key = units();
    tokio::select! {
        biased;
        _ = world.engine.runs().run(&key, RunTrigger::Manual, CancellationToken::new(), &NoProgress) => panic!("it hangs"),
        () = async { while world.engine.health()[0].1.running.is_none() { tokio::task::yield_now().await; } } => {}
    }
    vendor.hang_after.store(usize::MAX, Ordering::SeqCst);
    for _ in 0..2_000 {
        match world.try_run().await {
            Err(SyncError::Running { .. }) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            ended => {
                assert!(ended.unwrap().completed());
                return;
            }
        }
    }
    panic!("the dropped run never let go of its stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_tells_begin_pages_and_end_in_their_order() {
    #[derive(Default)]
    struct Ear(Mutex<Vec<String>>);
    impl Progress for Ear {
        fn event(&self, event: &ProgressEvent<'_>) {
            self.0.lock().push(match event {
                ProgressEvent::Began { resumed, .. } => format!("began {resumed}"),
                ProgressEvent::Committed { page, records, .. } => format!("page {page}: {records}"),
                ProgressEvent::Ended { report } => format!("ended {}", report.completed()),
            });
        }
    }
    let vendor = Vendor::with(15, 10);
    let world = World::new(incremental(&vendor)).await;
    let ear = Ear::default();
    world.engine.runs().run(&units(), RunTrigger::Manual, CancellationToken::new(), &ear).await.unwrap();
    assert_eq!(*ear.0.lock(), ["began false", "page 0: 10", "page 1: 15", "ended true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_file_never_outlives_a_run_that_ended_in_order() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(incremental(&vendor)).await;
    world.run().await;
    assert_eq!(std::fs::read_dir(world.dir.path().join("spool")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_file_of_a_page_that_was_committed_is_never_believed() {
    // As after a kill between the commit and the emptying of the file.
    let vendor = Vendor::with(5, 10);
    let kept = tempfile::tempdir().unwrap();
    let spool = Arc::new(Mutex::new(std::path::PathBuf::new()));
    let script = Script::new(&vendor, StreamMode::Full, Deletes::None).mutating({
        let (spool, kept) = (Arc::clone(&spool), kept.path().to_owned());
        move |_, _| {
            for file in std::fs::read_dir(&*spool.lock()).unwrap().flatten() {
                std::fs::copy(file.path(), kept.join(file.file_name())).unwrap();
            }
        }
    });
    let world = World::new(script).await;
    *spool.lock() = world.dir.path().join("spool");
    world.run().await;
    let mut restored = 0;
    for file in std::fs::read_dir(kept.path()).unwrap().flatten() {
        std::fs::copy(file.path(), spool.lock().join(file.file_name())).unwrap();
        restored += 1;
    }
    assert!(restored > 0, "the page under way was spooled");
    vendor.put("u00001", "renamed");
    world.replace(Script::new(&vendor, StreamMode::Full, Deletes::None));
    let report = world.run().await;
    assert_eq!((report.fetched, report.recalled), (2, 0));
    assert_eq!(world.live().await, vendor.truth());
}
