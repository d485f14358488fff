//! Old deliveries are deleted, however many there are, and none that is not old or not at its end.

use std::time::Duration;

use renmen_clock::Clock as _;
use renmen_flow::FlowOptions;
use renmen_store::outbox::{Advance, DeliveryState, FlowOrigin, FlowPut, NewDelivery};
use serde_json::json;

use crate::world::{World, name, tenant};

const DAY_MS: i64 = 86_400_000;

/// Makes deliveries of one flow at a time, with keys from `from` on.
async fn make(world: &World, state: DeliveryState, keys: std::ops::Range<u32>, now_ms: i64) {
    let put = FlowPut {
        tenant: tenant(),
        name: "old".into(),
        origin: FlowOrigin::Api,
        definition: "{}".into(),
        enabled: true,
        from_beginning: true,
        now_ms,
    };
    let flow = world.store.put_flow(put).await.unwrap();
    let entry = world.store.feed(&tenant(), 0, "employee", 1).await.unwrap().entries.remove(0);
    let delivery = |key: u32| NewDelivery {
        seq: entry.change.seq,
        record: entry.change.id,
        connection: name("nowhere"),
        action: "employee.upsert".into(),
        key: u128::from(key).to_le_bytes(),
        lane: u128::from(key).to_le_bytes(),
        not_before_ms: now_ms,
        deadline_ms: None,
        state,
        input: b"{}".to_vec(),
        input_hash: [0; 16],
        hops: 0,
        caused_by: None,
        error: None,
    };
    let deliveries = keys.map(delivery).collect();
    let step = Advance {
        flow: flow.id,
        version: flow.version,
        from: flow.position,
        to: flow.position,
        deliveries,
        supersede: Vec::new(),
    };
    world.store.advance(vec![step], now_ms).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_backlog_of_many_batches_is_gone_after_one_look() {
    let world = World::new(Vec::new(), json!({}), FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1" }))]).await;
    // Past the look at the start.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let now_ms = world.clock.now_ms();
    make(&world, DeliveryState::Withheld, 0..2_600, now_ms - 31 * DAY_MS).await;
    make(&world, DeliveryState::Pending, 2_600..2_603, now_ms - 31 * DAY_MS).await;
    make(&world, DeliveryState::Withheld, 2_603..2_607, now_ms - 29 * DAY_MS).await;
    let kept_since_ms = now_ms - 30 * DAY_MS;
    assert_eq!(world.store.prunable_deliveries(&tenant(), kept_since_ms).await.unwrap(), 2_600);
    let stranger = renmen_schema::id::TenantId::new("globex").unwrap();
    assert_eq!(world.store.prunable_deliveries(&stranger, kept_since_ms).await.unwrap(), 0);
    // The look comes after ten minutes; of what was deleted in batches none waits for the next.
    tokio::time::sleep(Duration::from_secs(660)).await;
    assert_eq!(world.store.prunable_deliveries(&tenant(), kept_since_ms).await.unwrap(), 0);
    assert_eq!(world.count(DeliveryState::Pending).await, 3, "not at its end");
    assert_eq!(world.count(DeliveryState::Withheld).await, 4, "not old enough");
    world.end().await;
}
