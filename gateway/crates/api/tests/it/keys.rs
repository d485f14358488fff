//! Who is let in.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::StreamExt as _;
use renmen_api::{ApiKey, ApiOptions};
use renmen_store::{KeyId, KeyRole};
use serde_json::{Value, json};

use crate::rig::{Answer, BEGIN_MS, Rig};
use crate::scripted_control::ScriptedControl;

/// A rig that believes a good key for this long.
async fn believing(key_cache_life: Duration) -> Rig {
    Rig::with(ApiOptions { key_cache_life, ..ApiOptions::default() }, ScriptedControl::default()).await
}

/// As the command line does, or another gateway on the same store.
async fn revoke_elsewhere(rig: &Rig, key: &ApiKey) {
    rig.store.revoke_api_key(None, KeyId::of(&key.hash()), BEGIN_MS).await.unwrap().unwrap();
}

#[tokio::test]
async fn every_documented_operation_under_v1_refuses_a_request_without_a_key() {
    let rig = Rig::new().await;
    let document = renmen_api::document();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete"].into_iter().filter(|method| item.get(method).is_some()) {
            let path = path.replace("{connection}", "hr").replace("{stream}", "staff").replace("{entity}", "employee");
            let path = path.replace("{id}", "1").replace("{name}", "staff");
            let answer = Answer::read(rig.send(&method.to_uppercase(), &path, None, &[]).await).await;
            if path.starts_with("/v1/") || path == "/metrics" {
                asked += 1;
                answer.problem("unauthorized");
                assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"renmen\"");
            } else {
                assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
            }
        }
    }
    assert!(asked > 20, "{asked}");
}

#[tokio::test]
async fn a_key_that_never_was_and_one_that_is_revoked_get_the_same_answer() {
    let rig = believing(Duration::ZERO).await;
    assert_eq!(rig.get("/v1/runs").await.status, StatusCode::OK);
    revoke_elsewhere(&rig, &rig.key).await;
    let revoked = rig.get("/v1/runs").await.problem("unauthorized");
    let stranger = ApiKey::generate().unwrap();
    let unknown = Answer::read(rig.send("GET", "/v1/runs", Some(&stranger), &[]).await).await.problem("unauthorized");
    assert_eq!(revoked["detail"], unknown["detail"]);
}

#[tokio::test]
async fn no_answer_repeats_the_key() {
    let rig = Rig::new().await;
    let stranger = ApiKey::generate().unwrap();
    for path in ["/v1/runs", "/v1/employees?limit=x", "/nowhere"] {
        let answer = Answer::read(rig.send("GET", path, Some(&stranger), &[]).await).await;
        assert!(!answer.text.contains(stranger.expose()));
        assert!(!format!("{:?}", answer.headers).contains(stranger.expose()));
    }
}

#[tokio::test]
async fn a_key_is_made_shown_once_listed_and_revoked_at_once() {
    let rig = Rig::new().await;
    let made = rig.ask_as(&rig.key, "POST", "/v1/keys", Some(&json!({ "role": "consumer", "label": "BI 报表" }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let key = ApiKey::parse(made["key"].as_str().unwrap()).unwrap();
    assert_eq!(made["id"], KeyId::of(&key.hash()).to_string());
    assert_eq!(rig.ask_as(&key, "GET", "/v1/employees", None).await.status, StatusCode::OK);

    let listed = rig.get("/v1/keys").await;
    assert!(!listed.text.contains("rk_"), "a key is shown once");
    let ours = listed.json()["data"].as_array().unwrap().iter().find(|one| one["id"] == made["id"]).cloned().unwrap();
    assert_eq!(
        (&ours["label"], &ours["role"], &ours["revoked_at"]),
        (&json!("BI 报表"), &json!("consumer"), &Value::Null)
    );

    // The gateway believes a good key for five seconds, and a key that it revoked itself not for one request.
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(rig.ask("DELETE", &path, &[]).await.status, StatusCode::NO_CONTENT);
    rig.ask_as(&key, "GET", "/v1/employees", None).await.problem("unauthorized");
    assert_eq!(rig.ask("DELETE", &path, &[]).await.status, StatusCode::NO_CONTENT, "revoked twice is revoked");
    let listed = rig.get("/v1/keys").await.json();
    let ours = listed["data"].as_array().unwrap().iter().find(|one| one["id"] == made["id"]).cloned().unwrap();
    assert!(ours["revoked_at"].is_string());
}

#[tokio::test]
async fn a_key_that_is_revoked_elsewhere_is_refused_when_the_gateway_asks_again() {
    let rig = believing(Duration::from_secs(3600)).await;
    rig.get("/v1/runs").await;
    revoke_elsewhere(&rig, &rig.key).await;
    assert_eq!(rig.get("/v1/runs").await.status, StatusCode::OK, "it is believed for that long");
    let rig = believing(Duration::ZERO).await;
    rig.get("/v1/runs").await;
    revoke_elsewhere(&rig, &rig.key).await;
    rig.get("/v1/runs").await.problem("unauthorized");
}

#[tokio::test]
async fn a_vendors_key_is_for_a_connection_that_is_there() {
    let rig = Rig::new().await;
    let make = async |body: Value| rig.ask_as(&rig.key, "POST", "/v1/keys", Some(&body)).await;
    let made = make(json!({ "role": "vendor", "label": "v", "connection": "hr", "expires_in_days": 90 })).await.json();
    assert_eq!((&made["role"], &made["connection"]), (&json!("vendor"), &json!("hr")));
    let life = |made: &Value| {
        let at = |name: &str| made[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        at("expires_at") - at("created_at")
    };
    assert_eq!(life(&made), 90 * 86_400);
    make(json!({ "role": "vendor", "label": "v", "connection": "payroll" })).await.problem("not_found");
    make(json!({ "role": "vendor", "label": "v" })).await.problem("invalid_body");
    make(json!({ "role": "owner", "label": "v", "connection": "hr" })).await.problem("invalid_body");
    make(json!({ "role": "admin", "label": "v" })).await.problem("invalid_body");
    make(json!({ "label": "v" })).await.problem("invalid_body");
    for (label, good) in
        [("x".repeat(100), true), ("x".repeat(101), false), (" ".into(), false), ("a\u{1b}[2J".into(), false)]
    {
        assert_eq!(make(json!({ "role": "owner", "label": label })).await.status.is_success(), good, "{label:?}");
    }
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for (days, good) in
        [("1", true), ("3650", true), ("90.0", true), ("0", false), ("3651", false), ("1.5", false), ("-1", false)]
    {
        let days = number(days);
        let body = json!({ "role": "owner", "label": "v", "expires_in_days": days });
        assert_eq!(make(body).await.status.is_success(), good, "{days}");
    }
}

#[tokio::test]
async fn keys_are_listed_piece_by_piece_and_belong_to_their_tenant() {
    let rig = Rig::new().await;
    rig.key_of("acme", KeyRole::Consumer).await;
    let first = rig.get("/v1/keys?limit=1").await.json();
    let next = first["next_cursor"].as_str().unwrap();
    let rest = rig.get(&format!("/v1/keys?limit=2&cursor={next}")).await.json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    assert_ne!(first["data"][0]["id"], rest["data"][0]["id"]);
    let theirs = KeyId::of(&rig.other.hash());
    rig.get(&format!("/v1/keys?cursor={theirs}")).await.problem("invalid_cursor");
    rig.get("/v1/keys?cursor=").await.problem("invalid_cursor");
    rig.ask("DELETE", &format!("/v1/keys/{theirs}"), &[]).await.problem("not_found");
    rig.ask("DELETE", "/v1/keys/none", &[]).await.problem("not_found");
    assert_eq!(rig.ask_as(&rig.other, "GET", "/v1/runs", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_of_the_process_opens_its_tenant_and_is_in_no_store() {
    let key = ApiKey::generate().unwrap();
    let rig = Rig::new().await.with_key_of_this_process(&key, "acme");
    assert_eq!(rig.ask_as(&key, "GET", "/v1/keys", None).await.json()["data"].as_array().unwrap().len(), 1);
    assert!(rig.store.api_key(&key.hash()).await.unwrap().is_none());
    // The next process knows nothing of it.
    let again = Rig::new().await;
    again.ask_as(&key, "GET", "/v1/keys", None).await.problem("unauthorized");
}

#[tokio::test]
async fn an_event_stream_tells_a_revoked_key_nothing_more() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let reader = rig.key_of("acme", KeyRole::Consumer).await;
    let stream = rig.send("GET", "/v1/changes/stream", Some(&reader), &[]).await;
    let mut body = stream.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(std::str::from_utf8(&first).unwrap().contains("u1"));
    let id = KeyId::of(&reader.hash());
    assert_eq!(rig.ask("DELETE", &format!("/v1/keys/{id}"), &[]).await.status, StatusCode::NO_CONTENT);
    rig.employees(&[("u2", "002")]).await;
    let last = body.next().await.unwrap().unwrap();
    assert_eq!(std::str::from_utf8(&last).unwrap(), "event: closed\ndata: unauthorized\n\n");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_long_poll_tells_a_key_that_was_revoked_meanwhile_nothing() {
    let rig = Arc::new(Rig::new().await);
    let reader = rig.key_of("acme", KeyRole::Consumer).await;
    let waiting = tokio::spawn({
        let (rig, reader) = (Arc::clone(&rig), reader.clone());
        async move { rig.ask_as(&reader, "GET", "/v1/changes?wait=60", None).await }
    });
    // One thread: the request goes on until it waits for the feed, or for the store, before this does.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let id = KeyId::of(&reader.hash());
    rig.ask("DELETE", &format!("/v1/keys/{id}"), &[]).await;
    rig.employees(&[("u1", "001")]).await;
    let answer = waiting.await.unwrap();
    answer.problem("unauthorized");
    assert!(!answer.text.contains("u1"));
}
