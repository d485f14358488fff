//! Actions by hand, as far as the API itself judges them: the three forms of a request, and the idempotency key.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use parking_lot::Mutex;
use renmen_api::{
    ActionAsk, ActionEntry, ActionPlan, ActionWork, ApiOptions, DryRunInfo, FlowControl, FlowInfo, FlowRefusal,
};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::Store;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

/// Keeps what it is asked.
struct Desk {
    store: Arc<dyn Store>,
    asked: Arc<Mutex<Vec<ActionAsk>>>,
}

#[async_trait]
impl FlowControl for Desk {
    async fn flows(&self, _tenant: &TenantId) -> Result<Vec<FlowInfo>, FlowRefusal> {
        Ok(Vec::new())
    }
    async fn flow(&self, _tenant: &TenantId, _name: &str) -> Result<FlowInfo, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn put_flow(&self, _tenant: &TenantId, _name: &str, _definition: &Value) -> Result<FlowInfo, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn remove_flow(&self, _tenant: &TenantId, _name: &str) -> Result<(), FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn dry_run(&self, _tenant: &TenantId, _name: &str, _last: u32) -> Result<Vec<DryRunInfo>, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn replay(&self, _tenant: &TenantId, _delivery: i64) -> Result<(), FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn replay_dead(&self, _tenant: &TenantId, _name: &str) -> Result<u64, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    fn actions(&self, _tenant: &TenantId) -> Vec<ActionEntry> {
        let one = |connection: &str| ActionEntry {
            connection: ConnectionName::new(connection).unwrap(),
            action: "message.send".into(),
            description: "Sends".into(),
            input_schema: None,
            may_repeat: false,
        };
        vec![one("mail"), one("sms")]
    }
    async fn try_action(&self, tenant: &TenantId, ask: ActionAsk) -> Result<ActionPlan, FlowRefusal> {
        let change = self.store.last_change(tenant, ask.record).await.unwrap().ok_or(FlowRefusal::NotFound)?.change;
        self.asked.lock().push(ask);
        Ok(ActionPlan {
            change,
            connection: ConnectionName::new("sms").unwrap(),
            action: "message.send".into(),
            flow: None,
            input: json!({}),
            defects: vec![("/to".into(), "it is needed".into())],
            refused: None,
        })
    }
    async fn act(&self, _tenant: &TenantId, ask: ActionAsk) -> Result<(i64, bool), FlowRefusal> {
        self.asked.lock().push(ask);
        Err(FlowRefusal::Refused("loop".into()))
    }
}

async fn rig() -> (Rig, Arc<Mutex<Vec<ActionAsk>>>, String) {
    let asked: Arc<Mutex<Vec<ActionAsk>>> = Arc::default();
    let kept = Arc::clone(&asked);
    let make = move |store: Arc<dyn Store>, state: renmen_api::AppState| {
        state.with_flows(Arc::new(Desk { store, asked: kept }))
    };
    let rig = Rig::with_all(ApiOptions::default(), ScriptedControl::default(), make).await;
    rig.employees(&[("e1", "1")]).await;
    let id = rig.get("/v1/employees").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    (rig, asked, id)
}

#[tokio::test]
async fn a_request_says_what_to_do_in_one_way() {
    let (rig, asked, id) = rig().await;
    let with = |more: Value| {
        let mut body = json!({ "record": id, "reason": "withdrew", "dry_run": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for good in [
        json!({ "flow": "order" }),
        json!({ "flow": "order", "map": { "id": "'1'" } }),
        json!({ "connection": "sms", "action": "message.send", "input": {} }),
        json!({ "connection": "sms", "action": "message.send", "map": { "id": "'1'" }, "fields": ["/number"], "with": {} }),
    ] {
        let answer = rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(good.clone()))).await;
        assert_eq!(answer.status, StatusCode::OK, "{good}: {}", answer.text);
        let answer = answer.json();
        assert_eq!((&answer["dry_run"], &answer["delivery"]), (&json!(true), &Value::Null));
        assert_eq!(answer["defects"], json!([{ "pointer": "/to", "message": "it is needed" }]));
    }
    let seen = asked.lock().clone();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|ask| ask.reason == "withdrew" && !ask.by.is_empty()), "{seen:?}");
    assert!(matches!(&seen[3].work, ActionWork::Map { fields, .. } if *fields == json!(["/number"])));
    for bad in [
        json!({}),
        json!({ "flow": "order", "input": {} }),
        json!({ "flow": "order", "connection": "sms", "action": "message.send" }),
        json!({ "flow": "order", "fields": ["/number"] }),
        json!({ "connection": "sms", "input": {} }),
        json!({ "connection": "sms", "action": "message.send" }),
        json!({ "connection": "sms", "action": "message.send", "input": {}, "map": {} }),
        json!({ "connection": "sms", "action": "message.send", "input": {}, "with": {} }),
    ] {
        let answer = rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(bad.clone()))).await;
        assert_eq!(answer.problem("invalid_value")["status"], 422, "{bad}");
    }
    for (bad, code) in [
        (json!({ "record": "e1", "flow": "order" }), "invalid_parameter"),
        (json!({ "connection": "Not A Name", "action": "a", "input": {} }), "invalid_parameter"),
        (json!({ "flow": "Not A Name" }), "invalid_parameter"),
        (json!({ "flow": "order", "reason": " " }), "invalid_body"),
        (json!({ "flow": "order", "person": "boss" }), "invalid_body"),
        (json!({ "connection": "sms", "action": "a", "input": "text" }), "invalid_body"),
        (json!({ "flow": "order", "record": "00000000-0000-7000-8000-000000000000" }), "not_found"),
    ] {
        rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(bad))).await.problem(code);
    }
    assert_eq!(asked.lock().len(), 4, "nothing else came through");
    let refused = with(json!({ "flow": "order", "dry_run": false }));
    rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&refused)).await.problem("refused");
}

#[tokio::test]
async fn the_idempotency_key_is_one_short_visible_text() {
    let (rig, asked, id) = rig().await;
    let body = json!({ "record": id, "reason": "r", "flow": "order", "dry_run": true }).to_string();
    let post = |keys: Vec<&str>| {
        let mut request = Request::builder()
            .method("POST")
            .uri("/v1/actions")
            .header("authorization", format!("Bearer {}", rig.key.expose()))
            .header("content-type", "application/json");
        for key in keys {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        async { Answer::read(rig.router.clone().oneshot(request).await.unwrap()).await }
    };
    let long = "k".repeat(201);
    for (keys, good) in [
        (vec!["click-1"], true),
        (vec![&long[..200]], true),
        (vec![long.as_str()], false),
        (vec![""], false),
        (vec!["two words"], false),
        (vec!["a", "b"], false),
    ] {
        let answer = post(keys.clone()).await;
        if good {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(asked.lock().last().unwrap().idempotency_key.as_deref(), Some(keys[0]));
        } else {
            assert_eq!(answer.problem("invalid_parameter")["parameter"], "Idempotency-Key");
        }
    }
}

#[tokio::test]
async fn actions_are_listed_for_all_destinations_or_one() {
    let (rig, ..) = rig().await;
    assert_eq!(rig.get("/v1/actions").await.json()["data"].as_array().unwrap().len(), 2);
    let one = rig.get("/v1/actions?connection=sms").await.json();
    assert_eq!((one["data"].as_array().unwrap().len(), &one["data"][0]["action"]), (1, &json!("message.send")));
    rig.get("/v1/actions?connection=A").await.problem("invalid_parameter");
}
