//! A receiver that is away, slow, or cut off: nothing is lost, order is kept, others go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use renmen_flow::{DestinationEntry, Failure, FlowOptions};
use renmen_schema::FailureKind;
use renmen_store::outbox::DeliveryState;
use serde_json::json;

use crate::world::{Desk, World, flow, place, taken};

fn away() -> Failure {
    Failure::new(FailureKind::UpstreamUnavailable, "connection refused")
}

/// Each record's titles in the order in which they arrived.
fn arrived(desk: &Desk) -> BTreeMap<String, Vec<String>> {
    let mut by_record: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for input in desk.inputs() {
        let text = |key: &str| input[key].as_str().unwrap().to_owned();
        by_record.entry(text("number")).or_default().push(text("title"));
    }
    by_record
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_away_for_a_day_loses_nothing_keeps_the_order_and_is_not_run_over_on_its_return() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let vendor = Arc::new(Desk::new(move |_| if is_up.load(Ordering::SeqCst) { Ok(taken("v")) } else { Err(away()) }));
    let options = FlowOptions { tick: Duration::from_secs(20), ..FlowOptions::default() };
    let world = World::new(vec![("vendor", place(&vendor))], json!({ "staff": flow("vendor") }), options).await;
    for title in ["one", "two", "three"] {
        let records: Vec<(String, serde_json::Value)> =
            (0..40).map(|n| (format!("e{n}"), json!({ "number": n.to_string(), "title": title }))).collect();
        let records: Vec<(&str, serde_json::Value)> =
            records.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
        world.put("staff", &records).await;
    }
    while world.elapsed() < Duration::from_secs(86_400) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let knocks = vendor.pushes.lock().len();
    assert!((100..1_000).contains(&knocks), "{knocks} attempts in a day at 120 deliveries");
    assert_eq!(world.count(DeliveryState::Pending).await + world.count(DeliveryState::InFlight).await, 120);
    vendor.pushes.lock().clear();
    vendor.most.lock().clear();
    up.store(true, Ordering::SeqCst);
    world.until(DeliveryState::Delivered, 120).await;

    for (number, titles) in arrived(&vendor) {
        assert_eq!(titles, ["one", "two", "three"], "record {number}");
    }
    assert_eq!(vendor.pushes.lock().len(), 120, "each once");
    let side_by_side = vendor.most.lock().clone();
    assert_eq!(side_by_side.iter().max(), Some(&4), "as many as it may have and no more");
    assert_eq!(side_by_side[0], 1, "the first one goes alone");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_process_is_killed_is_made_again_with_the_same_key() {
    let silent = Arc::new(Desk::kind().taking(Duration::from_secs(1_000_000)));
    let slow = DestinationEntry { push_timeout: Duration::from_secs(2_000_000), ..place(&silent) };
    let flows = json!({ "staff": flow("vendor") });
    let world = World::new(vec![("vendor", slow)], flows.clone(), FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1" }))]).await;
    world.until(DeliveryState::InFlight, 1).await;
    let before = world.deliveries().await.remove(0);
    let folder = world.kill().await;

    let vendor = Arc::new(Desk::kind());
    let world = World::over(folder, vec![("vendor", place(&vendor))], flows, FlowOptions::default()).await;
    world.until(DeliveryState::Delivered, 1).await;
    let push = vendor.pushes.lock()[0].clone();
    let key: String = before.key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((push.idempotency_key.as_str(), push.attempt), (key.as_str(), 2));
    assert_eq!(vendor.pushes.lock().len(), 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_holds_up_nobody_else() {
    let slow = Arc::new(Desk::kind().taking(Duration::from_secs(60)));
    let quick = Arc::new(Desk::kind());
    let flows = json!({ "a-slow": flow("slow"), "b-quick": flow("quick") });
    let world = World::new(vec![("slow", place(&slow)), ("quick", place(&quick))], flows, FlowOptions::default()).await;
    let records: Vec<(String, serde_json::Value)> =
        (0..30).map(|n| (format!("e{n}"), json!({ "number": n.to_string() }))).collect();
    let records: Vec<(&str, serde_json::Value)> =
        records.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
    world.put("staff", &records).await;
    world.until(DeliveryState::Delivered, 30).await;
    assert!(quick.pushes.lock().len() >= 26, "{} of the quick one's", quick.pushes.lock().len());
    assert!(world.elapsed() < Duration::from_secs(120));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_ends_what_is_under_way_and_gives_back_the_rest() {
    let vendor = Arc::new(Desk::kind().taking(Duration::from_secs(5)));
    let world =
        World::new(vec![("vendor", place(&vendor))], json!({ "staff": flow("vendor") }), FlowOptions::default()).await;
    let records: Vec<(String, serde_json::Value)> =
        (0..20).map(|n| (format!("e{n}"), json!({ "number": n.to_string() }))).collect();
    let records: Vec<(&str, serde_json::Value)> =
        records.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
    world.put("staff", &records).await;
    world.until(DeliveryState::InFlight, 4).await;
    let store = Arc::clone(&world.store);
    world.end().await;
    let query = renmen_store::outbox::DeliveryQuery { limit: 100, ..Default::default() };
    let rows = store.deliveries(&crate::world::tenant(), &query).await.unwrap();
    let delivered = rows.iter().filter(|row| row.state == DeliveryState::Delivered).count();
    assert_eq!(delivered, vendor.pushes.lock().len());
    assert!(rows.iter().all(|row| row.state != DeliveryState::InFlight));
    assert!(rows.iter().filter(|row| row.state == DeliveryState::Pending).all(|row| row.attempts == 0));
}
