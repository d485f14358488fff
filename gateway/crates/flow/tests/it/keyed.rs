//! A flow follows a reference by alternate key: to the one record that has the key, where the flow may look, and to no other.

use std::sync::Arc;

use renmen_flow::{DestinationEntry, Evaluation, FlowOptions};
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{Desk, World, place, tenant};

/// Reports each employee with a cost center, and the manager that the record names by number.
fn flow(change: impl Fn(&mut Value)) -> Value {
    let mut flow = json!({
        "when": { "entity": "employee", "connection": "payroll", "if": "has(record.work) && has(record.work.cost_center)" },
        "fields": ["/number"],
        "with": { "boss": { "ref": "/work/manager", "fields": ["/person/names"] } },
        "to": { "connection": "vendor", "action": "send" },
        "map": { "number": "record.number", "boss": "has(boss.person) ? boss.person.names.formatted : 'nobody'" },
        "patience": "2h",
    });
    change(&mut flow);
    flow
}

fn person(number: &str, name: &str) -> Value {
    json!({ "number": number, "person": { "names": { "formatted": name } } })
}

fn naming(number: &str) -> Value {
    let key = json!({ "scheme": "employee_number", "value": number });
    json!({ "person": {}, "number": "1", "work": { "cost_center": "CC", "manager": { "key": key } } })
}

async fn world(flow: Value, place: DestinationEntry) -> World {
    World::new(vec![("vendor", place)], json!({ "up": flow }), FlowOptions::default()).await
}

/// Why the newest change makes no delivery.
async fn verdict(world: &World) -> String {
    let mut dry = world.engine.dry_run(&tenant(), "up", 10).await.unwrap();
    match dry.pop().unwrap().evaluation {
        Evaluation::Wait(why, _) => format!("waits: {why}"),
        Evaluation::Fault(why) => format!("refused: {why}"),
        other => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_named_by_number_is_found_in_another_connection_and_waited_for_until_it_is_there() {
    let desk = Arc::new(Desk::kind());
    let world = world(flow(|_| ()), place(&desk)).await;
    world.put("payroll", &[("p1", naming("E00007"))]).await;
    world.settle().await;
    let why = verdict(&world).await;
    assert!(why.contains("waits: with.boss: no record of kind employee has the employee_number"), "{why}");
    assert!(!why.contains("E00007"), "the value is a person's: {why}");
    world.put("hr", &[("user7", person("E00007", "Made Up"))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(desk.inputs()[0], json!({ "number": "1", "boss": "Made Up" }));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_two_have_means_neither_until_the_flow_says_whose_counts() {
    let (unsure, sure) = (Arc::new(Desk::kind()), Arc::new(Desk::kind()));
    let first = world(flow(|_| ()), place(&unsure)).await;
    let second = world(flow(|flow| flow["with"]["boss"]["connection"] = json!("hr")), place(&sure)).await;
    for world in [&first, &second] {
        world.put("hr", &[("user7", person("E7", "Of HR"))]).await;
        world.put("crm", &[("u7", person("E7", "Of CRM"))]).await;
        world.put("payroll", &[("p1", naming("E7"))]).await;
    }
    second.until(DeliveryState::Delivered, 1).await;
    assert_eq!(sure.inputs()[0]["boss"], "Of HR");
    first.settle().await;
    let why = verdict(&first).await;
    assert!(why.contains("waits: with.boss: 2 records of kind employee have the employee_number"), "{why}");
    // One of the two changes its number.
    first.put("crm", &[("u7", person("E8", "Of CRM"))]).await;
    first.until(DeliveryState::Delivered, 1).await;
    assert_eq!(unsure.inputs()[0]["boss"], "Of HR");
    first.end().await;
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_number_gets_nobody_a_record_that_the_flow_may_not_look_up() {
    // The flow does not say whose records set it off, or says another connection for the lookup.
    for change in [
        (|flow: &mut Value| _ = flow["when"].as_object_mut().unwrap().remove("connection")) as fn(&mut Value),
        |flow| flow["with"]["boss"]["connection"] = json!("crm"),
    ] {
        let desk = Arc::new(Desk::kind());
        let world = world(flow(change), place(&desk)).await;
        world.put("hr", &[("user7", person("E7", "Made Up"))]).await;
        let mut said = Vec::new();
        // The verdict is the same whether or not anyone there has the number.
        for (id, number) in [("p1", "E7"), ("p2", "E9")] {
            world.put("payroll", &[(id, naming(number))]).await;
            world.settle().await;
            said.push(verdict(&world).await);
        }
        assert_eq!(said[0], said[1]);
        assert!(desk.inputs().is_empty(), "{said:?}");
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_of_the_same_connection_needs_no_word_of_the_flow() {
    let desk = Arc::new(Desk::kind());
    let anybody = flow(|flow| _ = flow["when"].as_object_mut().unwrap().remove("connection"));
    let world = world(anybody, place(&desk)).await;
    world.put("hr", &[("user7", person("E7", "Of HR"))]).await;
    world.put("payroll", &[("e7", person("E7", "Of payroll")), ("p1", naming("E7"))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(desk.inputs()[0]["boss"], "Of payroll", "what the flow may not look up does not come between");
    world.end().await;
}
