//! Actions by hand: a dry run sends nothing, a double click acts once, what is withheld stays withheld, and the guards against loops
//! hold for people and their programs too.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_flow::{
    ActionInfo, ByHand, Destination, DestinationEntry, Failure, Fields, FlowError, FlowOptions, HandAsk, HandWork,
    Push, Receipt, Target,
};
use renmen_schema::id::RecordId;
use renmen_store::RecordQuery;
use renmen_store::outbox::{BY_HAND, DeliveryState};
use serde_json::{Value, json};

use crate::world::{Desk, World, name, place, put, tenant};

const CANARY: &str = "canary-of-a-person";

/// A receiver of events.
struct Told(Arc<Desk>);

#[async_trait]
impl Destination for Told {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        self.0.actions()
    }

    fn is_told_changes(&self) -> bool {
        true
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        self.0.push(push).await
    }
}

/// A destination whose action takes one thing only.
struct Strict(Arc<Desk>);

#[async_trait]
impl Destination for Strict {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["id"],
            "properties": { "id": { "type": "string" }, "why": { "type": "string" } },
        });
        BTreeMap::from([("cancel".to_owned(), ActionInfo { input_schema: Some(schema), ..ActionInfo::default() })])
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        self.0.push(push).await
    }
}

fn strict(desk: &Arc<Desk>) -> DestinationEntry {
    DestinationEntry::new(Arc::new(Strict(Arc::clone(desk))))
}

fn to(connection: &str, action: &str) -> Target {
    Target { connection: name(connection), action: action.to_owned() }
}

async fn record(world: &World, external_id: &str) -> RecordId {
    let query = RecordQuery {
        entity: Some("employee".into()),
        external_id: Some(external_id.into()),
        limit: 1,
        ..RecordQuery::default()
    };
    world.store.records(&tenant(), &query).await.unwrap().items[0].id
}

fn ask(record: RecordId, work: HandWork) -> HandAsk {
    HandAsk { record, work, by: "Li Na".into(), reason: "withdrew".into(), idempotency_key: None }
}

fn typed(to: Target, input: Value) -> HandWork {
    HandWork::Input { to, input }
}

fn mapped(to: Target, map: Value, fields: Value) -> HandWork {
    HandWork::Map { to, map, fields, with: Value::Null }
}

fn person() -> Value {
    json!({
        "number": "1",
        "person": { "names": { "formatted": "Made Up" }, "gender": { "code": "OTHER", "raw": CANARY } },
        "work": { "title": { "en": CANARY } },
    })
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_what_would_be_sent_and_a_double_click_acts_once() {
    let desk = Arc::new(Desk::kind());
    let world = World::new(vec![("vendor", strict(&desk))], json!({}), FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    let cancel = HandAsk {
        idempotency_key: Some("click".into()),
        ..ask(id, mapped(to("vendor", "cancel"), json!({ "id": "change.external_id" }), Value::Null))
    };
    let plan = world.engine.plan_by_hand(&tenant(), &cancel).await.unwrap();
    assert_eq!((plan.input, plan.defects.len(), plan.refused), (json!({ "id": "e1" }), 0, None));
    world.settle().await;
    assert!(desk.inputs().is_empty() && world.deliveries().await.is_empty(), "a dry run sends nothing");

    let first = world.engine.act(&tenant(), &cancel).await.unwrap();
    let again = world.engine.act(&tenant(), &HandAsk { by: "Wang Wei".into(), ..cancel.clone() }).await.unwrap();
    assert_eq!((first.is_new, again.is_new, first.delivery.id), (true, false, again.delivery.id));
    world.until(DeliveryState::Delivered, 1).await;
    world.settle().await;
    assert_eq!(desk.inputs(), [json!({ "id": "e1" })]);
    let row = world.deliveries().await.remove(0);
    let kept = ByHand::of(&row).unwrap();
    assert_eq!((row.flow.as_str(), kept.by.as_str(), kept.reason.as_str()), (BY_HAND, "Li Na", "withdrew"));
    assert!(world.engine.flow(&tenant(), BY_HAND).await.is_err(), "it is not visible as a flow");

    // The same key for something else is a mistake; the same thing without a key is another act.
    let other = HandAsk { reason: "no time".into(), ..cancel.clone() };
    let error = world.engine.act(&tenant(), &other).await.unwrap_err();
    assert!(matches!(&error, FlowError::Refused(why) if why.english().contains("a key of its own")), "{error}");
    let unkeyed = HandAsk { idempotency_key: None, ..cancel };
    assert!(world.engine.act(&tenant(), &unkeyed).await.unwrap().is_new);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_input_that_the_action_does_not_take_is_shown_in_the_dry_run_and_refused_in_earnest() {
    let desk = Arc::new(Desk::kind());
    let world = World::new(vec![("vendor", strict(&desk))], json!({}), FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    let bad = ask(id, typed(to("vendor", "cancel"), json!({ "id": 4711, "pay": "9000" })));
    let plan = world.engine.plan_by_hand(&tenant(), &bad).await.unwrap();
    let told = format!("{:?}", plan.defects);
    assert!(told.contains("/id") && told.contains("pay") && !told.contains("4711") && !told.contains("9000"), "{told}");
    assert!(matches!(world.engine.act(&tenant(), &bad).await, Err(FlowError::Defects(_))));
    for wrong in [
        typed(to("nobody", "cancel"), json!({ "id": "1" })),
        typed(to("vendor", "dance"), json!({ "id": "1" })),
        typed(to("vendor", "cancel"), json!("e1")),
        mapped(to("vendor", "cancel"), json!({ "id": "record.number" }), Value::Null),
        mapped(to("vendor", "cancel"), json!({ "id": "recrod.number" }), Value::Null),
    ] {
        let error = world.engine.act(&tenant(), &ask(id, wrong.clone())).await.unwrap_err();
        assert!(matches!(error, FlowError::Defects(_)), "{wrong:?}: {error}");
    }
    let nobody: RecordId = "00000000-0000-7000-8000-000000000000".parse().unwrap();
    let lost = ask(nobody, typed(to("vendor", "cancel"), json!({ "id": "1" })));
    assert!(matches!(world.engine.act(&tenant(), &lost).await, Err(FlowError::NotFound(_))));
    world.settle().await;
    assert!(desk.inputs().is_empty() && world.deliveries().await.is_empty());
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn r37_a_flow_is_run_for_one_record_whatever_its_condition_says_and_with_other_keys() {
    let desk = Arc::new(Desk::kind());
    let order = json!({
        "when": { "entity": "employee", "connection": "hr", "if": "false" },
        "fields": ["/number"],
        "to": { "connection": "vendor", "action": "send" },
        "map": { "id": "record.number", "mode": "'video'" },
    });
    let other = json!({
        "when": { "entity": "candidate" }, "to": { "connection": "vendor", "action": "send" }, "map": { "id": "'1'" },
    });
    let flows = json!({ "order": order, "other": other });
    let world = World::new(vec![("vendor", place(&desk))], flows, FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    world.put("stranger", &[("e2", person())]).await;
    world.settle().await;
    assert!(desk.inputs().is_empty(), "its condition is not met");
    let id = record(&world, "e1").await;
    let flow = |name: &str, map: Option<Value>| HandWork::Flow { name: name.into(), map };
    world.engine.act(&tenant(), &ask(id, flow("order", None))).await.unwrap();
    let voice = json!({ "id": "record.number + '-2'", "mode": "'audio'" });
    world.engine.act(&tenant(), &ask(id, flow("order", Some(voice)))).await.unwrap();
    world.until(DeliveryState::Delivered, 2).await;
    assert_eq!(desk.inputs(), [json!({ "id": "1", "mode": "video" }), json!({ "id": "1-2", "mode": "audio" })]);
    assert!(world.deliveries().await.iter().all(|row| row.flow == "order" && row.by_hand.is_some()));

    // A key of the map sees no more of the record than the flow's `fields` let out.
    let wide = flow("order", Some(json!({ "id": "record.person.names.formatted" })));
    assert!(matches!(world.engine.act(&tenant(), &ask(id, wide)).await, Err(FlowError::Defects(_))));
    for (who, what, told) in [("e1", "other", "entity candidate"), ("e2", "order", "came through `stranger`")] {
        let work = flow(what, None);
        let error = world.engine.act(&tenant(), &ask(record(&world, who).await, work)).await.unwrap_err();
        assert!(matches!(&error, FlowError::Refused(why) if why.english().contains(told)), "{error}");
    }
    assert!(matches!(world.engine.act(&tenant(), &ask(id, flow("nobody", None))).await, Err(FlowError::NotFound(_))));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_stays_withheld_whether_it_is_mapped_or_typed() {
    let withheld = Fields::parse(["/work/title"]).unwrap();
    for guarded in [
        |desk: &Arc<Desk>, _: &Fields| DestinationEntry { scoring: true, ..place(desk) },
        |desk: &Arc<Desk>, withheld: &Fields| DestinationEntry { withhold: withheld.clone(), ..place(desk) },
    ] {
        let desk = Arc::new(Desk::kind());
        let guarded = guarded(&desk, &withheld);
        let scoring = guarded.scoring;
        let world =
            World::new(vec![("vendor", guarded), ("hr-tool", place(&desk))], json!({}), FlowOptions::default()).await;
        world.put("hr", &[("e1", person())]).await;
        let id = record(&world, "e1").await;
        let (name, field) = if scoring { ("gender", "/person/gender") } else { ("title", "/work/title") };
        let named = json!({ "who": { name: { "code": "X" } } });
        let repeated = json!({ "note": format!("it says {CANARY} here") });
        for input in [named.clone(), repeated.clone()] {
            let error = world.engine.act(&tenant(), &ask(id, typed(to("vendor", "send"), input))).await.unwrap_err();
            let told = error.to_string();
            assert!(told.contains("withheld from connection `vendor`") && !told.contains(CANARY), "{told}");
        }
        let all = mapped(to("vendor", "send"), json!({ "all": "record" }), json!(["*"]));
        world.engine.act(&tenant(), &ask(id, all)).await.unwrap();
        world.until(DeliveryState::Delivered, 1).await;
        let asked = mapped(to("vendor", "send"), json!({ "number": "record.number" }), json!(["/number", field]));
        assert!(matches!(world.engine.plan_by_hand(&tenant(), &ask(id, asked)).await, Err(FlowError::Defects(_))));
        let seen = desk.inputs();
        assert_eq!((seen.len(), &seen[0]["all"]["number"]), (1, &json!("1")));
        assert!(seen.iter().all(|input| input["all"].pointer(field).is_none()), "{seen:?}");
        // Elsewhere nothing of it is withheld.
        for input in [named, repeated] {
            world.engine.act(&tenant(), &ask(id, typed(to("hr-tool", "send"), input))).await.unwrap();
        }
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_withheld_after_a_person_asked_and_before_it_was_sent_is_not_sent() {
    let away = Arc::new(Desk::new(|_| Err(Failure::new(renmen_schema::FailureKind::UpstreamUnavailable, "away"))));
    let world = World::new(vec![("vendor", place(&away))], json!({}), FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    let typed = ask(id, typed(to("vendor", "send"), json!({ "note": CANARY })));
    let mapped = ask(id, mapped(to("vendor", "send"), json!({ "all": "record" }), json!(["*"])));
    world.engine.act(&tenant(), &typed).await.unwrap();
    world.engine.act(&tenant(), &mapped).await.unwrap();
    world.settle().await;

    let desk = Arc::new(Desk::kind());
    let withhold = Fields::parse(["/work/title", "/person/gender"]).unwrap();
    let guarded = DestinationEntry { withhold, ..place(&desk) };
    let world = World::over(world.kill().await, vec![("vendor", guarded)], json!({}), FlowOptions::default()).await;
    world.until(DeliveryState::Dead, 1).await;
    world.until(DeliveryState::Delivered, 1).await;
    let sent = desk.inputs();
    assert_eq!((sent.len(), &sent[0]["all"]["number"]), (1, &json!("1")));
    assert!(!sent[0].to_string().contains(CANARY));
    let dead = world.deliveries().await.into_iter().find(|row| row.state == DeliveryState::Dead).unwrap();
    assert!(dead.error.unwrap().contains("do the action again"));
    let error = world.engine.replay(&tenant(), dead.id).await.unwrap_err();
    assert!(error.to_string().contains("do the action again"), "{error}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_the_same_over_and_over_is_stopped_and_so_is_a_program_that_answers_each_change() {
    let desk = Arc::new(Desk::kind());
    let options = FlowOptions { repeats_max: 3, hops_max: 2, ..FlowOptions::default() };
    let world = World::new(vec![("vendor", place(&desk))], json!({}), options).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    let same = ask(id, typed(to("vendor", "send"), json!({ "id": "1" })));
    for _ in 0..3 {
        world.engine.act(&tenant(), &same).await.unwrap();
    }
    let plan = world.engine.plan_by_hand(&tenant(), &same).await.unwrap();
    assert!(plan.refused.unwrap().english().contains("repeats_max"), "the dry run says so");
    assert!(
        matches!(world.engine.act(&tenant(), &same).await, Err(FlowError::Refused(why)) if why.english().contains("repeats_max"))
    );
    let other = ask(id, typed(to("vendor", "send"), json!({ "id": "2" })));
    world.engine.act(&tenant(), &other).await.unwrap();

    // Each act changes a record at the vendor, whose change is answered with the next act.
    let mut stopped = None;
    for round in 0..6 {
        let body = json!({ "number": format!("{round}") });
        put(&world.store, "vendor", &[("v1", body)], renmen_flow::Clock::now_ms(&*world.clock)).await;
        let next = ask(record(&world, "v1").await, typed(to("vendor", "send"), json!({ "round": round })));
        match world.engine.act(&tenant(), &next).await {
            Ok(_) => world.settle().await,
            Err(error) => {
                stopped = Some((round, error.to_string()));
                break;
            }
        }
    }
    let (round, why) = stopped.unwrap();
    assert!(round == 3 && why.contains("hops_max"), "{round}: {why}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_killed_after_a_person_acted_sends_it_once_after_its_start() {
    let never = Arc::new(Desk::kind().taking(std::time::Duration::from_secs(3_600)));
    let world = World::new(vec![("vendor", strict(&never))], json!({}), FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    let once = HandAsk {
        idempotency_key: Some("k".into()),
        ..ask(id, typed(to("vendor", "cancel"), json!({ "id": "ord-1" })))
    };
    let made = world.engine.act(&tenant(), &once).await.unwrap().delivery;
    let desk = Arc::new(Desk::kind());
    let world =
        World::over(world.kill().await, vec![("vendor", strict(&desk))], json!({}), FlowOptions::default()).await;
    let again = world.engine.act(&tenant(), &once).await.unwrap();
    assert_eq!((again.is_new, again.delivery.id), (false, made.id), "it is known after the start too");
    world.until(DeliveryState::Delivered, 1).await;
    world.settle().await;
    assert_eq!(desk.inputs().len(), 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_about_a_record_that_was_deleted() {
    let desk = Arc::new(Desk::kind());
    let world = World::new(vec![("vendor", place(&desk))], json!({}), FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    let id = record(&world, "e1").await;
    crate::world::delete(&world.store, "hr", "e1", renmen_flow::Clock::now_ms(&*world.clock)).await;
    let error = world.engine.act(&tenant(), &ask(id, typed(to("vendor", "send"), json!({})))).await.unwrap_err();
    assert!(matches!(&error, FlowError::Refused(why) if why.english().contains("deleted")), "{error}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_sends_an_endpoint_a_change_that_did_not_happen() {
    let desk = Arc::new(Desk::kind());
    let told = DestinationEntry::new(Arc::new(Told(Arc::clone(&desk))));
    let flows = json!({ "tell": crate::world::flow("endpoint") });
    let world = World::new(vec![("endpoint", told)], flows, FlowOptions::default()).await;
    world.put("hr", &[("e1", person())]).await;
    world.until(DeliveryState::Delivered, 1).await;
    let id = record(&world, "e1").await;
    assert!(world.engine.actions(&tenant()).is_empty());
    for work in [
        typed(to("endpoint", "send"), json!({ "number": "9" })),
        mapped(to("endpoint", "send"), json!({ "number": "'9'" }), Value::Null),
        HandWork::Flow { name: "tell".into(), map: None },
    ] {
        for error in [
            world.engine.plan_by_hand(&tenant(), &ask(id, work.clone())).await.unwrap_err(),
            world.engine.act(&tenant(), &ask(id, work.clone())).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, FlowError::Refused(why) if why.english().contains("endpoints/endpoint/replay")),
                "{error}"
            );
        }
    }
    world.settle().await;
    assert_eq!(desk.inputs().len(), 1, "what a flow sent");
    world.end().await;
}
