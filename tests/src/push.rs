//! A provider of app push messages that serves the contract of declarative/connectors/push: takes a message, and says later whether it arrived.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor};

/// The key that the simulator takes. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-push-key-7a30";

/// The provider. A recipient who begins with `lost-` has taken the app away.
#[derive(Debug, Default)]
pub struct Provider {
    /// What was sent, each once.
    pub messages: Vec<Value>,
    /// Key to the number of its message and its body.
    keys: BTreeMap<String, (usize, Value)>,
    /// How often each message's state was asked for.
    asked: BTreeMap<String, u32>,
}

fn error(status: u16, code: &str) -> Told {
    Told::of(status, json!({ "error": { "code": code } }))
}

impl Provider {
    fn send(&mut self, ask: &Ask) -> Told {
        const KNOWN: [&str; 6] = ["to", "title", "text", "url", "language", "expires_at"];
        let Some(key) = ask.headers.get("idempotency-key") else { return error(400, "idempotency_key_missing") };
        let accepted = |number: usize| Told::of(202, json!({ "id": format!("push-{number}"), "status": "accepted" }));
        if let Some((number, body)) = self.keys.get(key) {
            return if *body == ask.body { accepted(*number) } else { error(409, "idempotency_key_reused") };
        }
        let stranger = ask.body.as_object().is_none_or(|body| body.keys().any(|name| !KNOWN.contains(&name.as_str())));
        if stranger || !ask.body["text"].is_string() {
            return error(422, "message_invalid");
        }
        if !ask.body["to"].as_str().is_some_and(|to| to.starts_with("device-") || to.starts_with("lost-")) {
            return error(422, "recipient_unknown");
        }
        self.messages.push(ask.body.clone());
        self.keys.insert(key.clone(), (self.messages.len(), ask.body.clone()));
        accepted(self.messages.len())
    }

    /// On its way at the first question, settled at the second.
    fn state(&mut self, id: &str) -> Told {
        let number =
            id.strip_prefix("push-").and_then(|number| number.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
        let Some(message) = number.and_then(|number| self.messages.get(number)) else { return error(404, "not_found") };
        let asked = self.asked.entry(id.to_owned()).or_default();
        *asked += 1;
        Told::good(match (*asked, message["to"].as_str().unwrap().starts_with("lost-")) {
            (1, _) => json!({ "id": id, "status": "accepted" }),
            (_, true) => json!({ "id": id, "status": "failed" }),
            (_, false) => json!({ "id": id, "status": "delivered", "delivered_at": "2026-02-01T08:00:00Z" }),
        })
    }
}

impl Vendor for Provider {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        if ask.is_bearer(API_KEY) { Ok(()) } else { Err(error(401, "unauthorized")) }
    }

    fn busy(&self) -> Told {
        error(429, "too_many_requests").header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.below("/v1").as_slice()) {
            ("POST", ["messages"]) => self.send(ask),
            ("GET", ["messages", id]) => self.state(id),
            _ => error(404, "not_found"),
        }
    }
}
