//! The same request again: one record, one answer.

use std::time::Duration;

use axum::http::StatusCode;
use renmen_api::ApiOptions;
use renmen_store::KeyRole;
use serde_json::{Value, json};

use super::{Desk, competency, path};

const KEY: [(&str, &str); 1] = [("idempotency-key", "import-1")];

#[tokio::test]
async fn the_same_request_gives_the_same_answer_and_writes_once() {
    let desk = Desk::new().await;
    let ask = json!({ "reason": "import", "body": competency("Sales") });
    let first = desk.send("POST", "/v1/competencies", &KEY, &ask).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let at = path("competencies", &first.json());
    desk.put(&at, 1, competency("Selling")).await;
    // Even after later changes, the answer is the one of the first time.
    let again = desk.send("POST", "/v1/competencies", &KEY, &ask).await;
    assert_eq!((again.status, &again.text), (StatusCode::CREATED, &first.text));
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(desk.rig.get("/v1/competencies").await.json()["data"].as_array().unwrap().len(), 1);
    // Another request under the same name is refused.
    for other in [
        json!({ "reason": "import", "body": competency("Else") }),
        json!({ "reason": "other", "body": competency("Sales") }),
        json!({ "external_id": "x", "reason": "import", "body": competency("Sales") }),
    ] {
        let refused = desk.send("POST", "/v1/competencies", &KEY, &other).await;
        assert_eq!(refused.status, 422);
        refused.problem("idempotency_key_reused");
    }
    // Another key has names of its own.
    let colleague = desk.rig.key_of("acme", KeyRole::Owner).await;
    let theirs = desk.send_as(&colleague, "POST", "/v1/competencies", &KEY, &ask).await;
    assert_eq!(theirs.status, StatusCode::CREATED);
    assert_ne!(theirs.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn a_change_and_a_removal_are_repeated_though_the_revision_moved() {
    let desk = Desk::new().await;
    let at = path("competencies", &desk.made("competencies", "c1", competency("Sales")).await);
    let ask = json!({ "reason": "r", "body": competency("Selling") });
    let headers = [("if-match", "\"1\""), ("idempotency-key", "change")];
    let first = desk.send("PUT", &at, &headers, &ask).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(desk.send("PUT", &at, &headers, &ask).await.text, first.text);
    let other = [("if-match", "\"2\""), ("idempotency-key", "change")];
    desk.send("PUT", &at, &other, &ask).await.problem("idempotency_key_reused");
    let gone = format!("{at}?reason=over");
    let headers = [("if-match", "\"2\""), ("idempotency-key", "removal")];
    for _ in 0..2 {
        assert_eq!(desk.send("DELETE", &gone, &headers, &Value::Null).await.status, StatusCode::NO_CONTENT);
    }
    let unnamed = [("if-match", "\"2\"")];
    desk.send("DELETE", &gone, &unnamed, &Value::Null).await.problem("not_found");
    let bad = "x".repeat(256);
    desk.send("DELETE", &gone, &[("idempotency-key", &bad)], &Value::Null).await.problem("invalid_parameter");
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_mended_under_its_name() {
    let desk = Desk::new().await;
    let bad = json!({ "reason": "import", "body": {} });
    desk.send("POST", "/v1/competencies", &KEY, &bad).await.problem("invalid_record");
    let good = json!({ "reason": "import", "body": competency("Sales") });
    assert_eq!(desk.send("POST", "/v1/competencies", &KEY, &good).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn many_at_once_under_one_name_write_once() {
    let desk = Desk::new().await;
    let ask = json!({ "reason": "import", "body": competency("Sales") });
    let all = (0..8).map(|_| desk.send("POST", "/v1/competencies", &KEY, &ask));
    let answers = futures_util::future::join_all(all).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (StatusCode::CREATED, &answers[0].text));
    }
    assert_eq!(desk.rig.get("/v1/competencies").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_no_longer() {
    let desk = Desk::with(ApiOptions { idempotency_life: Duration::ZERO, ..ApiOptions::default() }).await;
    let ask = json!({ "reason": "import", "body": competency("Sales") });
    let first = desk.send("POST", "/v1/competencies", &KEY, &ask).await.json();
    let second = desk.send("POST", "/v1/competencies", &KEY, &ask).await.json();
    assert_ne!(first["id"], second["id"], "nothing was kept, so it is another request");
}
