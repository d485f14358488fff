//! The API of a running gateway, asked with the key that it greets a developer with.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::harness::Running;

/// A gateway's API with its key.
pub struct Api {
    client: Client,
    url: String,
    key: String,
}

impl Api {
    pub async fn of(gateway: &mut Running) -> Self {
        let greeting = gateway.greeting().await;
        let text = |name: &str| greeting[name].as_str().unwrap().to_owned();
        // The client wants a provider of cryptography even for loopback without TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { client: Client::new(), url: text("url"), key: text("key") }
    }

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { client: self.client.clone(), url: self.url.clone(), key: key.to_owned() }
    }

    /// Where the gateway listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is not JSON.
    pub async fn text(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    /// A stream that is good without a key.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer
    }

    /// A stream that wants the key.
    pub async fn follow(&self, path: &str) -> reqwest::Response {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer
    }

    /// Where events for a connection go.
    pub fn hook(&self, connection: &str) -> String {
        format!("{}/hooks/{connection}", self.url)
    }

    /// The interview loop has read everything that was pulled.
    pub async fn until_the_loop_has_caught_up(&self) {
        let caught_up = |health: &Value| {
            let own = &health["interview_loop"];
            (own["place"].as_i64() > Some(0) && own["behind_since"].is_null()).then_some(())
        };
        self.until("/v1/health", caught_up).await;
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        self.ask_with(method, path, &[], body).await
    }

    /// The same with headers.
    pub async fn ask_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.ask(Method::POST, path, Some(body)).await;
        (status.as_u16(), body)
    }

    /// The same with an idempotency key.
    pub async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// How a key, or none, is answered.
    pub async fn status(&self, path: &str, key: Option<&str>) -> u16 {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }

    /// Asks until it is so; half a minute is long enough for anything here.
    pub async fn until<T>(&self, path: &str, mut is_so: impl FnMut(&Value) -> Option<T>) -> T {
        for _ in 0..300 {
            if let Some(found) = is_so(&self.get(path).await) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} never came to be so: {}", self.get(path).await);
    }

    /// Waits until a list of deliveries has so many entries.
    pub async fn deliveries(&self, query: &str, count: usize) -> Vec<Value> {
        for _ in 0..600 {
            let found = self.get(&format!("/v1/deliveries?{query}")).await["data"].as_array().unwrap().clone();
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {count} deliveries for {query}");
    }
}
