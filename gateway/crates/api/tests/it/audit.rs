//! Who did what is in the log: the key's id and role, never the key.

use std::io::Write;
use std::sync::{Arc, Mutex};

use renmen_store::{KeyId, KeyRole};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::rig::Rig;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn every_request_is_on_record_with_the_id_and_role_of_its_key_and_never_with_the_key() {
    let rig = Rig::new().await;
    let consumer = rig.key_of("acme", KeyRole::Consumer).await;
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(log.clone()).finish();
    let listening = tracing::subscriber::set_default(subscriber);
    let made = rig.ask_as(&rig.key, "POST", "/v1/keys", Some(&json!({ "role": "owner", "label": "x" }))).await;
    rig.ask_as(&consumer, "DELETE", &format!("/v1/keys/{}", KeyId::of(&rig.key.hash())), None)
        .await
        .problem("forbidden");
    rig.ask_maybe(None, "GET", "/v1/keys", None).await.problem("unauthorized");
    drop(listening);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for secret in [rig.key.expose(), consumer.expose(), made.json()["key"].as_str().unwrap()] {
        assert!(!text.contains(secret));
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "Request completed").collect();
    let told = |line: &Value| {
        let fields = &line["fields"];
        assert_eq!(line["level"], "INFO");
        ["operation", "status", "tenant", "key", "role"].map(|name| fields[name].clone())
    };
    let id = |key: &renmen_api::ApiKey| json!(KeyId::of(&key.hash()).to_string());
    assert_eq!(told(answered[0]), [json!("make_key"), json!(201), json!("acme"), id(&rig.key), json!("owner")]);
    assert_eq!(told(answered[1]), [json!("revoke_key"), json!(403), json!("acme"), id(&consumer), json!("consumer")]);
    assert_eq!(told(answered[2]), [json!("list_keys"), json!(401), Value::Null, Value::Null, Value::Null]);
}
