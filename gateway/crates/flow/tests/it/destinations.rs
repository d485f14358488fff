//! Destinations that come and go while the flows run.

use std::sync::Arc;

use renmen_flow::FlowOptions;
use renmen_store::outbox::DeliveryState;
use serde_json::json;

use crate::world::{Desk, World, flow, name, place, tenant};

#[tokio::test(start_paused = true)]
async fn one_that_is_taken_away_gets_nothing_more_and_another_of_its_name_gets_what_waited() {
    let (first, second) = (Arc::new(Desk::kind()), Arc::new(Desk::kind()));
    let flows = json!({ "tell": flow("chat") });
    let world = World::new(vec![("chat", place(&first))], flows, FlowOptions::default()).await;
    world.put("people", &[("1", json!({ "number": "1" }))]).await;
    world.until(DeliveryState::Delivered, 1).await;

    world.engine.remove_destination(&tenant(), &name("chat"));
    world.put("people", &[("2", json!({ "number": "2" }))]).await;
    world.settle().await;
    assert_eq!((first.inputs().len(), world.count(DeliveryState::Delivered).await), (1, 1));

    world.engine.add_destination(&tenant(), name("chat"), place(&second));
    world.until(DeliveryState::Delivered, 2).await;
    assert_eq!((first.inputs().len(), second.inputs().len()), (1, 1));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_one_under_a_known_name_gets_everything_from_then_on() {
    let (first, second) = (Arc::new(Desk::kind()), Arc::new(Desk::kind()));
    let flows = json!({ "tell": flow("chat") });
    let world = World::new(vec![("chat", place(&first))], flows, FlowOptions::default()).await;
    for (number, delivered) in [("1", 1), ("2", 2)] {
        world.put("people", &[(number, json!({ "number": number }))]).await;
        world.until(DeliveryState::Delivered, delivered).await;
        world.engine.add_destination(&tenant(), name("chat"), place(&second));
    }
    assert_eq!((first.inputs().len(), second.inputs().len()), (1, 1));
    world.end().await;
}
