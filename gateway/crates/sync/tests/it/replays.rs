//! Old pages through another version of the connector.

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_sync::{Difference, DifferenceKind, ReplayReport};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, unit};
use crate::world::{World, changes_match_revisions, units};

fn script(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

async fn replay(world: &World, apply: bool) -> (ReplayReport, Vec<Difference>) {
    let found = Mutex::new(Vec::new());
    let report = world
        .engine
        .replays()
        .stream(&units(), apply, &mut |difference| found.lock().push(difference), &CancellationToken::new())
        .await
        .unwrap();
    (report, found.into_inner())
}

/// Writes the code of every unit whose number ends in 3.
fn coded(item: &Value) -> renmen_plugin_host::Envelope {
    let mut envelope = unit(item);
    if envelope.external_id.ends_with('3') {
        let body = json!({"name": {"en": item["name"]}, "code": "C3", "kind": {"code": "DEPARTMENT"}});
        envelope.payload = serde_json::to_vec(&body).unwrap();
    }
    envelope
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_connector_makes_the_same_records_and_asks_nobody() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(script(&vendor)).await;
    world.run().await;
    vendor.put("u00003", "renamed");
    world.run().await;
    let asked = vendor.asked.lock().len();
    let (report, found) = replay(&world, false).await;
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((report.pages, report.replayed, report.records, report.same), (4, 4, 25, 25));
    assert_eq!(vendor.asked.lock().len(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mapping_lists_exactly_the_records_that_differ_and_writes_nothing_until_asked() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(script(&vendor)).await;
    world.run().await;
    world.replace(script(&vendor).mapping("sha256:2", coded));
    let (report, found) = replay(&world, false).await;
    let ids: Vec<_> = found.iter().map(|difference| difference.external_id.as_str()).collect();
    assert_eq!(ids, ["u00023", "u00013", "u00003"]);
    assert!(found.iter().all(|difference| difference.kind == DifferenceKind::Changed && difference.record.is_some()));
    assert_eq!(found[0].fields.len(), 1);
    assert_eq!(found[0].fields[0].pointer, "/code");
    assert_eq!((report.same, report.applied), (22, None));
    let before = world.store.changes(&crate::world::tenant(), 0, None, 1_000).await.unwrap().len();
    assert_eq!(before, 25, "nothing was written");
    let (report, _) = replay(&world, true).await;
    assert_eq!(report.applied.unwrap().updated, 3);
    changes_match_revisions(world.store.as_ref()).await;
    let (report, found) = replay(&world, false).await;
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(report.pages, 3, "the pages that the replay wrote are not replayed");
    vendor.put("u00004", "renamed");
    assert!(world.run().await.completed(), "the cursor stayed where it was");
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_missing_or_extra_now_is_told_apart() {
    let vendor = Vendor::with(12, 10);
    let world = World::new(script(&vendor)).await;
    world.run().await;
    world.replace(script(&vendor).mapping("sha256:2", |item| {
        let mut envelope = unit(item);
        match envelope.external_id.as_str() {
            "u00001" => envelope.payload = b"{}".to_vec(),
            "u00002" => envelope.external_id = "other".to_owned(),
            "u00003" => envelope.deleted = true,
            _ => {}
        }
        envelope
    }));
    let (report, found) = replay(&world, false).await;
    let mut kinds: Vec<_> = found.iter().map(|difference| (difference.external_id.as_str(), difference.kind)).collect();
    kinds.sort_by_key(|(id, _)| *id);
    let wanted = [
        ("other", DifferenceKind::Extra),
        ("u00001", DifferenceKind::Refused),
        ("u00002", DifferenceKind::Missing),
        ("u00003", DifferenceKind::Deleted),
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(report.same, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_asks_for_something_else_now_cannot_be_replayed_and_says_so() {
    let vendor = Vendor::with(12, 10);
    let world = World::new(script(&vendor)).await;
    world.run().await;
    world.replace(script(&vendor).asking("v2/units"));
    let asked = vendor.asked.lock().len();
    let (report, found) = replay(&world, false).await;
    assert_eq!((report.pages, report.replayed, report.not_recorded, report.failed), (2, 0, 2, 0));
    assert!(found.is_empty(), "nothing is called missing that could not be looked for");
    assert_eq!(vendor.asked.lock().len(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_record_is_taken_in_once_the_connector_makes_it_well() {
    let vendor = Vendor::with(12, 10);
    let world = World::new(script(&vendor).mutating(|page, cursor| {
        if cursor.is_none() {
            page.records[4].payload = br#"{"name":7,"kind":{"code":"DEPARTMENT"}}"#.to_vec();
        }
    }))
    .await;
    world.run().await;
    let id = world.quarantined().await[0].id;
    let still = world.engine.quarantine().retry(&crate::world::tenant(), id).await.unwrap();
    assert!(matches!(still, renmen_sync::RetryOutcome::Still { code, .. } if code == "schema"));
    assert_eq!(world.quarantined().await[0].attempts, 1);
    world.replace(script(&vendor));
    let taken = world.engine.quarantine().retry(&crate::world::tenant(), id).await.unwrap();
    assert!(matches!(taken, renmen_sync::RetryOutcome::Accepted(outcome) if outcome.created == 1));
    assert!(world.quarantined().await.is_empty());
    assert_eq!(world.live().await, vendor.truth());
    let gone = world.engine.quarantine().retry(&crate::world::tenant(), id).await;
    assert!(matches!(gone, Err(renmen_sync::SyncError::UnknownQuarantine(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_unchanged_vendor_answers_again_is_kept_once_and_replays_as_it_came() {
    let vendor = Vendor::with(2_000, 2_000);
    let world = World::new(Script::new(&vendor, StreamMode::Full, Deletes::Diff)).await;
    let kept = || async { world.store.disk_use(&crate::world::tenant()).await.unwrap()[0].exchanges_bytes };
    world.run().await;
    let first = kept().await;
    assert!(first > 3_000, "a body that is worth it: {first}");
    for _ in 0..3 {
        world.run().await;
    }
    let more = kept().await - first;
    assert!(more < first, "three pulls more: {more} on {first}");
    let (report, found) = replay(&world, false).await;
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((report.pages, report.replayed), (4, 4));
}
