//! Links to decisions: made for the decision that changed and for the person that the flow names, and never for the one
//! that is judged.

use std::sync::Arc;

use renmen_flow::{Catalogue, DecisionLinks, DestinationEntry, Evaluation, FlowError, FlowOptions};
use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_store::outbox::DeliveryState;
use renmen_store::{AuthoredCommit, AuthoredRecord};
use serde_json::{Value, json};

use crate::world::{Desk, World, place, tenant};

struct Paths;

impl DecisionLinks for Paths {
    fn link(&self, tenant: &TenantId, decision: RecordId, person: &str, now_ms: i64) -> Option<String> {
        assert!(now_ms > 0);
        (!person.trim().is_empty()).then(|| format!("https://renmen.example.com/{tenant}/{decision}/{person}"))
    }
}

fn asks(text: &str) -> Value {
    json!({
        "when": { "entity": "decision", "connection": "renmen", "if": "record.status == 'AWAITING_PERSON'" },
        "fields": ["/reason"],
        "to": { "connection": "chat", "action": "send" },
        "map": { "text": text },
    })
}

async fn world(place: DestinationEntry, links: bool) -> World {
    let world = World::new(vec![], json!({}), FlowOptions::default()).await;
    let mut catalogue = Catalogue::default();
    catalogue.add(ConnectionName::new("chat").unwrap(), place);
    if links {
        catalogue.add_links(Arc::new(Paths));
    }
    world.engine.replace_catalogue(&tenant(), catalogue);
    world
}

async fn decide(world: &World) -> RecordId {
    let body = json!({ "status": "AWAITING_PERSON", "reason": { "und": "wang.wei" } });
    let mut commit = AuthoredCommit::of(tenant(), StreamName::new("decisions").unwrap(), 1_772_413_200_000);
    commit.records.push(AuthoredRecord {
        entity: "decision".into(),
        external_id: "res/1".into(),
        body: body.to_string().into_bytes(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    world.store.author(commit).await.unwrap().ids[0]
}

async fn refused(world: &World, source: &Value) -> String {
    match world.engine.put(&tenant(), "ask", source).await {
        Err(FlowError::Defects(defects)) => defects.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_carries_a_link_to_its_own_decision_for_whom_the_flow_names() {
    let desk = Arc::new(Desk::kind());
    let world = world(place(&desk), true).await;
    world.engine.put(&tenant(), "ask", &asks("'decide: ' + decision_link('li.na')")).await.unwrap();
    let id = decide(&world).await;
    world.until(DeliveryState::Delivered, 1).await;
    let link = format!("decide: https://renmen.example.com/{}/{id}/li.na", tenant());
    assert_eq!(desk.inputs()[0], json!({ "text": link }));

    let dry = world.engine.dry_run(&tenant(), "ask", 5).await.unwrap();
    let Evaluation::Send(sending) = &dry[0].evaluation else { panic!("{:?}", dry[0].evaluation) };
    assert_eq!(sending.input, json!({ "text": "decide: [made when it is sent]" }), "a dry run hands out no link");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_for_a_name_that_is_none_is_not_sent() {
    let desk = Arc::new(Desk::kind());
    let world = world(place(&desk), true).await;
    world.engine.put(&tenant(), "ask", &asks("decision_link(' ')")).await.unwrap();
    decide(&world).await;
    world.until(DeliveryState::Dead, 1).await;
    let error = world.deliveries().await.remove(0).error.unwrap();
    assert!(error.contains("decision_link() cannot take this value"), "{error}");
    assert!(desk.inputs().is_empty());
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_without_an_address_is_told_with_the_key_to_write() {
    let world = world(place(&Arc::new(Desk::kind())), false).await;
    let told = refused(&world, &asks("'decide: ' + decision_link('li.na')")).await;
    assert!(told.contains("map.text") && told.contains("`public_url = \"https://…\"` in [gateway]"), "{told}");
    assert!(world.engine.put(&tenant(), "ask", &asks("'no link'")).await.is_ok());
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn no_link_goes_to_whom_is_decided_about() {
    for (is_source, scoring) in [(true, false), (false, true)] {
        let desk = Arc::new(Desk::kind());
        let world = world(DestinationEntry { is_source, scoring, ..place(&desk) }, true).await;
        let told = refused(&world, &asks("decision_link('li.na')")).await;
        assert!(told.contains("connection `chat` decide on its own results"), "{told}");
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_leads_to_a_decision_and_stands_in_a_map() {
    let world = world(place(&Arc::new(Desk::kind())), true).await;
    let mut other = asks("decision_link('li.na')");
    other["when"] = json!({ "entity": "employee" });
    other["fields"] = json!([]);
    let told = refused(&world, &other).await;
    assert!(told.contains("this flow is about `employee`"), "{told}");
    let mut condition = asks("'x'");
    condition["when"]["if"] = json!("decision_link('li.na') != ''");
    let told = refused(&world, &condition).await;
    assert!(told.contains("when.if") && told.contains("has its place in `map`"), "{told}");
    world.end().await;
}
