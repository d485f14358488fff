//! What is known of how groups of people fared: one role reads it, by no way does another.

use renmen_schema::id::{StreamName, TenantId};
use renmen_store::{AuthoredCommit, AuthoredRecord, KeyRole};
use serde_json::{Value, json};

use crate::rig::{BEGIN_MS, Rig};

/// A rig with an audit and an employee; the audit's id.
async fn rig() -> (Rig, String) {
    let rig = Rig::new().await;
    let body = json!({
        "scope": { "window": { "start": "2026-01-01", "end": "2026-03-31" } },
        "groups": [{ "attribute": "gender", "value": "FEMALE", "n": 200, "selected_n": 79 }],
        "flag_below": "0.8",
    });
    let (tenant, stream) = (TenantId::new("acme").unwrap(), StreamName::new("insight-fairness").unwrap());
    let mut commit = AuthoredCommit::of(tenant, stream, BEGIN_MS);
    commit.records.push(AuthoredRecord {
        entity: "bias_audit".into(),
        external_id: "fairness/gender".into(),
        body: body.to_string().into_bytes(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    let id = rig.store.author(commit).await.unwrap().ids[0].to_string();
    rig.employees(&[("1", "00001")]).await;
    (rig, id)
}

#[tokio::test]
async fn an_auditor_reads_audits_and_nothing_else() {
    let (rig, id) = rig().await;
    let auditor = rig.key_of("acme", KeyRole::Auditor).await;
    let read = async |path: &str| rig.ask_as(&auditor, "GET", path, None).await;
    assert_eq!(read("/v1/bias-audits").await.json()["data"][0]["body"]["groups"][0]["selected_n"], 79);
    assert_eq!(read(&format!("/v1/bias-audits/{id}")).await.json()["id"], json!(id));
    for path in ["/v1/employees", "/v1/changes", "/v1/changes/stream", "/v1/insight-records", "/v1/runs", "/v1/keys"] {
        read(path).await.problem("forbidden");
    }
}

#[tokio::test]
async fn no_other_key_reads_audits_by_any_way() {
    let (rig, id) = rig().await;
    let consumer = rig.key_of("acme", KeyRole::Consumer).await;
    for key in [&rig.key, &consumer] {
        let read = async |path: &str| rig.ask_as(key, "GET", path, None).await;
        for path in ["/v1/bias-audits".to_owned(), format!("/v1/bias-audits/{id}"), format!("/v1/employees/{id}")] {
            let answer = read(&path).await;
            assert!([403, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.text);
            assert!(!answer.text.contains("FEMALE"), "{path}: {}", answer.text);
        }
        // The feed goes past it, with and without records, and to its end.
        for path in ["/v1/changes", "/v1/changes?include=record", "/v1/changes?limit=1"] {
            let answer = read(path).await.json();
            let entities: Vec<&Value> = answer["data"].as_array().unwrap().iter().map(|one| &one["entity"]).collect();
            assert!(entities.iter().all(|entity| *entity == "employee"), "{path}: {answer}");
        }
        let first = read("/v1/changes?limit=1").await.json();
        let next = first["next_cursor"].as_str().unwrap();
        let second = read(&format!("/v1/changes?after={next}")).await.json();
        assert_eq!(second["data"][0]["entity"], "employee", "{second}");
        read("/v1/changes?entity=bias_audit").await.problem("forbidden");
        read("/v1/changes/stream?entity=bias_audit").await.problem("forbidden");
    }
}

#[tokio::test]
async fn the_question_is_asked_with_the_same_key_alone_however_its_path_is_written() {
    let (rig, _) = rig().await;
    let consumer = rig.key_of("acme", KeyRole::Consumer).await;
    let auditor = rig.key_of("acme", KeyRole::Auditor).await;
    for key in [&rig.key, &consumer] {
        for path in ["/v1/insights/fairness", "/v1/insights/fairness?format=csv"] {
            rig.ask_as(key, "GET", path, None).await.problem("forbidden");
        }
        // A path that only resembles that of the question leads nowhere.
        for path in ["/v1/insights/fairnes%73", "/v1/insights/%66airness", "/v1/insights/Fairness"] {
            rig.ask_as(key, "GET", path, None).await.problem("not_found");
        }
    }
    rig.ask_as(&rig.key, "POST", "/v1/insights/fairness", None).await.problem("forbidden");
    rig.ask_as(&rig.key, "POST", "/v1/insights/fairnes%73", None).await.problem("not_found");
    let answer = rig.ask_as(&auditor, "GET", "/v1/insights/fairness?from=2026-01-01&to=2026-03-31", None).await.json();
    assert_eq!((&answer["question"], &answer["window"]["end"]), (&json!("fairness"), &json!("2026-03-31")));
    let csv = rig.ask_as(&auditor, "GET", "/v1/insights/fairness?format=csv", None).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    rig.ask_as(&auditor, "GET", "/v1/insights/funnel", None).await.problem("forbidden");
}

#[tokio::test]
async fn no_flow_no_endpoint_and_no_action_by_hand_carries_an_audit() {
    let (rig, id) = rig().await;
    let flow = json!({
        "when": { "entity": "bias_audit" },
        "fields": ["/groups"],
        "map": "record",
        "to": { "connection": "hr", "action": "employee.upsert" },
    });
    let refused = rig.ask_as(&rig.key, "PUT", "/v1/flows/audits", Some(&flow)).await.problem("invalid_definition");
    assert!(refused["detail"].as_str().unwrap().contains("only a key made for audits"), "{refused}");
    let endpoint =
        json!({ "url": "https://example.com/", "entities": ["bias_audit"], "fields": { "bias_audit": ["/groups"] } });
    let refused = rig.ask_as(&rig.key, "PUT", "/v1/endpoints/audits", Some(&endpoint)).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    let by_hand = json!({
        "record": id, "connection": "hr", "action": "employee.upsert", "map": { "number": "record.flag_below" },
        "fields": ["/flag_below"], "reason": "r", "dry_run": true,
    });
    rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&by_hand)).await.problem("not_found");
}
