//! Who is let in.

use std::time::Duration;

use axum::http::StatusCode;
use renmen_api::{ApiKey, ApiOptions};
use renmen_schema::id::TenantId;
use renmen_store::ApiKeyRow;

use crate::rig::{Answer, BEGIN_MS, Rig};
use crate::scripted_control::ScriptedControl;

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
    let rig =
        Rig::with(ApiOptions { key_cache_life: Duration::ZERO, ..ApiOptions::default() }, ScriptedControl::default())
            .await;
    assert_eq!(rig.get("/v1/runs").await.status, StatusCode::OK);
    let row = ApiKeyRow {
        hash: rig.key.hash(),
        label: "test".into(),
        tenant: TenantId::new("acme").unwrap(),
        created_at_ms: BEGIN_MS,
        revoked_at_ms: Some(BEGIN_MS),
    };
    rig.store.put_api_key(row).await.unwrap();
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
