//! What is withheld from a destination is not in anything that is made for it: not in the record, not in the one before, not in those
//! it refers to, not in what a condition sees, not in a dry run, and not in what is kept of a delivery.

use std::sync::Arc;

use renmen_flow::{DestinationEntry, Evaluation, Failure, Fields, FlowOptions};
use renmen_schema::FailureKind;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{Desk, World, place, tenant};

/// Stands in every place that is withheld.
const CANARY: &str = "canary-of-a-person";

fn whole() -> Value {
    json!({
        "number": "1",
        "person": {
            "names": { "formatted": "Made Up" },
            "emails": [{ "address": CANARY, "kind": "WORK" }, { "address": CANARY, "kind": "HOME" }],
            "gender": { "code": "OTHER", "raw": CANARY, "label": { "en": CANARY } },
        },
        "work": { "manager": { "external": { "value": "e2" } }, "title": { "en": CANARY, "zh-CN": CANARY } },
        "ext": { "payroll": { "note": { "kind": "TEXT", "value": CANARY } } },
        "field_state": { "/person/gender": "masked" },
    })
}

fn to_vendor(more: &Value) -> Value {
    let mut flow = json!({
        "when": { "entity": "employee" },
        "fields": ["*"],
        "with": { "boss": { "ref": "/work/manager", "fields": ["*"] } },
        "to": { "connection": "vendor", "action": "send" },
        "map": {
            "all": "record", "before": "before", "boss": "boss", "about": "change",
            "title": "has(record.work.title) ? text(record.work.title, 'zh-CN') : 'none'",
        },
    });
    for (key, value) in more.as_object().unwrap() {
        flow[key] = value.clone();
    }
    flow
}

fn withholding(desk: &Arc<Desk>) -> DestinationEntry {
    let withhold = ["/person/emails/*/address", "/person/gender/code", "/work/title"];
    DestinationEntry { withhold: Fields::parse(withhold).unwrap(), ..place(desk) }
}

async fn sent(place: DestinationEntry, desk: &Arc<Desk>) -> Vec<Value> {
    let world =
        World::new(vec![("vendor", place)], json!({ "all": to_vendor(&json!({})) }), FlowOptions::default()).await;
    world.put("hr", &[("e2", whole())]).await;
    let mut changed = whole();
    changed["number"] = json!("2");
    world.put("hr", &[("e2", changed)]).await;
    world.until(DeliveryState::Delivered, 2).await;
    let dry = world.engine.dry_run(&tenant(), "all", 10).await.unwrap();
    let mut all = desk.inputs();
    for row in world.deliveries().await {
        let kept = world.store.delivery(&tenant(), row.id).await.unwrap().unwrap();
        all.push(serde_json::from_slice(&kept.input).unwrap());
        all.extend(kept.error.map(Value::from));
    }
    all.extend(dry.into_iter().map(|one| match one.evaluation {
        Evaluation::Send(sending) => sending.input,
        other => json!(format!("{other:?}")),
    }));
    world.end().await;
    all
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_in_nothing_that_is_made_for_the_destination() {
    let desk = Arc::new(Desk::kind());
    let all = sent(withholding(&desk), &desk).await;
    assert_eq!(all.len(), 6);
    for one in &all {
        assert!(!one.to_string().contains(CANARY), "{one}");
        assert_eq!(
            one["all"]["person"]["emails"],
            json!([{ "kind": "WORK" }, { "kind": "HOME" }]),
            "the rest is there"
        );
        assert_eq!((&one["title"], one["all"].get("ext"), one["all"].get("field_state")), (&json!("none"), None, None));
    }

    let desk = Arc::new(Desk::kind());
    let all = sent(place(&desk), &desk).await;
    assert!(all.iter().all(|one| one["title"] == CANARY && one["all"]["ext"].is_object()), "nothing is withheld here");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_scores_gets_no_custom_field_because_nobody_knows_what_is_in_it() {
    let desk = Arc::new(Desk::kind());
    let all = sent(DestinationEntry { scoring: true, ..place(&desk) }, &desk).await;
    for one in &all {
        assert!(one["all"].get("ext").is_none() && one["all"]["person"].get("gender").is_none(), "{one}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decided_by_what_is_withheld_however_it_is_asked_for() {
    let flow = |condition: &str| to_vendor(&json!({ "when": { "entity": "employee", "if": condition } }));
    let desk = Arc::new(Desk::kind());
    let flows = json!({
        "by_key": flow("record['person']['gender']['code'] == 'OTHER'"),
        "worked_out": flow("record[change.entity == 'employee' ? 'ext' : 'number'].payroll.note.value != ''"),
        "whole": flow(&format!("string(record.number) == '1' && record.person.exists(key, string(key) == '{CANARY}')")),
    });
    let engine = World::new(vec![("vendor", withholding(&desk))], json!({}), FlowOptions::default()).await;
    for (name, flow) in flows.as_object().unwrap() {
        match engine.engine.put(&tenant(), name, flow).await {
            Ok(_) => {}
            Err(error) => assert!(error.to_string().contains("is withheld from connection"), "{name}: {error}"),
        }
    }
    engine.put("hr", &[("e1", whole()), ("e2", json!({ "number": "9" }))]).await;
    engine.settle().await;
    assert!(desk.inputs().is_empty(), "{:?}", desk.inputs());
    engine.end().await;
}

/// A restart with other withholding.
async fn restarted(world: World, flows: Value, place: DestinationEntry) -> World {
    let folder = world.kill().await;
    World::over(folder, vec![("vendor", place)], flows, FlowOptions::default()).await
}

#[tokio::test(start_paused = true)]
async fn what_was_withheld_after_a_delivery_was_made_is_not_sent_with_it() {
    let refusing = Arc::new(Desk::new(|push| {
        let kind = if push.action == "send" { FailureKind::InvalidInput } else { FailureKind::UpstreamUnavailable };
        Err(Failure::new(kind, "not today"))
    }));
    let flows = json!({
        "later": to_vendor(&json!({ "delay": "20m" })),
        "refused": to_vendor(&json!({ "on_failure": { "connection": "vendor", "action": "notice" }, "delay": "1s" })),
    });
    let world = World::new(vec![("vendor", place(&refusing))], flows.clone(), FlowOptions::default()).await;
    world.put("hr", &[("e2", whole())]).await;
    world.until(DeliveryState::Dead, 1).await;
    let before = inputs(&world).await;
    assert_eq!(before.iter().filter(|input| input.contains(CANARY)).count(), 2, "made before anything was withheld");

    let desk = Arc::new(Desk::kind());
    let world = restarted(world, flows.clone(), withholding(&desk)).await;
    let after = inputs(&world).await;
    assert!(after.iter().all(|input| !input.contains(CANARY)), "nothing is kept of it either: {after:?}");
    assert_eq!(after.iter().filter(|input| input.contains("delivery.failed")).count(), 1, "what no map made stays");
    for row in world.deliveries().await.iter().filter(|row| row.state == DeliveryState::Dead) {
        world.engine.replay(&tenant(), row.id).await.unwrap();
    }
    world.until(DeliveryState::Delivered, 3).await;
    let sent = desk.inputs();
    assert_eq!(sent.iter().filter(|input| input["all"]["number"] == "1").count(), 2, "the rest is sent");
    assert!(sent.iter().all(|input| !input.to_string().contains(CANARY)), "{sent:?}");

    // The same rule again takes nothing away.
    let kept = inputs(&world).await;
    let world = restarted(world, flows, withholding(&desk)).await;
    assert_eq!(inputs(&world).await, kept);
    world.end().await;
}

async fn inputs(world: &World) -> Vec<String> {
    let mut inputs = Vec::new();
    for row in world.deliveries().await {
        let kept = world.store.delivery(&tenant(), row.id).await.unwrap().unwrap();
        inputs.push(String::from_utf8(kept.input).unwrap());
    }
    inputs
}

#[test]
fn a_path_of_a_flow_that_leads_nowhere_or_to_one_item_is_refused_with_what_was_meant() {
    for (fields, told) in [
        (json!(["/person/emails/0/address"]), "write `*` for every item: \"/person/emails/*/address\""),
        (json!(["/person/names/fromatted"]), "did you mean `/person/names/formatted`?"),
        (json!(["/person/emails/address"]), "is a list"),
    ] {
        let error = renmen_flow::Definition::parse(&to_vendor(&json!({ "fields": fields }))).unwrap_err();
        let error = error.iter().map(ToString::to_string).collect::<String>();
        assert!(error.contains(told), "{error}");
    }
}
