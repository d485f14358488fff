//! Records that a person writes to the real gateway: told to an endpoint, kept over a kill, and rules that are in force at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, Running, serve};

type Events = Arc<Mutex<Vec<Value>>>;

async fn take(State(events): State<Events>, body: String) -> StatusCode {
    events.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    StatusCode::NO_CONTENT
}

/// A gateway without any connector: one rule in its file, and an endpoint that is told of profiles.
async fn home() -> (Events, Home) {
    let events = Events::default();
    let url = serve(Router::new().route("/hooks", post(take)).with_state(Arc::clone(&events))).await;
    let config = format!(
        "[interview.rules.default]\npass = 80\n\n[endpoints.hr]\nurl = \"{url}/hooks\"\nentities = [\"position_profile\"]\n\
         fields = {{ position_profile = [\"/version\", \"/complete\"] }}\nslots.secret = {{ env = \"HOOK_SECRET\" }}\n\
         grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n"
    );
    (events, Home::new(&config).env("HOOK_SECRET", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE="))
}

fn serving(home: &Home) -> Running {
    home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"])
}

fn profile(version: u32, bp: u32) -> Value {
    json!({
        "external_id": format!("pos-9/{version}"),
        "reason": "新岗位",
        "body": {
            "position": { "external": { "connection": "hr", "value": "pos-9" } },
            "version": version,
            "published_at": "2026-01-01T00:00:00.000Z",
            "competencies": [{ "competency": { "external": { "value": "sales" } }, "weight": { "bp": bp } }],
            "complete": bp == 10_000,
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_writes_is_told_kept_and_in_force_at_once_r13_r14() {
    let (events, home) = home().await;
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    let key = api.post("/v1/keys", &json!({ "role": "owner", "label": "Li Na" })).await.1["key"].clone();
    let person = api.with_key(key.as_str().unwrap());
    let competency = json!({ "external_id": "sales", "reason": "新岗位", "body": { "name": { "en": "Sales" } } });
    assert_eq!(person.post("/v1/competencies", &competency).await.0, 201);
    let once = [("idempotency-key", "profile-1")];
    let write = async |person: &Api, ask: &Value| {
        person.ask_with(Method::POST, "/v1/position-profiles", &once, Some(ask)).await
    };
    let (status, made) = write(&person, &profile(1, 7_000)).await;
    assert_eq!((status.as_u16(), &made["body"]["complete"]), (201, &json!(false)), "{made}");

    // The rule of the file is the file's; one for a position is in force without a restart.
    let rule = |name: &str, position: Option<&str>| {
        let mut body = json!({ "name": name, "pass": "65", "active": true });
        if let Some(position) = position {
            body["position"] = json!(position);
        }
        json!({ "reason": "r", "body": body })
    };
    let (status, refused) = person.post("/v1/decision-rules", &rule("mine", None)).await;
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("`interview.rules.default`"), "{refused}");
    assert_eq!(person.post("/v1/decision-rules", &rule("pos-9", Some("pos-9"))).await.0, 201);
    let named = |health: &Value| {
        let rules = health["interview_loop"]["rules"].as_array()?;
        rules.iter().any(|rule| rule["name"] == "pos-9").then_some(rules.len())
    };
    assert_eq!(api.until("/v1/health", named).await, 2);

    drop(gateway);
    let mut gateway = serving(&home);
    let person = Api::of(&mut gateway).await.with_key(key.as_str().unwrap());
    // Its answer was lost: the same request is answered as before, and writes nothing.
    assert_eq!(write(&person, &profile(1, 7_000)).await, (status_of(201), made.clone()));
    assert_eq!(write(&person, &profile(1, 10_000)).await.0, 422);
    let at = format!("/v1/position-profiles/{}", made["id"].as_str().unwrap());
    let ask = json!({ "reason": "r", "body": profile(1, 10_000)["body"] });
    let (status, refused) = person.ask_with(Method::PUT, &at, &[("if-match", "\"1\"")], Some(&ask)).await;
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("POST version 2"), "{refused}");
    assert_eq!(person.post("/v1/position-profiles", &profile(2, 10_000)).await.0, 201);
    let detail = person.get(&format!("{at}?include=lineage")).await;
    assert_eq!(
        (&detail["written_by"][0]["person"], &detail["written_by"][0]["reason"]),
        (&json!("Li Na"), &json!("新岗位"))
    );

    for _ in 0..1_200 {
        if events.lock().unwrap().len() >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told: Vec<Value> = events.lock().unwrap().iter().map(|event| event["data"]["record"].clone()).collect();
    assert_eq!(told, [json!({ "version": 1, "complete": false }), json!({ "version": 2, "complete": true })]);
}

fn status_of(status: u16) -> reqwest::StatusCode {
    reqwest::StatusCode::from_u16(status).unwrap()
}
