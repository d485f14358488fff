//! A flow's map sees the records that the changed one refers to: what of them may leave, and no sooner than they are there.

use std::sync::Arc;
use std::time::Duration;

use renmen_flow::{DestinationEntry, Evaluation, FlowOptions};
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{Desk, World, place, tenant};

/// Reports each employee with a cost center, their manager, and their manager's manager.
fn upwards() -> Value {
    json!({
        "when": { "entity": "employee", "if": "has(record.work) && has(record.work.cost_center)" },
        "fields": ["/number"],
        "with": {
            "above": { "of": "boss", "ref": "/work/manager", "fields": ["/number"] },
            "boss": { "ref": "/work/manager", "fields": ["/number", "/person"] },
        },
        "to": { "connection": "vendor", "action": "send" },
        "map": { "number": "record.number", "boss": "boss", "above": "has(above.number) ? above.number : 'nobody'" },
        "patience": "2h",
    })
}

fn boss(manager: Option<&str>) -> Value {
    let mut body = json!({
        "number": "2", "person": { "names": { "formatted": "Made Up" }, "gender": { "code": "FEMALE" } }, "work": {},
    });
    if let Some(manager) = manager {
        body["work"]["manager"] = json!({ "external": { "value": manager } });
    }
    body
}

fn report(number: &str, manager: &str) -> Value {
    json!({ "number": number, "work": { "cost_center": "CC", "manager": { "external": { "value": manager } } } })
}

async fn world(place: DestinationEntry) -> World {
    World::new(vec![("vendor", place)], json!({ "up": upwards() }), FlowOptions::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_map_sees_of_the_records_that_it_refers_to_what_may_leave() {
    let desk = Arc::new(Desk::kind());
    let world = world(DestinationEntry { scoring: true, ..place(&desk) }).await;
    world.put("staff", &[("e3", json!({ "number": "3" })), ("e2", boss(Some("e3"))), ("e1", report("1", "e2"))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    let seen = json!({ "number": "2", "person": { "names": { "formatted": "Made Up" } } });
    assert_eq!(desk.inputs()[0], json!({ "number": "1", "boss": seen, "above": "3" }), "without what is special");

    // One that nothing refers to is empty.
    world.put("staff", &[("e2", boss(None)), ("e4", report("4", "e2"))]).await;
    world.until(DeliveryState::Delivered, 2).await;
    assert_eq!(desk.inputs()[1]["above"], "nobody");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_comes_later_is_waited_for_and_the_order_is_kept() {
    let desk = Arc::new(Desk::kind());
    let world = world(place(&desk)).await;
    world.put("staff", &[("e1", report("1", "e2"))]).await;
    world.put("staff", &[("e1", report("1b", "e2")), ("e5", report("5", "e6")), ("e6", boss(None))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(desk.inputs()[0]["number"], "5", "others go on");
    let waiting = world.deliveries().await.remove(0);
    // It is looked at again from time to time, perhaps at this moment.
    assert!(matches!(waiting.state, DeliveryState::Pending | DeliveryState::InFlight), "{:?}", waiting.state);
    let dry = world.engine.dry_run(&tenant(), "up", 10).await.unwrap();
    assert!(
        matches!(&dry[0].evaluation, Evaluation::Wait(why, _) if why.english().contains("with.boss: the employee that `/work/manager` means"))
    );

    // A record of another connection with the same id is a different person.
    world.put("other", &[("e2", boss(None))]).await;
    world.settle().await;
    assert_eq!(world.count(DeliveryState::Delivered).await, 1);
    world.put("staff", &[("e2", boss(None))]).await;
    world.until(DeliveryState::Delivered, 3).await;
    let numbers: Vec<Value> = desk.inputs().iter().map(|input| input["number"].clone()).collect();
    assert_eq!(numbers, ["5", "1", "1b"]);
    let kept = world.store.delivery(&tenant(), waiting.id).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept.input).unwrap()["number"], "1", "what was sent can be looked at");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_never_comes_is_given_up_with_its_reason_and_can_be_sent_when_it_does() {
    let desk = Arc::new(Desk::kind());
    let world = world(place(&desk)).await;
    world.put("staff", &[("e1", report("1", "e2"))]).await;
    while world.count(DeliveryState::Dead).await == 0 && world.elapsed() < Duration::from_secs(86_400) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let dead = world.deliveries().await.remove(0);
    let error = dead.error.unwrap();
    assert!(error.contains("with.boss") && error.contains("is not here") && error.contains("patience"), "{error}");
    let refused = world.engine.replay(&tenant(), dead.id).await.unwrap_err().to_string();
    assert!(refused.contains("still cannot tell"), "{refused}");
    world.put("staff", &[("e2", boss(None))]).await;
    world.engine.replay(&tenant(), dead.id).await.unwrap();
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(desk.inputs()[0]["boss"]["number"], "2");
    world.end().await;
}
