//! Creating, changing, taking away: revisions, the feed, who wrote and why.

use axum::http::StatusCode;
use renmen_schema::EntityKind;
use renmen_store::KeyRole;
use serde_json::{Value, json};

use super::{Desk, competency, job, path, profile, rule};

#[tokio::test]
async fn what_a_person_writes_is_a_record_with_revisions_lineage_and_changes() {
    let desk = Desk::new().await;
    let ask = json!({ "external_id": "sales", "reason": "新岗位需要", "body": competency("Sales") });
    let made = desk.send("POST", "/v1/competencies", &[], &ask).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let record = made.json();
    let at = path("competencies", &record);
    assert_eq!(made.headers["location"].to_str().unwrap(), at);
    assert_eq!((made.headers["etag"].to_str().unwrap(), &record["revision"]), ("\"1\"", &json!(1)));
    assert_eq!(record["source"]["connection"], "renmen");
    assert_eq!(record["external_ids"][0]["value"], "sales");
    let read = desk.rig.get(&at).await;
    assert_eq!(
        (read.headers["etag"].to_str().unwrap(), read.json()["body"].clone()),
        ("\"1\"", record["body"].clone())
    );

    let changed = desk.put(&at, 1, competency("Selling")).await;
    assert_eq!(
        (changed.status, changed.headers["etag"].to_str().unwrap()),
        (StatusCode::OK, "\"2\""),
        "{}",
        changed.text
    );
    let same = desk.put(&at, 2, competency("Selling")).await;
    assert_eq!(same.json()["revision"], 2, "an unchanged record writes nothing");
    let gone = desk.delete(&at, 2).await;
    assert_eq!((gone.status, gone.text.as_str()), (StatusCode::NO_CONTENT, ""));

    let detail = desk.rig.get(&format!("{at}?include=revisions,lineage")).await.json();
    assert_eq!(detail["deletion"]["detected_by"], "MANUAL");
    assert_eq!(detail["body"]["name"]["en"], "Selling", "a tombstone keeps the last body");
    let by: Vec<_> = detail["written_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|by| (&by["revision"], &by["person"], &by["reason"]))
        .collect();
    let person = json!("test");
    assert_eq!(
        by,
        [
            (&json!(3), &person, &json!("over")),
            (&json!(2), &person, &json!("again")),
            (&json!(1), &person, &json!("新岗位需要"))
        ]
    );
    assert_eq!(detail["lineage"]["origin"]["connection"], "renmen");
    assert!(desk.rig.get(&at).await.json().get("written_by").is_none());
    assert_eq!(desk.changes(record["id"].as_str().unwrap()).await, ["created", "updated", "deleted"]);
    // What is gone is not changed; it can come back under its id.
    desk.put(&at, 3, competency("Selling")).await.problem("not_found");
    let back = desk.made("competencies", "sales", competency("Sales")).await;
    assert_eq!((&back["id"], &back["revision"]), (&record["id"], &json!(4)));
}

#[tokio::test]
async fn each_kind_that_people_write_is_taken_and_no_other_is() {
    let desk = Desk::new().await;
    desk.made("competencies", "c1", competency("Sales")).await;
    let of = |kind: &str, id: &str| json!({ "external": { "connection": kind, "value": id } });
    let bodies = [
        ("position-profiles", profile(1, "c1", None)),
        (
            "questions",
            json!({ "text": { "en": "Why?" }, "kind": { "code": "OPEN" }, "active": true,
            "competencies": [{ "external": { "value": "c1" } }], "prep_s": 30, "max_s": 120 }),
        ),
        ("decision-rules", rule("sales", Some("j1"), "70")),
        (
            "tags",
            json!({ "category": { "code": "TALENT" }, "value": "fluent", "on": { "application": of("hr", "a1") } }),
        ),
        ("surveys", json!({ "interview": of("vendor", "i1"), "comment": "fine" })),
        (
            "market-pay",
            json!({ "role": { "en": "Engineer" }, "source": { "publisher": "P", "published_on": "2026-01-01" },
            "stat": { "p50": "10000", "currency": "CNY", "per": "MONTH" } }),
        ),
        (
            "consents",
            json!({ "person": of("hr", "p1"), "purpose": ["hiring"], "legal_basis": { "code": "CONSENT" }, "status": "GIVEN" }),
        ),
    ];
    for (collection, body) in &bodies {
        let made = desk.post(collection, body.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{collection}: {}", made.text);
        assert!(!made.json()["external_ids"][0]["value"].as_str().unwrap().is_empty(), "the gateway makes an id");
    }
    assert_eq!(bodies.len() + 1, EntityKind::WRITTEN_BY_PEOPLE.len(), "each kind is written here");
    for kind in EntityKind::ALL.iter().filter(|kind| !kind.is_written_by_people()) {
        let refused = desk.post(kind.collection(), json!({})).await;
        // An instruction to a vendor is proposed, and has a way of its own from there.
        let code = if *kind == EntityKind::ModelAdjustment { "invalid_body" } else { "method_not_allowed" };
        refused.problem(code);
    }
}

#[tokio::test]
async fn only_an_owner_writes_and_only_its_own_tenants_records() {
    let desk = Desk::new().await;
    let record = desk.made("competencies", "c1", competency("Sales")).await;
    let (at, ask) = (path("competencies", &record), json!({ "reason": "r", "body": competency("Sales") }));
    let vendor = renmen_schema::id::ConnectionName::new("hr").unwrap();
    for role in [KeyRole::Consumer, KeyRole::Vendor(vendor)] {
        let key = desk.rig.key_of("acme", role).await;
        for (method, path) in [("POST", "/v1/competencies"), ("PUT", at.as_str()), ("DELETE", at.as_str())] {
            desk.send_as(&key, method, path, &[("if-match", "\"1\"")], &ask).await.problem("forbidden");
        }
    }
    let theirs = desk.send_as(&desk.rig.other, "PUT", &at, &[("if-match", "\"1\"")], &ask).await;
    theirs.problem("not_found");
    let gone = format!("{at}?reason=r");
    desk.send_as(&desk.rig.other, "DELETE", &gone, &[("if-match", "\"1\"")], &Value::Null).await.problem("not_found");
    // The same id is free in another tenant.
    let ask = json!({ "external_id": "c1", "reason": "r", "body": competency("Sales") });
    assert_eq!(desk.send_as(&desk.rig.other, "POST", "/v1/competencies", &[], &ask).await.status, 201);
}

#[tokio::test]
async fn who_set_a_tag_is_the_keys_name_and_no_word_of_the_body() {
    let desk = Desk::new().await;
    let tag =
        |value: &str| json!({ "category": { "code": "TALENT" }, "value": value, "on": { "application": job("a1") } });
    let record = desk.made("tags", "t1", tag("fluent")).await;
    assert_eq!(record["body"]["set_by"], "test");
    // As it was read, it can be sent back; another name cannot.
    let mut again = record["body"].clone();
    again["value"] = json!("very fluent");
    let at = path("tags", &record);
    assert_eq!(desk.put(&at, 1, again.clone()).await.json()["body"]["set_by"], "test");
    again["set_by"] = json!("Somebody Else");
    let refused = desk.put(&at, 2, again).await.problem("invalid_record");
    assert_eq!(
        (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
        (&json!("/body/set_by"), &json!("not_yours"))
    );
}
