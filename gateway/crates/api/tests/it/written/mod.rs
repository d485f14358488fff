//! Records that people write: over HTTP, against a real store.

mod once;
mod profiles;
mod refused;
mod rules;
mod writing;

use axum::body::Body;
use axum::http::Request;
use renmen_api::{ApiKey, ApiOptions};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

/// A person with a key.
struct Desk {
    rig: Rig,
}

impl Desk {
    async fn new() -> Self {
        Self { rig: Rig::new().await }
    }

    async fn with(options: ApiOptions) -> Self {
        Self { rig: Rig::with(options, ScriptedControl::default()).await }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send_as(&self.rig.key, method, path, headers, body).await
    }

    async fn send_as(&self, key: &ApiKey, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {}", key.expose()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        Answer::read(self.rig.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()).await
    }

    async fn post(&self, collection: &str, body: Value) -> Answer {
        self.send("POST", &format!("/v1/{collection}"), &[], &json!({ "reason": "first", "body": body })).await
    }

    /// A record that must be taken.
    async fn made(&self, collection: &str, external_id: &str, body: Value) -> Value {
        let ask = json!({ "external_id": external_id, "reason": "first", "body": body });
        let answer = self.send("POST", &format!("/v1/{collection}"), &[], &ask).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    async fn put(&self, path: &str, revision: i64, body: Value) -> Answer {
        let tag = format!("\"{revision}\"");
        self.send("PUT", path, &[("if-match", &tag)], &json!({ "reason": "again", "body": body })).await
    }

    async fn delete(&self, path: &str, revision: i64) -> Answer {
        let tag = format!("\"{revision}\"");
        self.send("DELETE", &format!("{path}?reason=over"), &[("if-match", &tag)], &Value::Null).await
    }

    /// Kinds of changes of a record in the feed.
    async fn changes(&self, id: &str) -> Vec<String> {
        let feed = self.rig.get("/v1/changes?limit=1000").await.json();
        let of = feed["data"].as_array().unwrap().iter().filter(|change| change["record_id"] == id);
        of.map(|change| change["kind"].as_str().unwrap().to_owned()).collect()
    }
}

fn path(collection: &str, record: &Value) -> String {
    format!("/v1/{collection}/{}", record["id"].as_str().unwrap())
}

fn competency(name: &str) -> Value {
    json!({ "name": { "en": name, "zh-CN": "能力" } })
}

/// A job of another system that has not arrived.
fn job(id: &str) -> Value {
    json!({ "external": { "connection": "hr", "value": id } })
}

/// A version of the profile of job `j1` that asks for one competency; published at this time, where one is given.
fn profile(version: u32, competency: &str, published_at: Option<&str>) -> Value {
    let mut body = json!({
        "position": job("j1"),
        "version": version,
        "competencies": [{
            "competency": { "external": { "value": competency } },
            "weight": { "bp": 10_000 },
            "dimensions": [{ "name": { "en": "Clarity" }, "modality": { "code": "SPEECH" }, "weight": { "bp": 2_500 } }],
        }],
        "complete": true,
    });
    if let Some(at) = published_at {
        body["published_at"] = json!(at);
    }
    body
}

fn rule(name: &str, position: Option<&str>, pass: &str) -> Value {
    let mut body = json!({ "name": name, "pass": pass, "active": true });
    if let Some(position) = position {
        body["position"] = json!(position);
    }
    body
}
