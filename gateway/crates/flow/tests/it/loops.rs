//! A flow that feeds itself is found and stopped, and the deliveries say where.

use std::sync::Arc;

use renmen_flow::FlowOptions;
use renmen_store::Store;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{BEGIN_MS, Desk, World, flow, place, put, taken};

/// What the vendor's system shows at the next pull: each delivery changes a record there.
async fn pull(store: &Arc<dyn Store>, connection: &str, id: &str, body: Value) {
    put(store, connection, &[(id, body)], BEGIN_MS).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_changes_with_each_of_its_own_deliveries_is_stopped() {
    let vendor = Arc::new(Desk::kind());
    let flows = json!({ "mirror": flow("vendor") });
    let world = World::new(vec![("vendor", place(&vendor))], flows, FlowOptions::default()).await;
    let mut rounds = 0;
    // A → vendor → pull → A, each time with other content.
    for round in 0..30 {
        pull(&world.store, "vendor", "e1", json!({ "number": "1", "title": format!("title {round}") })).await;
        world.settle().await;
        rounds = vendor.pushes.lock().len();
        if rounds <= round {
            break;
        }
    }
    assert_eq!(rounds, 9, "the first, and 8 hops");
    let last = world.deliveries().await.pop().unwrap();
    assert_eq!((last.state, last.hops), (DeliveryState::Withheld, 9));
    let why = last.error.unwrap();
    assert!(why.starts_with("loop: 9 deliveries led to this one") && why.contains("hops_max"), "{why}");
    assert_eq!(last.caused_by, Some(9));

    // Another record does not belong to the loop.
    world.put("staff", &[("e2", json!({ "number": "2" }))]).await;
    world.until(DeliveryState::Delivered, 10).await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_each_delivery_makes_anew_is_stopped_by_the_receipts_that_name_them() {
    let vendor = Arc::new(Desk::new(|push| {
        let input: Value = serde_json::from_slice(&push.input).unwrap();
        Ok(taken(&format!("copy-of-{}", input["number"].as_str().unwrap())))
    }));
    let flows = json!({ "copy": flow("vendor") });
    let world = World::new(vec![("vendor", place(&vendor))], flows, FlowOptions::default()).await;
    pull(&world.store, "vendor", "0", json!({ "number": "0" })).await;
    let mut id = "0".to_owned();
    for _ in 0..30 {
        world.settle().await;
        let next = format!("copy-of-{id}");
        let made = vendor.pushes.lock().len();
        pull(&world.store, "vendor", &next, json!({ "number": next })).await;
        world.settle().await;
        if vendor.pushes.lock().len() == made {
            break;
        }
        id = next;
    }
    assert_eq!(vendor.pushes.lock().len(), 9);
    assert_eq!(world.count(DeliveryState::Withheld).await, 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn two_systems_that_undo_each_other_are_stopped_by_the_same_content_again_and_again() {
    let vendor = Arc::new(Desk::new(|_| Ok(renmen_flow::Receipt { confirmed: true, ..Default::default() })));
    let flows = json!({ "there": flow("vendor") });
    let world = World::new(vec![("vendor", place(&vendor))], flows, FlowOptions::default()).await;
    // Nothing in a receipt tells; the record comes from a third system, which the vendor wrote to.
    for round in 0..40 {
        let title = if round % 2 == 0 { "red" } else { "blue" };
        world.put("staff", &[("e1", json!({ "number": "1", "title": title }))]).await;
        world.settle().await;
    }
    let sent = vendor.pushes.lock().len();
    assert!(sent <= 21, "{sent}");
    let last = world.deliveries().await.pop().unwrap();
    assert!(last.error.unwrap().contains("repeats_max"));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_now_and_then_is_no_loop() {
    let vendor = Arc::new(Desk::kind());
    let world =
        World::new(vec![("vendor", place(&vendor))], json!({ "mirror": flow("vendor") }), FlowOptions::default()).await;
    for edit in 0..20 {
        world.put("vendor", &[("e1", json!({ "number": "1", "title": format!("edit {edit}") }))]).await;
        tokio::time::sleep(std::time::Duration::from_secs(40 * 60)).await;
    }
    world.until(DeliveryState::Delivered, 20).await;
    world.end().await;
}
