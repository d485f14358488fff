//! Records, pages and cursors that are wrong: what is good lands, what is bad waits, nothing is lost.

use std::sync::Arc;

use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_sync::{IngestLimits, Schedule};

use crate::vendor::{Script, Vendor, reject};
use crate::world::{World, changes_match_revisions};

fn script(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_wait_with_a_stable_code_and_their_bytes_and_the_rest_lands() {
    // F07
    let vendor = Vendor::with(40, 100);
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("schema", br#"{"name":5,"kind":{"code":"DEPARTMENT"}}"#.to_vec()),
        ("schema", br#"{"kind":{"code":"DEPARTMENT"}}"#.to_vec()),
        ("schema", br#"{"name":{"en":"x"},"kind":{"code":"DEPARTMENT"},"surprise":1}"#.to_vec()),
        ("schema", br#"{"name":{"en":"x"},"name":{"en":"y"},"kind":{"code":"DEPARTMENT"}}"#.to_vec()),
        ("schema", br#"{"name":{"en":"x"},"kind":{"code":"DEPARTMENT"},"position":1e400}"#.to_vec()),
        ("any", deep.into_bytes()),
        ("any", b"\xff\xfe".to_vec()),
        ("any", b"{".to_vec()),
        ("any", br#"{"name":{"en":"a\u0000b"},"kind":{"code":"DEPARTMENT"}}"#.to_vec()),
        ("record_bytes_max", vec![b' '; 2 << 20]),
    ];
    let wanted = cases.clone();
    let world = World::new(script(&vendor).mutating(move |page, _| {
        for (record, (_, payload)) in page.records.iter_mut().zip(&cases) {
            record.payload.clone_from(payload);
        }
    }))
    .await;
    let report = world.run().await;
    assert!(report.completed(), "{:?}", report.failure);
    assert_eq!((report.outcome.created, report.outcome.quarantined), (30, 10));
    let kept = world.quarantined().await;
    for (at, (code, payload)) in wanted.iter().enumerate() {
        let row = kept.iter().find(|row| row.item.external_id.as_deref() == Some(&format!("u{at:05}"))).unwrap();
        assert_eq!(&row.item.raw, payload);
        assert!(*code == "any" || row.item.code == *code, "{at}: {} {}", row.item.code, row.item.reason);
        assert!(!row.item.reason.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_is_wrong_is_refused_for_what_is_wrong_with_it() {
    let vendor = Vendor::with(40, 100);
    let world = World::new(script(&vendor).mutating(|page, _| {
        page.records[0].external_id = String::new();
        page.records[1].external_id = "x".repeat(513);
        page.records[2].external_id = "a\0b".to_owned();
        page.records[3].entity = "employee".to_owned();
        page.records[4].exchange = 2;
        page.records[5].pointer = "/".repeat(2_000);
        page.records[6].updated_at_ms = Some(i64::MAX);
        page.records[7].external_id = "x".repeat(512);
        page.rejects.push(reject(Some("r1")));
        page.rejects.push(reject(None));
    }))
    .await;
    let report = world.run().await;
    assert!(report.completed());
    let mut codes: Vec<_> = world.quarantined().await.into_iter().map(|row| row.item.code).collect();
    codes.sort();
    let wanted = [
        "bad_exchange",
        "bad_external_id",
        "bad_updated_at",
        "connector",
        "connector",
        "external_id_bytes_max",
        "missing_external_id",
        "pointer_bytes_max",
        "undeclared_entity",
    ];
    assert_eq!(codes, wanted);
    assert_eq!(report.outcome.created, 33, "an id of 512 bytes is still one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_mostly_bad_stops_the_run_before_its_cursor_moves() {
    let vendor = Vendor::with(60, 30);
    let broken = |page: &mut renmen_plugin_host::Page, cursor: Option<&str>| {
        if cursor.is_some() {
            page.records.iter_mut().take(16).for_each(|record| record.payload = b"{}".to_vec());
        }
    };
    let world = World::new(script(&vendor).mutating(broken)).await;
    let report = world.run().await;
    let why = report.failure.unwrap();
    assert_eq!(why.code, "quarantine_ratio_max");
    assert!(why.message.contains("16 of the 30 records of page 2"), "{}", why.message);
    assert_eq!(world.live().await.len(), 30, "the page before is kept");
    assert!(world.quarantined().await.is_empty(), "nothing of the bad page is committed");
    world.replace(script(&vendor));
    assert!(world.run().await.completed());
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_two_with_the_same_id_in_a_page_wins() {
    let vendor = Vendor::with(3, 10);
    let world = World::new(script(&vendor)).await;
    world.run().await;
    vendor.put("u00001", "second");
    vendor.put("u00002", "stays away");
    world.replace(script(&vendor).mutating(|page, _| {
        // First the new name, then the one that the store holds.
        page.records[1].external_id = "u00001".to_owned();
        page.records[1].payload = br#"{"name":{"en":"unit 1"},"kind":{"code":"DEPARTMENT"}}"#.to_vec();
    }));
    world.run().await;
    assert_eq!(world.live().await["u00001"], "unit 1");
    changes_match_revisions(world.store.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_goes_round_in_circles_is_found_and_what_it_gave_is_kept() {
    // F08
    let vendor = Vendor::with(30, 10);
    let world = World::new(script(&vendor).mutating(|page, cursor| {
        if cursor == Some("10") {
            page.next = Some("10".to_owned());
        }
    }))
    .await;
    let report = world.run().await;
    let why = report.failure.unwrap();
    assert_eq!(why.code, "cursor_loop");
    assert_eq!(report.pages, 4, "one page, and the same page three times");
    assert_eq!(world.live().await.len(), 20);
    assert_eq!(report.outcome.created, 20, "nothing is doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_repeated_once_by_the_vendor_is_no_reason_to_stop() {
    // F08
    let vendor = Vendor::with(30, 10);
    let repeated = std::sync::atomic::AtomicBool::new(false);
    let world = World::new(script(&vendor).mutating(move |page, cursor| {
        if cursor == Some("10") && !repeated.swap(true, std::sync::atomic::Ordering::SeqCst) {
            page.next = Some("10".to_owned());
        }
    }))
    .await;
    assert!(world.run().await.completed());
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_with_a_next_cursor_are_walked_through_up_to_a_number() {
    // F08
    let empty = |page: &mut renmen_plugin_host::Page, cursor: Option<&str>| {
        let at: u64 = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        if at < 1_005 {
            page.records.clear();
            (page.next, page.has_more) = (Some((at + if at == 0 { 1_001 } else { 1 }).to_string()), true);
        }
    };
    let limits = IngestLimits { empty_pages_max: 5, ..IngestLimits::default() };
    let vendor = Vendor::with(3, 10);
    let world = World::with(script(&vendor).mutating(empty), limits, Schedule::Manual).await;
    assert!(world.run().await.completed(), "five empty pages are allowed");
    let limits = IngestLimits { empty_pages_max: 4, ..IngestLimits::default() };
    let world = World::with(script(&vendor).mutating(empty), limits, Schedule::Manual).await;
    assert_eq!(world.run().await.failure.unwrap().code, "empty_pages_max");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_without_a_cursor_to_ask_with_is_refused_and_the_cursor_stays() {
    let vendor = Vendor::with(30, 10);
    let world = World::new(script(&vendor).mutating(|page, cursor| {
        if cursor == Some("10") {
            page.next = None;
        }
    }))
    .await;
    let report = world.run().await;
    assert_eq!((report.failure.unwrap().code.as_str(), report.pages), ("bad_cursor", 1));
    world.replace(script(&vendor));
    assert!(world.run().await.completed());
    assert_eq!(world.live().await, vendor.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_moves_behind_the_cursor_while_pages_are_read_is_not_lost() {
    // F08: an update while paging, and a tie across a page edge by way of its new position.
    let vendor = Vendor::with(30, 10);
    let moved = std::sync::atomic::AtomicUsize::new(0);
    let world = World::new(script(&vendor).mutating({
        let vendor = Arc::clone(&vendor);
        move |_, _| {
            let n = moved.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            if n < 3 {
                vendor.put(&format!("u{:05}", n * 7), &format!("moved {n}"));
            }
        }
    }))
    .await;
    world.run().await;
    world.run().await;
    assert_eq!(world.live().await, vendor.truth());
    changes_match_revisions(world.store.as_ref()).await;
}
