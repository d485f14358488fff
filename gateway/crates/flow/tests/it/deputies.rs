//! The connection that writes a record chooses what it refers to; that choice must not give anyone a record that is not
//! theirs.

use std::sync::Arc;

use renmen_flow::{DestinationEntry, Evaluation, FlowOptions};
use renmen_store::RecordQuery;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{Desk, World, place, tenant};

/// Reports each employee with a cost center, and the manager that the record names, to the connection `vendor`.
fn upwards() -> Value {
    json!({
        "when": { "entity": "employee", "if": "has(record.work) && has(record.work.cost_center)" },
        "fields": ["/number"],
        "with": { "boss": { "ref": "/work/manager", "fields": ["/number", "/person/names"] } },
        "to": { "connection": "vendor", "action": "send" },
        "map": { "number": "record.number", "boss": "boss" },
    })
}

fn flow(change: impl Fn(&mut Value)) -> Value {
    let mut flow = upwards();
    change(&mut flow);
    flow
}

/// A person whose name must not leave `hr`.
fn secretly() -> Value {
    json!({ "number": "7", "person": { "names": { "formatted": "Made Up" } } })
}

fn naming(reference: &Value) -> Value {
    json!({ "number": "1", "work": { "cost_center": "CC", "manager": reference } })
}

fn external(connection: &str, id: &str) -> Value {
    json!({ "external": { "connection": connection, "value": id } })
}

async fn world(flow: Value, place: DestinationEntry) -> World {
    let world = World::new(vec![("vendor", place)], json!({ "up": flow }), FlowOptions::default()).await;
    world.put("hr", &[("e7", secretly())]).await;
    world.put("vendor", &[("own", json!({ "number": "9" }))]).await;
    world
}

async fn own_id(world: &World) -> String {
    let query = RecordQuery { external_id: Some("e7".into()), limit: 1, ..RecordQuery::default() };
    world.store.records(&tenant(), &query).await.unwrap().items[0].id.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_names_another_connections_record_gets_nothing_of_it() {
    let named = |connections: &'static [&'static str]| flow(|flow| flow["when"]["connection"] = json!(connections));
    // The flow, and whose record sets it off.
    for (flow, from) in [
        (upwards(), "survey"),
        (upwards(), "vendor"),
        // Named, but it is the one that is sent what it chose.
        (named(&["vendor", "hr"]), "vendor"),
        // Said for another connection than the one that the reference leads to.
        (flow(|flow| flow["with"]["boss"]["connection"] = json!("payroll")), "survey"),
        (
            flow(|flow| {
                flow["when"]["connection"] = json!(["survey"]);
                flow["with"]["boss"]["connection"] = json!(["payroll"]);
            }),
            "survey",
        ),
    ] {
        let desk = Arc::new(Desk::kind());
        let world = world(flow.clone(), place(&desk)).await;
        let by_id = json!({ "id": own_id(&world).await });
        // Our id is what counts, regardless of what stands next to it.
        let both = json!({ "id": own_id(&world).await, "external": { "value": "own", "connection": from } });
        for (id, reference) in [("a", external("hr", "e7")), ("b", by_id), ("c", both), ("d", external("hr", "nobody"))]
        {
            world.put(from, &[(id, naming(&reference))]).await;
        }
        world.until(DeliveryState::Dead, 4).await;
        assert!(desk.inputs().is_empty(), "{flow}");
        let reasons: Vec<String> = world.deliveries().await.into_iter().map(|row| row.error.unwrap()).collect();
        for reason in &reasons {
            let told = format!("a record of connection `{from}` refers to one of connection `hr` (employee)");
            assert!(reason.contains(&told) && reason.contains("with.boss.connection = \"hr\""), "{reason}");
            assert!(!reason.contains("Made Up"), "{reason}");
        }
        assert_eq!(reasons[0], reasons[3], "whether there is such a record is not told either");
        let dry = world.engine.dry_run(&tenant(), "up", 4).await.unwrap();
        assert!(dry.iter().all(|one| matches!(one.evaluation, Evaluation::Fault(_))));
        let dead = world.deliveries().await.remove(0).id;
        let refused = world.engine.replay(&tenant(), dead).await.unwrap_err().to_string();
        assert!(refused.contains("still cannot tell"), "{refused}");
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reference_is_followed_where_the_operator_said_so_or_nobody_can_gain_by_it() {
    for (flow, from, reference, number) in [
        // A record refers to one of its own connection.
        (upwards(), "hr", json!({ "external": { "value": "e7" } }), "7"),
        // It refers to one of the destination itself, which knows it.
        (upwards(), "survey", external("vendor", "own"), "9"),
        // The flow says whose records set it off.
        (flow(|flow| flow["when"]["connection"] = json!("survey")), "survey", external("hr", "e7"), "7"),
        // The flow says where it may look, also for what the destination itself names.
        (flow(|flow| flow["with"]["boss"]["connection"] = json!("hr")), "survey", external("hr", "e7"), "7"),
        (flow(|flow| flow["with"]["boss"]["connection"] = json!(["x", "hr"])), "vendor", external("hr", "e7"), "7"),
    ] {
        let desk = Arc::new(Desk::kind());
        let world = world(flow.clone(), place(&desk)).await;
        world.put(from, &[("a", naming(&reference))]).await;
        world.until(DeliveryState::Delivered, 1).await;
        assert_eq!(desk.inputs()[0]["boss"]["number"], number, "{flow}");
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_step_of_a_chain_is_judged_by_whose_record_it_leads_out_of() {
    let chain = |connections: Value| {
        flow(|flow| {
            flow["when"]["connection"] = connections.clone();
            flow["with"]["above"] = json!({ "of": "boss", "ref": "/work/manager", "fields": ["/number"] });
            flow["map"]["above"] = json!("above");
        })
    };
    for (connections, delivered) in [(json!(["survey"]), false), (json!(["survey", "hr"]), true)] {
        let desk = Arc::new(Desk::kind());
        let world = world(chain(connections), place(&desk)).await;
        let mut boss = secretly();
        boss["work"] = json!({ "manager": external("board", "top") });
        world.put("board", &[("top", json!({ "number": "0" }))]).await;
        world.put("hr", &[("e7", boss)]).await;
        world.put("survey", &[("a", naming(&external("hr", "e7")))]).await;
        let state = if delivered { DeliveryState::Delivered } else { DeliveryState::Dead };
        world.until(state, 1).await;
        if delivered {
            assert_eq!(desk.inputs()[0]["above"]["number"], "0");
        } else {
            let reason = world.deliveries().await.remove(0).error.unwrap();
            assert!(
                reason.contains("with.above: a record of connection `hr`") && reason.contains("`board`"),
                "{reason}"
            );
        }
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reference_in_the_gateways_own_record_may_be_the_choice_of_whoever_it_was_made_from() {
    let from_renmen = || flow(|flow| flow["when"]["connection"] = json!("renmen"));
    for (is_source, state) in [(true, DeliveryState::Dead), (false, DeliveryState::Delivered)] {
        let desk = Arc::new(Desk::kind());
        let world = world(from_renmen(), DestinationEntry { is_source, ..place(&desk) }).await;
        world.put("renmen", &[("a", naming(&external("hr", "e7")))]).await;
        world.until(state, 1).await;
        assert_eq!(desk.inputs().len(), usize::from(!is_source));
        world.end().await;
    }
}
