//! What is gone: said by the vendor, or found by a listing that was complete.

use std::sync::Arc;

use renmen_plugin_host::{Coverage, RunFinding, RunOmission};
use renmen_schema::Remedy;
use renmen_schema::manifest::{Deletes, StreamMode};

use crate::vendor::{Script, Vendor, reject};
use crate::world::{World, changes_match_revisions, tenant};
use renmen_store::RunState;
use renmen_sync::{IngestLimits, Schedule};

fn full(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Full, Deletes::Diff)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_complete_listing_leaves_out_is_gone_and_what_comes_back_lives_again() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    vendor.remove("u00007");
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.outcome.unchanged), (1, 24));
    assert_eq!(world.live().await, vendor.truth());
    vendor.put("u00007", "unit 7");
    world.run().await;
    assert_eq!(world.live().await, vendor.truth());
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_was_only_of_changes_deletes_nobody() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    vendor.remove("u00007");
    world.replace(full(&vendor).mutating(|page, _| page.coverage = Coverage::Changes));
    assert_eq!(world.run().await.outcome.deleted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_listed_but_bad_is_not_gone() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    world.replace(full(&vendor).mutating(|page, cursor| {
        if cursor.is_none() {
            page.records[3].payload = b"{}".to_vec();
        }
    }));
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.outcome.quarantined), (0, 1));
    assert_eq!(world.live().await.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_without_an_id_could_be_any_so_none_is_called_gone() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    vendor.remove("u00007");
    world.replace(full(&vendor).mutating(|page, cursor| {
        if cursor == Some("u00010") {
            page.rejects.push(reject(None));
        }
    }));
    assert_eq!(world.run().await.outcome.deleted, 0);
    world.replace(full(&vendor));
    assert_eq!(world.run().await.outcome.deleted, 1, "the next complete listing tells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_lists_nobody_deletes_nobody() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    world.replace(full(&vendor).mutating(|page, _| {
        page.records.clear();
        page.has_more = false;
    }));
    let report = world.run().await;
    assert!(report.completed());
    assert_eq!(report.outcome.deleted, 0);
    assert_eq!(world.live().await.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_the_vendor_states_is_a_tombstone_once() {
    let vendor = Vendor::with(3, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Full, Deletes::Explicit)).await;
    world.run().await;
    let gone = || {
        Script::new(&vendor, StreamMode::Full, Deletes::Explicit).mutating(|page, _| {
            page.records[1].deleted = true;
            page.records[1].payload.clear();
        })
    };
    world.replace(gone());
    assert_eq!(world.run().await.outcome.deleted, 1);
    assert_eq!(world.run().await.outcome.deleted, 0);
    assert_eq!(world.live().await.len(), 2);
    changes_match_revisions(world.store.as_ref()).await;
}

fn unread(part: &str) -> RunFinding {
    RunFinding {
        part: part.to_owned(),
        code: "60003".to_owned(),
        message: "the vendor refuses this department".to_owned(),
        needs: Remedy::Operator,
        missing: true,
    }
}

/// Lists the first page alone, as a narrowed right or a filter left on would.
fn only_first(vendor: &Arc<Vendor>) -> Script {
    full(vendor).mutating(|page, _| page.has_more = false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_shrinks_too_much_is_held_told_and_approved() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    world.replace(only_first(&vendor));
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.outcome.held, report.findings), (0, 15, 1));
    assert_eq!((report.told[0].code.as_str(), report.told[0].needs), ("sweep_held", Remedy::Operator));
    assert!(report.told[0].message.contains(&format!("renmen sweep approve {}", report.run)), "{:?}", report.told);
    assert_eq!(world.live().await.len(), 25);
    let row = world.store.run(&tenant(), report.run).await.unwrap().unwrap();
    assert_eq!(row.state, RunState::CompletedWithFindings);
    let health = world.engine.health().into_iter().next().unwrap().1;
    assert_eq!((health.findings, health.failures), (1, 0));
    world.store.release_sweep(&tenant(), report.run, "ann", 2_000_000).await.unwrap();
    assert_eq!(world.live().await.len(), 10);
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brake_is_where_the_limits_put_it() {
    let vendor = Vendor::with(25, 10);
    for (records, ratio, deleted) in [(15, 0.0, 15), (14, 0.0, 0), (0, 0.6, 15), (0, 0.59, 0), (0, 1.0, 15)] {
        let limits = IngestLimits { deletes_records_max: records, deletes_ratio_max: ratio, ..IngestLimits::default() };
        let world = World::with(full(&vendor), limits, Schedule::Manual).await;
        world.run().await;
        world.replace(only_first(&vendor));
        assert_eq!(world.run().await.outcome.deleted, deleted, "{records} records, {ratio}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_be_read_is_told_the_rest_comes_in_and_nothing_is_taken_for_deleted() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    vendor.put("u00003", "unit 3, renamed");
    vendor.remove("u00007");
    world.replace(full(&vendor).mutating(|page, cursor| {
        if cursor.is_none() {
            page.findings.push(unread("department 7"));
        }
    }));
    let report = world.run().await;
    assert_eq!((report.outcome.updated, report.outcome.deleted, report.outcome.held), (1, 0, 0));
    assert_eq!((report.findings, report.told[0].part.as_str()), (1, "department 7"));
    let notes = world.store.run_notes(&tenant(), report.run).await.unwrap();
    assert_eq!(notes.findings, report.told);
    world.replace(full(&vendor));
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.findings), (1, 0), "the next complete listing tells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_not_read_before_a_run_was_cut_is_still_missing_when_the_next_one_goes_on() {
    let vendor = Vendor::with(25, 10);
    let limits = IngestLimits { pages_max: 1, ..IngestLimits::default() };
    let world = World::with(full(&vendor), limits, Schedule::Manual).await;
    while !world.run().await.completed() {}
    vendor.remove("u00017");
    world.replace(full(&vendor).mutating(|page, cursor| {
        if cursor.is_none() {
            page.findings.push(unread("department 7"));
        }
    }));
    let mut deleted = 0;
    loop {
        let report = world.run().await;
        deleted += report.outcome.deleted;
        if report.completed() {
            break;
        }
    }
    assert_eq!(deleted, 0);
    assert_eq!(world.live().await.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_shorter_than_the_vendor_says_deletes_nothing() {
    let vendor = Vendor::with(25, 10);
    let world = World::new(full(&vendor)).await;
    world.run().await;
    vendor.remove("u00007");
    world.replace(full(&vendor).mutating(|page, _| page.total = Some(25)));
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.total), (0, Some(25)));
    assert_eq!(report.told[0].code, "short_listing");
    world.replace(full(&vendor).mutating(|page, cursor| {
        page.total = Some(25);
        if cursor.is_none() {
            let rule = "total_rows".to_owned();
            page.omissions.push(RunOmission { part: String::new(), rule, count: 1, places: Vec::new() });
        }
    }));
    let report = world.run().await;
    assert_eq!((report.outcome.deleted, report.omitted, report.findings), (1, 1, 0), "24 listed, one left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_over_their_limit_are_counted() {
    let vendor = Vendor::with(5, 10);
    let limits = IngestLimits { findings_max: 2, ..IngestLimits::default() };
    let many = |page: &mut renmen_plugin_host::Page, _: Option<&str>| {
        page.findings.extend((0..5).map(|n| unread(&n.to_string())));
    };
    let world = World::with(full(&vendor).mutating(many), limits, Schedule::Manual).await;
    let report = world.run().await;
    let codes: Vec<_> = report.told.iter().map(|found| found.code.as_str()).collect();
    assert_eq!((report.findings, codes), (6, vec!["60003", "60003", "findings_max"]));
}
