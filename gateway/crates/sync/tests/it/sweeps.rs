//! What is gone: said by the vendor, or found by a listing that was complete.

use std::sync::Arc;

use renmen_plugin_host::Coverage;
use renmen_schema::manifest::{Deletes, StreamMode};

use crate::vendor::{Script, Vendor, reject};
use crate::world::{World, changes_match_revisions};

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
