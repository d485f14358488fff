//! The configuration is read again by who runs the gateway, and a process without a role serves nothing of it.

use std::sync::Arc;

use axum::http::StatusCode;
use renmen_api::{ApiOptions, ConfigurationState, Roles};
use renmen_schema::text;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig};
use crate::scripted_configuration::ScriptedConfiguration;
use crate::scripted_control::ScriptedControl;

async fn with(configuration: ScriptedConfiguration) -> Rig {
    let parts = |parts: &mut renmen_api::ApiParts| parts.configuration = Arc::new(configuration);
    Rig::with_parts(ApiOptions::default(), ScriptedControl::default(), parts).await
}

#[tokio::test]
async fn who_runs_the_gateway_reloads_it_and_another_tenant_neither_does_nor_sees_the_file() {
    let state = ConfigurationState {
        loaded_at_ms: 1_700_000_000_000,
        needs_restart: vec!["store".to_owned()],
        ..ConfigurationState::default()
    };
    let rig = with(ScriptedConfiguration { state, ..ScriptedConfiguration::default() }).await;
    let reloaded = rig.ask("POST", "/v1/configuration/reload", &[]).await;
    assert_eq!(reloaded.status, StatusCode::OK);
    assert_eq!(reloaded.json()["connections"], json!({ "added": ["hr"], "changed": [], "removed": [] }));
    let theirs = rig.send("POST", "/v1/configuration/reload", Some(&rig.other), &[]).await;
    Answer::read(theirs).await.problem("forbidden");
    let own = rig.get("/v1/health").await.json();
    assert_eq!(own["configuration"]["loaded_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(own["configuration"]["needs_restart"], json!(["store"]));
    let theirs = Answer::read(rig.send("GET", "/v1/health", Some(&rig.other), &[]).await).await.json();
    assert_eq!((&theirs["configuration"], &theirs["status"]), (&Value::Null, &json!("ok")));
}

#[tokio::test]
async fn a_refused_file_is_told_in_both_languages() {
    let refused = text!("connectors.toml:7:1: unknown key `strams`", "connectors.toml:7:1：未知的配置项 `strams`");
    let rig = with(ScriptedConfiguration { reload: Err(refused), ..ScriptedConfiguration::default() }).await;
    let answer = rig.ask("POST", "/v1/configuration/reload", &[]).await;
    assert_eq!(answer.problem("refused")["detail"], "connectors.toml:7:1: unknown key `strams`");
    let chinese = rig.ask("POST", "/v1/configuration/reload", &[("accept-language", "zh-CN")]).await;
    assert!(chinese.text.contains("未知的配置项"), "{}", chinese.text);
}

#[tokio::test]
async fn each_role_serves_its_own_paths_and_every_process_says_how_it_is() {
    let own = ["/healthz", "/readyz", "/v1/health"];
    for (roles, api, hooks) in [
        (Roles { api: true, hooks: false, pull: false, push: false }, 200, 404),
        (Roles { api: false, hooks: true, pull: false, push: false }, 404, 404),
        (Roles { api: false, hooks: false, pull: true, push: true }, 404, 404),
    ] {
        let rig = with(ScriptedConfiguration { roles, ..ScriptedConfiguration::default() }).await;
        for path in own {
            assert_eq!(rig.get(path).await.status, 200, "{path}");
        }
        assert_eq!(rig.get("/v1/health").await.json()["roles"], json!(roles.names()));
        for path in ["/v1/runs", "/v1/changes", "/openapi.json", "/docs"] {
            let answer = rig.get(path).await;
            assert_eq!(answer.status, api, "{path}");
            if api == 404 {
                let told = answer.problem("unknown_path");
                assert!(told["detail"].as_str().unwrap().contains("without the role `api`"), "{told}");
            }
        }
        // No connection takes deliveries here; a process without the role does not even look.
        let answer = rig.ask("POST", "/hooks/hr", &[]).await;
        assert_eq!(answer.status, hooks);
        assert_eq!(answer.text.contains("without the role `hooks`"), !roles.hooks, "{}", answer.text);
    }
}
