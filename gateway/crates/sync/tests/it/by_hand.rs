//! What a person asks: checks, resets, names that are wrong.

use renmen_schema::FailureKind;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::RunTrigger;
use renmen_sync::{IngestLimits, Schedule, SyncError};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, failure};
use crate::world::{World, connection, tenant, units};

#[tokio::test(flavor = "multi_thread")]
async fn a_check_shows_one_page_of_each_stream_and_writes_nothing() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None).mutating(|page, _| {
        page.records[0].payload = b"{}".to_vec();
    }))
    .await;
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert!(!report.passed(), "a refused record is worth a look");
    let stream = &report.streams[0];
    assert_eq!((stream.records, stream.refused, stream.has_more), (10, 1, true));
    assert_eq!((stream.defects[0].code.as_str(), stream.entities["org_unit"]), ("schema", 9));
    assert!(report.probe[0].ok);
    assert!(world.live().await.is_empty());
    assert!(world.store.stream_state(&units()).await.unwrap().cursor.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_declared_is_told_by_a_check_and_not_asked_for() {
    let vendor = Vendor::with(5, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None)).await;
    let script = std::sync::Arc::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None));
    let none = Default::default();
    let undeclared =
        renmen_sync::ConnectionRuntime::new(tenant(), connection(), script, none, IngestLimits::default()).unwrap();
    let engine = renmen_sync::Engine::new(std::sync::Arc::clone(&world.store), vec![undeclared], Default::default());
    let report = engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert!(report.passed() && report.streams.is_empty());
    assert_eq!(report.undeclared, ["units".parse().unwrap()]);
    assert!(vendor.asked.lock().is_empty(), "nothing was asked for");
    // Declared, it is looked at.
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert_eq!((report.streams.len(), report.undeclared.len()), (1, 0));
    assert!(!vendor.asked.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_lists_what_the_grant_refused() {
    let vendor = Vendor::with(3, 10);
    vendor.failures.lock().push(failure(FailureKind::NotGranted, None, None));
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None)).await;
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert_eq!(report.grant_misses, ["scripted"]);
    assert_eq!(report.streams[0].failure.as_ref().unwrap().code, "not-granted");
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert!(report.passed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_stream_reads_everything_again_and_doubles_nothing() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None)).await;
    world.run().await;
    world.engine.runs().reset(&units()).await.unwrap();
    let report = world.run().await;
    assert_eq!((report.records, report.outcome.unchanged), (25, 25));
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_limits_that_are_wrong_are_told_with_what_there_is() {
    let vendor = Vendor::with(1, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None)).await;
    let stranger = world.engine.key(&"other".parse().unwrap(), &connection(), &"units".parse().unwrap());
    assert!(matches!(stranger, Err(SyncError::UnknownConnection(_))), "another tenant's connection is not there");
    let error = world.engine.key(&tenant(), &connection(), &"people".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("it has `units`"), "{error}");
    let script = || std::sync::Arc::new(Script::new(&vendor, StreamMode::Full, Deletes::None));
    let limits = IngestLimits { quarantine_ratio_max: 1.5, ..IngestLimits::default() };
    let wrong = renmen_sync::ConnectionRuntime::new(tenant(), connection(), script(), Default::default(), limits);
    assert!(matches!(wrong, Err(SyncError::BadOption(text)) if text.english().contains("quarantine_ratio_max")));
    let limits = IngestLimits { cursor_bytes_max: 1 << 20, ..IngestLimits::default() };
    let wrong = renmen_sync::ConnectionRuntime::new(tenant(), connection(), script(), Default::default(), limits);
    assert!(matches!(wrong, Err(SyncError::BadOption(text)) if text.english().contains("cursor_bytes_max")));
    let plan = renmen_sync::StreamPlan { schedule: Schedule::Manual, enabled: false };
    let plans = [("units".parse().unwrap(), plan)].into();
    let off =
        renmen_sync::ConnectionRuntime::new(tenant(), connection(), script(), plans, IngestLimits::default()).unwrap();
    let engine = renmen_sync::Engine::new(std::sync::Arc::clone(&world.store), vec![off], Default::default());
    let run = engine.runs().run(&units(), RunTrigger::Manual, CancellationToken::new(), &renmen_sync::NoProgress).await;
    assert!(matches!(run, Err(SyncError::Disabled { .. })));
}
