//! Versions of position profiles, and what they rest on.

use axum::http::StatusCode;
use renmen_store::{Content, RecordWrite};
use serde_json::{Value, json};

use super::{Desk, competency, path, profile};
use crate::rig::employee;

const THEN: Option<&str> = Some("2026-01-01T00:00:00.000Z");

async fn desk() -> (Desk, Value) {
    let desk = Desk::new().await;
    let made = desk.made("competencies", "c1", competency("Sales")).await;
    (desk, made)
}

#[tokio::test]
async fn a_draft_is_edited_and_a_published_version_stays_as_it_is_r13() {
    let (desk, _) = desk().await;
    let draft = desk.made("position-profiles", "p1", profile(1, "c1", None)).await;
    let at = path("position-profiles", &draft);
    let mut edited = profile(1, "c1", None);
    edited["blocked_features"] = json!(["accent"]);
    assert_eq!(desk.put(&at, 1, edited).await.status, StatusCode::OK);
    // It stays the version of its position.
    let moved = desk.put(&at, 2, profile(2, "c1", None)).await.problem("invalid_record");
    assert_eq!(moved["errors"][0]["pointer"], "/body/version");
    let mut other = profile(1, "c1", None);
    other["position"]["external"]["value"] = json!("j2");
    let moved = desk.put(&at, 2, other).await.problem("invalid_record");
    assert_eq!(moved["errors"][0]["pointer"], "/body/position");
    let later = desk.put(&at, 2, profile(1, "c1", Some("2999-01-01T00:00:00.000Z"))).await.problem("invalid_record");
    assert_eq!(later["errors"][0]["pointer"], "/body/published_at");

    assert_eq!(desk.put(&at, 2, profile(1, "c1", THEN)).await.status, StatusCode::OK, "published");
    for answer in [desk.put(&at, 3, profile(1, "c1", None)).await, desk.put(&at, 3, profile(1, "c1", THEN)).await] {
        let detail = answer.problem("refused")["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("version 1 is published") && detail.contains("POST version 2"), "{detail}");
    }
    desk.delete(&at, 3).await.problem("refused");
    assert_eq!(desk.rig.get(&at).await.json()["revision"], 3);
}

#[tokio::test]
async fn versions_rise_by_one_and_one_of_them_is_a_draft_r14() {
    let (desk, _) = desk().await;
    let skipped = desk.post("position-profiles", profile(2, "c1", THEN)).await.problem("refused");
    assert!(skipped["detail"].as_str().unwrap().contains("is 1, not 2"), "{skipped}");
    desk.made("position-profiles", "p1", profile(1, "c1", THEN)).await;
    desk.post("position-profiles", profile(1, "c1", THEN)).await.problem("refused");
    let draft = desk.made("position-profiles", "p2", profile(2, "c1", None)).await;
    let open = desk.post("position-profiles", profile(3, "c1", None)).await.problem("refused");
    assert_eq!(open["related"], path("position-profiles", &draft));
    assert_eq!(desk.delete(&path("position-profiles", &draft), 1).await.status, StatusCode::NO_CONTENT);
    desk.made("position-profiles", "p3", profile(2, "c1", THEN)).await;
    desk.made("position-profiles", "p4", profile(3, "c1", THEN)).await;

    // Of two at once with the same number one is taken.
    let both = [
        desk.post("position-profiles", profile(4, "c1", THEN)),
        desk.post("position-profiles", profile(4, "c1", THEN)),
    ];
    let statuses: Vec<_> =
        futures_util::future::join_all(both).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert!(statuses == [201, 409] || statuses == [409, 201], "{statuses:?}");
}

#[tokio::test]
async fn the_versions_of_a_position_are_listed_however_the_position_is_named() {
    let (desk, _) = desk().await;
    let job = |id: &str| {
        let body = json!({ "title": { "en": "Engineer" }, "status": { "code": "OPEN" } }).to_string().into_bytes();
        RecordWrite { content: Content::of("job", body), ..employee(id, "") }
    };
    desk.rig.commit(vec![job("j1"), job("j2")], Vec::new()).await;
    let jobs = desk.rig.get("/v1/jobs").await.json();
    let id = |at: usize| jobs["data"][at]["id"].as_str().unwrap().to_owned();
    desk.made("position-profiles", "p1", profile(1, "c1", THEN)).await;
    let mut second = profile(2, "c1", THEN);
    second["position"] = json!({ "id": id(0) });
    desk.made("position-profiles", "p2", second.clone()).await;
    second["position"] = json!({ "id": id(1) });
    second["version"] = json!(1);
    desk.made("position-profiles", "other", second).await;
    let listed = async |query: &str| {
        let list = desk.rig.get(&format!("/v1/position-profiles?{query}")).await;
        assert_eq!(list.status, StatusCode::OK, "{}", list.text);
        let list = list.json();
        let ids = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["external_ids"][0]["value"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), list["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(listed("").await.0.len(), 3);
    assert_eq!(listed(&format!("position={}", id(0))).await, (vec!["p1".into(), "p2".into()], None));
    assert_eq!(listed(&format!("position={}", id(1))).await.0, ["other"]);
    let (first, next) = listed(&format!("position={}&limit=1", id(0))).await;
    assert_eq!(first, ["p1"]);
    assert_eq!(listed(&format!("position={}&limit=1&cursor={}", id(0), next.unwrap())).await.0, ["p2"]);
    assert!(listed("position=0194d6a0-0000-7000-8000-000000000000").await.0.is_empty());
    desk.rig.get("/v1/position-profiles?position=17").await.problem("invalid_parameter");
}

#[tokio::test]
async fn a_competency_that_a_published_version_names_stays() {
    let (desk, c1) = desk().await;
    let c2 = desk.made("competencies", "c2", competency("Writing")).await;
    desk.made("position-profiles", "p1", profile(1, "c1", THEN)).await;
    let mut by_id = profile(2, "c1", THEN);
    by_id["competencies"][0]["competency"] = json!({ "id": c1["id"] });
    desk.made("position-profiles", "p2", by_id).await;
    let draft = desk.made("position-profiles", "p3", profile(3, "c2", None)).await;
    let refused = desk.delete(&path("competencies", &c1), 1).await.problem("refused");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("position_profile `p1`, position_profile `p2`"), "{detail}");
    assert!(refused["related"].as_str().unwrap().starts_with("/v1/position-profiles/"));
    // A draft holds nothing; it cannot be published any more until it names something else.
    assert_eq!(desk.delete(&path("competencies", &c2), 1).await.status, StatusCode::NO_CONTENT);
    let at = path("position-profiles", &draft);
    let dangling = desk.put(&at, 1, profile(3, "c2", THEN)).await.problem("invalid_record");
    assert_eq!(dangling["errors"][0]["code"], "unknown_reference");
    assert_eq!(desk.put(&at, 1, profile(3, "c1", THEN)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_question_belongs_to_versions_and_holds_its_competencies_while_it_is_asked_r17() {
    let (desk, c1) = desk().await;
    let version = desk.made("position-profiles", "p1", profile(1, "c1", None)).await;
    let scenario = |active: bool| {
        json!({ "text": { "en": "What do you do?" }, "scenario": { "en": "A customer waits." }, "kind": { "code": "SCENARIO" },
            "profiles": [{ "external": { "value": "p1" } }], "competencies": [{ "external": { "value": "c1" } }], "active": active })
    };
    let question = desk.made("questions", "q1", scenario(true)).await;
    assert_eq!(question["body"]["profiles"][0]["external"]["value"], "p1");
    let detail = desk.delete(&path("competencies", &c1), 1).await.problem("refused")["detail"].to_string();
    assert!(detail.contains("question `q1`"), "{detail}");
    desk.put(&path("questions", &question), 1, scenario(false)).await;
    assert_eq!(desk.delete(&path("competencies", &c1), 1).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.delete(&path("position-profiles", &version), 1).await.status, StatusCode::NO_CONTENT);
    let gone = desk.post("questions", scenario(true)).await.problem("invalid_record");
    assert_eq!(gone["errors"].as_array().unwrap().len(), 2, "{gone}");
    let choice = json!({ "text": { "en": "Which?" }, "kind": { "code": "CHOICE" }, "active": true });
    let refused = desk.post("questions", choice).await.problem("invalid_record");
    assert_eq!(refused["errors"][0]["pointer"], "/body/options");
}
