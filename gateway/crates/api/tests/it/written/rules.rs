//! Decision rules that people write, besides those of the configuration file.

use axum::http::StatusCode;
use renmen_schema::id::{StreamName, TenantId};
use renmen_store::{AuthoredCommit, AuthoredRecord, FILE_RULES_STREAM};
use serde_json::json;

use super::{Desk, path, rule};
use crate::rig::BEGIN_MS;

/// As the interview loop publishes a rule of the file.
async fn of_file(desk: &Desk, name: &str) {
    let stream = StreamName::new(FILE_RULES_STREAM).unwrap();
    let mut commit = AuthoredCommit::of(TenantId::new("acme").unwrap(), stream, BEGIN_MS);
    commit.records.push(AuthoredRecord {
        entity: "decision_rule".into(),
        external_id: name.into(),
        body: rule(name, None, "80").to_string().into_bytes(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    desk.rig.store.author(commit).await.unwrap();
}

#[tokio::test]
async fn a_rule_of_the_file_is_changed_in_the_file() {
    let desk = Desk::new().await;
    of_file(&desk, "default").await;
    let record = desk.rig.get("/v1/decision-rules").await.json()["data"][0].clone();
    let at = path("decision-rules", &record);
    for answer in [desk.put(&at, 1, rule("default", None, "70")).await, desk.delete(&at, 1).await] {
        let detail = answer.problem("refused")["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("`interview.rules.default`"), "{detail}");
    }
    // Its id is taken, and so is what it is for.
    let ask = json!({ "external_id": "default", "reason": "r", "body": rule("mine", Some("j1"), "70") });
    desk.send("POST", "/v1/decision-rules", &[], &ask).await.problem("refused");
    let same = desk.post("decision-rules", rule("mine", None, "70")).await.problem("refused");
    assert!(same["detail"].as_str().unwrap().contains("`interview.rules.default` of the configuration file"), "{same}");
    let name = desk.post("decision-rules", rule("default", Some("j1"), "70")).await.problem("refused");
    assert!(name["detail"].as_str().unwrap().contains("same name"), "{name}");
    assert_eq!(desk.rig.get(&at).await.json()["revision"], 1);
    assert_eq!(desk.post("decision-rules", rule("mine", Some("j1"), "70")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn two_rules_in_force_are_never_for_the_same_thing() {
    let desk = Desk::new().await;
    let first = desk.made("decision-rules", "r1", rule("sales", Some("j1"), "70")).await;
    let refused = desk.post("decision-rules", rule("other", Some("j1"), "60")).await.problem("refused");
    assert_eq!(refused["related"], path("decision-rules", &first));
    let mut version = rule("other", Some("j1"), "60");
    version["profile_version"] = json!(2);
    let second = desk.made("decision-rules", "r2", version.clone()).await;
    // Another rule that is not in force is allowed for the same job, until it comes into force.
    let mut idle = rule("idle", Some("j1"), "50");
    idle["active"] = json!(false);
    let third = desk.made("decision-rules", "r3", idle.clone()).await;
    idle["active"] = json!(true);
    desk.put(&path("decision-rules", &third), 1, idle.clone()).await.problem("refused");
    let mut retired = rule("sales", Some("j1"), "70");
    retired["active"] = json!(false);
    assert_eq!(desk.put(&path("decision-rules", &first), 1, retired).await.status, StatusCode::OK);
    assert_eq!(desk.put(&path("decision-rules", &third), 1, idle).await.status, StatusCode::OK);
    // It may change without being in its own way.
    version["pass"] = json!("65");
    assert_eq!(desk.put(&path("decision-rules", &second), 1, version).await.status, StatusCode::OK);
    let bad = desk.post("decision-rules", rule("bad", Some("j9"), "101")).await.problem("invalid_record");
    assert_eq!(bad["errors"][0]["pointer"], "/body/pass");
}

#[tokio::test]
async fn of_two_rules_for_one_thing_at_once_one_is_taken() {
    let desk = Desk::new().await;
    let both = ["a", "b"].map(|name| desk.post("decision-rules", rule(name, Some("j1"), "70")));
    let statuses: Vec<_> =
        futures_util::future::join_all(both).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert!(statuses == [201, 409] || statuses == [409, 201], "{statuses:?}");
}
