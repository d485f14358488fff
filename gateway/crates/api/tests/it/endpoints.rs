//! Endpoints over HTTP: what a body may say, and what comes back. What becomes of them is the engine's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use renmen_api::{
    ControlError, EndpointControl, EndpointDefinition, EndpointInfo, EndpointOffInfo, EndpointWithSecret, NewSecret,
};
use renmen_schema::id::{ConnectionName, TenantId};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Answer, Rig};

/// Endpoints in memory.
#[derive(Default)]
struct Kept(Mutex<Vec<(TenantId, EndpointInfo)>>);

#[async_trait]
impl EndpointControl for Kept {
    async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError> {
        let all = self.0.lock().unwrap();
        Ok(all.iter().filter(|(owner, _)| owner == tenant).map(|(_, info)| info.clone()).collect())
    }
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError> {
        if !definition.url.starts_with("https://") {
            return Err(ControlError::Refused("`url` must begin with https://".into()));
        }
        let info = EndpointInfo {
            name: name.to_string(),
            from_file: false,
            url: definition.url,
            enabled: definition.enabled,
            entities: definition.entities,
            changes: definition.changes,
            fields: definition.fields,
            previous_until_ms: None,
            off: Some(EndpointOffInfo { reason: "410".into(), since_ms: 1_700_000_000_000 }),
        };
        let mut all = self.0.lock().unwrap();
        let known = all.iter().any(|(owner, kept)| owner == tenant && kept.name == info.name);
        all.push((tenant.clone(), info.clone()));
        let secret = (!known).then(|| NewSecret::new("whsec_canary-one".into()));
        Ok(EndpointWithSecret { endpoint: info, secret })
    }
    async fn rotate_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError> {
        let found = self.endpoints(tenant).await?.into_iter().find(|info| info.name == name.as_str());
        let endpoint = found.ok_or_else(|| ControlError::NotFound(name.to_string()))?;
        let previous_until_ms = Some(i64::try_from(overlap.as_millis()).unwrap());
        let secret = Some(NewSecret::new("whsec_canary-two".into()));
        Ok(EndpointWithSecret { endpoint: EndpointInfo { previous_until_ms, ..endpoint }, secret })
    }
    async fn remove_endpoint(&self, _tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError> {
        Err(ControlError::NotFound(name.to_string()))
    }
    async fn enable_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        let all = self.endpoints(tenant).await?;
        let found = all.into_iter().find(|info| info.name == name.as_str());
        found.ok_or_else(|| ControlError::NotFound(name.to_string()))
    }
    async fn replay_endpoint(
        &self,
        _tenant: &TenantId,
        _name: &ConnectionName,
        since_ms: i64,
    ) -> Result<u64, ControlError> {
        Ok(u64::try_from(since_ms).unwrap())
    }
}

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
    let rig = Rig::with_endpoints(Arc::new(Kept::default())).await;
    let made = put(&rig, "/v1/endpoints/hr", &definition()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(made.json()["secret"], "whsec_canary-one", "this once");
    let read = rig.get("/v1/endpoints/hr").await.json();
    assert!(!read.to_string().contains("canary") && read.get("secret").is_none(), "{read}");
    assert_eq!((&read["url"], &read["enabled"]), (&json!("https://hr.example.com/hooks"), &json!(true)));
    assert_eq!(read["off"]["since"], "2023-11-14T22:13:20.000Z");
    assert_eq!(rig.get("/v1/endpoints").await.json()["data"], json!([read]));
    let theirs = Answer::read(rig.send("GET", "/v1/endpoints/hr", Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    rig.ask("DELETE", "/v1/endpoints/hr", &[]).await.problem("not_found");
    rig.ask("POST", "/v1/endpoints/nobody/enable", &[]).await.problem("not_found");
    let replayed = rig.ask("POST", "/v1/endpoints/hr/replay?since=1970-01-01T00:00:02Z", &[]).await.json();
    assert_eq!(replayed["replayed"], 2_000);
}

#[tokio::test]
async fn a_secret_is_in_the_answer_of_the_call_that_made_it_and_in_no_other() {
    let rig = Rig::with_endpoints(Arc::new(Kept::default())).await;
    put(&rig, "/v1/endpoints/hr", &definition()).await;
    let changed = put(&rig, "/v1/endpoints/hr", &definition()).await;
    assert!(changed.status.is_success() && !changed.text.contains("secret"), "{}", changed.text);
    for (query, until) in [
        ("", "1970-01-02T00:00:00.000Z"),
        ("?overlap_s=60", "1970-01-01T00:01:00.000Z"),
        ("?overlap_s=0", "1970-01-01T00:00:00.000Z"),
    ] {
        let rotated = rig.ask("POST", &format!("/v1/endpoints/hr/rotate{query}"), &[]).await.json();
        assert_eq!(
            (&rotated["secret"], &rotated["previous_until"]),
            (&json!("whsec_canary-two"), &json!(until)),
            "{query}"
        );
    }
    for bad in ["2592001", "-1", "1.5", "x"] {
        rig.ask("POST", &format!("/v1/endpoints/hr/rotate?overlap_s={bad}"), &[]).await.problem("invalid_parameter");
    }
    assert!(rig.ask("POST", "/v1/endpoints/hr/rotate?overlap_s=2592000", &[]).await.status.is_success());
    for nobodys in ["/v1/endpoints/gone/rotate", "/v1/endpoints/Big%20One/rotate"] {
        rig.ask("POST", nobodys, &[]).await.problem("not_found");
    }
    let theirs = Answer::read(rig.send("POST", "/v1/endpoints/hr/rotate", Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    let shown = format!("{:?}", NewSecret::new("whsec_canary".into()));
    assert!(!shown.contains("canary"));
}

#[tokio::test]
async fn a_body_that_is_no_endpoint_is_told_what_it_lacks() {
    let rig = Rig::with_endpoints(Arc::new(Kept::default())).await;
    let with = |key: &str, value: Value| {
        let mut body = definition();
        body[key] = value;
        body
    };
    put(&rig, "/v1/endpoints/hr", &with("url", json!("http://a.test/"))).await.problem("refused");
    for (body, told) in [
        (with("entities", json!("canary")), "at line 1"),
        (with("secret", json!({ "vault": "canary-of-another" })), "the gateway generates the secret"),
        (with("previous_secret", json!({ "vault": "canary" })), "the gateway generates the secret"),
        (with("secrte", json!(1)), "unknown field `secrte`"),
        (json!({ "url": "https://a.test/" }), "missing field `entities`"),
    ] {
        let problem = put(&rig, "/v1/endpoints/hr", &body).await.problem("bad_request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told) && !detail.contains("canary"), "{detail}");
    }
    put(&rig, "/v1/endpoints/Big%20One", &definition()).await.problem("invalid_parameter");
    rig.ask("POST", "/v1/endpoints/hr/replay?since=yesterday", &[]).await.problem("invalid_parameter");
}

#[tokio::test]
async fn a_gateway_without_endpoints_says_so() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("/v1/endpoints").await.json()["data"], json!([]));
    put(&rig, "/v1/endpoints/hr", &definition()).await.problem("refused");
}
