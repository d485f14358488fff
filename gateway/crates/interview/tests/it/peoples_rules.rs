//! Rules that people write decide on the results that come from then on.

use std::sync::Arc;

use renmen_interview::Clock as _;
use renmen_records::{Act, Ask, Desk, Writer};
use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use renmen_store::RecordRow;
use serde_json::{Value, json};

use crate::bed::{Bed, tenant};
use crate::vendor::{Looped, options};

/// A person at the API of a gateway over the same store.
struct Person {
    desk: Desk,
}

impl Person {
    fn of(bed: &Bed) -> Self {
        Self { desk: Desk::new(Arc::clone(&bed.store)) }
    }

    async fn act(&self, bed: &Bed, act: Act) -> RecordRow {
        let writer = Writer { tenant: tenant(), person: "Li Na".into(), key: "00ff".into() };
        let ask = Ask { writer, kind: EntityKind::DecisionRule, act, reason: "r".into(), repeatable: None };
        self.desk.write(&ask, bed.clock.now_ms()).await.unwrap()
    }

    async fn rule(&self, bed: &Bed, body: &Value) -> RecordRow {
        self.act(bed, Act::Create { external_id: None, body: body.to_string().into_bytes() }).await
    }
}

fn rule(pass: &str) -> Value {
    json!({ "name": "pos-1", "position": "pos-1", "pass": pass, "active": true })
}

async fn outcome(looped: &Looped, interview: &str) -> (String, String, RecordId, u64) {
    let of = |row: RecordRow| serde_json::from_slice::<Value>(&row.body).unwrap();
    let all = looped.bed.find("decision", None).await.into_iter().map(of);
    let mut of_this: Vec<Value> = all.filter(|body| body["interview"]["external"]["value"] == interview).collect();
    assert_eq!(of_this.len(), 1, "{interview}");
    let body = of_this.remove(0);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let inputs = body["inputs"].as_array().unwrap();
    let by = inputs.iter().find(|input| input["entity"] == "decision_rule").unwrap();
    let (record, revision) = (text(&by["record"]).parse().unwrap(), by["revision"].as_u64().unwrap());
    (text(&body["outcome"]), text(&body["rule"]["rule_id"]), record, revision)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_decides_from_when_it_is_written_to_when_it_is_taken_away() {
    let looped = Looped::new("80", None).await;
    let person = Person::of(&looped.bed);
    looped.result("int-1", "70").await;
    looped.catch_up().await;
    assert_eq!(outcome(&looped, "int-1").await.0, "FAIL");

    // A rule for the position beats the one for every position; nothing was started again.
    let written = person.rule(&looped.bed, &rule("65")).await;
    looped.result("int-2", "70").await;
    looped.catch_up().await;
    assert_eq!(outcome(&looped, "int-2").await, ("PASS".into(), "pos-1".into(), written.id, 1));
    assert_eq!(outcome(&looped, "int-1").await.0, "FAIL", "what was decided stays");

    let body = rule("75").to_string().into_bytes();
    person.act(&looped.bed, Act::Replace { id: written.id, revision: Some(1), body }).await;
    looped.result("int-3", "70").await;
    looped.catch_up().await;
    assert_eq!(outcome(&looped, "int-3").await, ("FAIL".into(), "pos-1".into(), written.id, 2));

    person.act(&looped.bed, Act::Remove { id: written.id, revision: Some(2) }).await;
    looped.result("int-4", "85").await;
    looped.catch_up().await;
    let (said, by, ..) = outcome(&looped, "int-4").await;
    assert_eq!((said.as_str(), by.as_str()), ("PASS", "default"));
    assert_eq!(outcome(&looped, "int-2").await.0, "PASS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_gateway_over_the_same_store_decides_by_it_too() {
    let looped = Looped::new("80", None).await;
    let beside = looped.beside(options("80", None)).await;
    beside.catch_up().await.unwrap();
    let written = Person::of(&looped.bed).rule(&looped.bed, &rule("60")).await;
    looped.result("int-1", "70").await;
    beside.catch_up().await.unwrap();
    assert_eq!(outcome(&looped, "int-1").await, ("PASS".into(), "pos-1".into(), written.id, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_may_have_rules_where_the_file_has_none() {
    let bed = Bed::new().await;
    let none = renmen_interview::LoopOptions { rules: Vec::new(), ..options("80", None) };
    let looped = Looped::with(bed, none).await;
    looped.result("int-1", "70").await;
    looped.catch_up().await;
    assert!(looped.bed.find("decision", None).await.is_empty(), "there is no rule");
    let all = json!({ "name": "all", "pass": "60", "active": true });
    let written = Person::of(&looped.bed).rule(&looped.bed, &all).await;
    looped.result("int-2", "70").await;
    looped.catch_up().await;
    assert_eq!(outcome(&looped, "int-2").await, ("PASS".into(), "all".into(), written.id, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_the_file_gets_later_wins_and_takes_no_record_of_a_person() {
    let looped =
        Looped::with(Bed::new().await, renmen_interview::LoopOptions { rules: Vec::new(), ..options("80", None) })
            .await;
    let all = json!({ "name": "all", "pass": "60", "active": true });
    let act = Act::Create { external_id: Some("default".into()), body: all.to_string().into_bytes() };
    let written = Person::of(&looped.bed).act(&looped.bed, act).await;
    // The operator writes `[interview.rules.default]` for the same and starts the gateway again.
    let looped = looped.reopened("80", None).await;
    looped.result("int-1", "70").await;
    looped.catch_up().await;
    let (said, by, record, _) = outcome(&looped, "int-1").await;
    assert_eq!((said.as_str(), by.as_str()), ("FAIL", "default"));
    assert_ne!(record, written.id);
    let rules = looped.desk.progress(&tenant()).unwrap().rules;
    let told: Vec<_> =
        rules.iter().map(|rule| (rule.name.as_str(), rule.from_file, rule.overruled_by.as_deref())).collect();
    assert_eq!(told, [("default", true, None), ("all", false, Some("default"))]);
    let row = looped.bed.store.record(&tenant(), written.id).await.unwrap().unwrap();
    assert_eq!((row.revision, serde_json::from_slice::<Value>(&row.body).unwrap()), (1, all));
}
