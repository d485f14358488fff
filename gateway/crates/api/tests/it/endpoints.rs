//! Endpoints over HTTP, with the real registry: what a body may say, and what comes back.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::EndpointOff;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Answer, Rig};

async fn put(rig: &Rig, path: &str, body: &Value) -> Answer {
    let request = Request::put(path)
        .header("authorization", format!("Bearer {}", rig.key.expose()))
        .body(Body::from(body.to_string()))
        .unwrap();
    Answer::read(rig.router.clone().oneshot(request).await.unwrap()).await
}

fn definition() -> Value {
    json!({ "url": "https://hr.example.com/hooks", "entities": ["employee"] })
}

#[tokio::test]
async fn an_endpoint_is_made_and_read_without_its_secret() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("/v1/endpoints").await.json()["data"], json!([]));
    let made = put(&rig, "/v1/endpoints/hr-events", &definition()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "this once");
    let off =
        EndpointOff { reason: "410".into(), url: "https://hr.example.com/hooks".into(), since_ms: 1_700_000_000_000 };
    let (acme, name) = (TenantId::new("acme").unwrap(), ConnectionName::new("hr-events").unwrap());
    rig.store.switch_endpoint(&acme, &name, Some(off), 1).await.unwrap();
    let read = rig.get("/v1/endpoints/hr-events").await.json();
    assert!(!read.to_string().contains(&secret) && read.get("secret").is_none(), "{read}");
    assert_eq!((&read["url"], &read["enabled"]), (&json!("https://hr.example.com/hooks"), &json!(true)));
    assert_eq!((&read["from_file"], &read["changes"]), (&json!(false), &json!(["created", "deleted", "updated"])));
    assert_eq!(read["off"]["since"], "2023-11-14T22:13:20.000Z");
    assert_eq!(rig.get("/v1/endpoints").await.json()["data"], json!([read]));
    let theirs = Answer::read(rig.send("GET", "/v1/endpoints/hr-events", Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    let on = rig.ask("POST", "/v1/endpoints/hr-events/enable", &[]).await.json();
    assert_eq!(on["off"], Value::Null);
    rig.ask("POST", "/v1/endpoints/missing/enable", &[]).await.problem("not_found");
    let replayed = rig.ask("POST", "/v1/endpoints/hr-events/replay?since=1970-01-01T00:00:02Z", &[]).await.json();
    assert_eq!(replayed["replayed"], 0);
    let gone = rig.ask("DELETE", "/v1/endpoints/hr-events", &[]).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    rig.ask("DELETE", "/v1/endpoints/hr-events", &[]).await.problem("not_found");
    rig.get("/v1/endpoints/hr-events").await.problem("not_found");
}

#[tokio::test]
async fn a_secret_is_in_the_answer_of_the_call_that_made_it_and_in_no_other() {
    let rig = Rig::new().await;
    let secret = |answer: &Answer| answer.json()["secret"].as_str().map(str::to_owned);
    let mut shown = vec![secret(&put(&rig, "/v1/endpoints/hr-events", &definition()).await).unwrap()];
    let changed = put(&rig, "/v1/endpoints/hr-events", &definition()).await;
    assert!(changed.status.is_success() && !changed.text.contains("secret"), "{}", changed.text);
    for (query, overlaps) in
        [("", true), ("?overlap_s=60", true), ("?overlap_s=2592000", true), ("?overlap_s=0", false)]
    {
        let rotated = rig.ask("POST", &format!("/v1/endpoints/hr-events/rotate{query}"), &[]).await;
        shown.push(secret(&rotated).unwrap());
        assert_eq!(rotated.json()["previous_until"].is_string(), overlaps, "{query}: {}", rotated.text);
    }
    let before = shown.len();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), before, "each is another");
    for bad in ["2592001", "-1", "1.5", "x"] {
        let answer = rig.ask("POST", &format!("/v1/endpoints/hr-events/rotate?overlap_s={bad}"), &[]).await;
        answer.problem("invalid_parameter");
    }
    for unknown in ["/v1/endpoints/gone/rotate", "/v1/endpoints/Big%20One/rotate"] {
        rig.ask("POST", unknown, &[]).await.problem("not_found");
    }
    let theirs = Answer::read(rig.send("POST", "/v1/endpoints/hr-events/rotate", Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    let all = rig.get("/v1/endpoints").await.text;
    assert!(shown.iter().all(|secret| !all.contains(secret)));
}

#[tokio::test]
async fn a_body_that_is_no_endpoint_is_told_what_it_lacks() {
    let rig = Rig::new().await;
    let with = |key: &str, value: Value| {
        let mut body = definition();
        body[key] = value;
        body
    };
    let plain =
        put(&rig, "/v1/endpoints/hr", &with("url", json!("http://a.test/"))).await.problem("invalid_definition");
    assert!(plain["detail"].as_str().unwrap().contains("https://"), "{plain}");
    let loopback = put(&rig, "/v1/endpoints/hr", &with("url", json!("https://127.0.0.1/x"))).await;
    assert!(
        loopback.problem("invalid_definition")["detail"].as_str().unwrap().contains("not public"),
        "{}",
        loopback.text
    );
    let unknown = put(&rig, "/v1/endpoints/hr", &with("fields", json!({ "employee": ["/numbre"] }))).await;
    assert_eq!(unknown.problem("invalid_definition")["status"], 422);
    for (body, told) in [
        (with("entities", json!("canary, expected a map at line 9")), "line 1, column"),
        (with("entities", json!("canary")), "expected a list"),
        (with("url", json!(["canary"])), "expected a string"),
        (with("enabled", json!("canary")), "expected true or false"),
        (with("fields", json!("canary")), "expected an object"),
        (json!("canary"), "expected an object"),
        (with("secret", json!({ "vault": "canary-of-another" })), "the gateway generates the secret"),
        (with("previous_secret", json!({ "vault": "canary" })), "the gateway generates the secret"),
        (with("secrte", json!(1)), "unknown field `secrte`"),
        (json!({ "url": "https://a.test/" }), "missing field `entities`"),
    ] {
        let problem = put(&rig, "/v1/endpoints/hr", &body).await.problem("invalid_body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told) && !detail.contains("canary"), "{detail}");
    }
    put(&rig, "/v1/endpoints/Big%20One", &definition()).await.problem("invalid_parameter");
    rig.ask("POST", "/v1/endpoints/hr/replay?since=yesterday", &[]).await.problem("invalid_parameter");
}
