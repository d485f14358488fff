//! A vendor of tests that serves the contract of declarative/connectors/checks: orders in, results out, events signed over time and body.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256, ms, now_s};

/// The key that the simulator takes. A canary, like the secret: they must turn up nowhere.
pub const API_KEY: &str = "canary-checks-key-0d5a";
/// The secret of the signatures.
pub const SECRET: &str = "canary-checks-secret-a91f";

const PATH: &str = "/api/v1";
const PACKAGES: [(&str, &str, &str); 2] =
    [("rust-2", "Rust, level 2", "skills"), ("basic", "Basic check", "background")];

/// The vendor's orders.
#[derive(Debug, Default)]
pub struct Checks {
    pub orders: Vec<Value>,
    answers: BTreeMap<String, (Value, Value)>,
}

impl Checks {
    /// So many orders that have a result.
    pub fn of(orders: usize) -> Self {
        let mut checks = Self::default();
        for n in 1..=orders {
            checks.order(&format!("app-{n}"), "rust-2");
            checks.complete(n - 1, "82.5", "2026-02-01T09:00:00Z");
        }
        checks
    }

    fn order(&mut self, application: &str, package: &str) -> Value {
        let (_, name, kind) = PACKAGES.into_iter().find(|(known, ..)| *known == package).unwrap();
        let id = format!("ord-{}", self.orders.len() + 1);
        let order = json!({
            "id": id, "application": application, "package": package, "name": name, "kind": kind, "status": "invited",
            "updated_at": "2026-02-01T08:00:00Z",
        });
        self.orders.push(order.clone());
        order
    }

    /// Gives an order its result.
    pub fn complete(&mut self, at: usize, value: &str, when: &str) -> Value {
        let order = &mut self.orders[at];
        for (name, value) in [
            ("status", json!("completed")),
            ("completed_at", json!(when)),
            ("updated_at", json!(when)),
            ("score", json!({ "value": value, "min": "0", "max": "100" })),
            ("passed", json!(true)),
            (
                "parts",
                json!([{ "code": "own", "name": "Ownership", "score": { "value": "40", "min": "0", "max": "50" } }]),
            ),
            (
                "reports",
                json!([{ "uri": "https://files.checks.test/1.pdf", "sha256": "cd".repeat(32), "media_type": "application/pdf" }]),
            ),
        ] {
            order[name] = value;
        }
        order.clone()
    }

    fn list(&self, ask: &Ask) -> Told {
        let since = ask.query.get("updated_since").map(|text| ms(text));
        let (Ok(size), None, true) =
            (ask.size("limit", 50, 200), ask.stranger(&["limit", "cursor", "updated_since"]), since != Some(None))
        else {
            return error(400, "parameter_invalid");
        };
        let newer =
            |row: &&Value| since.flatten().is_none_or(|since| ms(row["updated_at"].as_str().unwrap()) >= Some(since));
        let from: usize = ask.query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let rows: Vec<&Value> = self.orders.iter().filter(newer).skip(from).collect();
        let next = (rows.len() > size).then(|| (from + size).to_string());
        Told::good(json!({ "data": rows[..rows.len().min(size)], "next_cursor": next }))
    }

    fn write(&mut self, ask: &Ask, segments: &[&str]) -> Told {
        let Some(key) = ask.headers.get("idempotency-key") else { return error(400, "idempotency_key_missing") };
        if let Some((body, answer)) = self.answers.get(key) {
            return if *body == ask.body { Told::good(answer.clone()) } else { error(409, "idempotency_key_reused") };
        }
        let answer = match segments {
            ["orders"] => {
                let text = |name: &str| ask.body[name].as_str().unwrap_or_default().to_owned();
                if !PACKAGES.iter().any(|(known, ..)| *known == text("package")) {
                    return error(422, "package_unknown");
                }
                if !ask.body["candidate"]["name"].is_string() {
                    return error(422, "candidate_incomplete");
                }
                let order = self.order(&text("application"), &text("package"));
                json!({ "id": order["id"], "status": "invited", "url": "https://checks.example/take/1" })
            }
            ["orders", id, "cancel"] => {
                let Some(order) = self.orders.iter_mut().find(|order| order["id"] == *id) else {
                    return error(404, "not_found");
                };
                if order["status"] == "completed" {
                    return error(409, "order_closed");
                }
                order["status"] = json!("cancelled");
                json!({ "id": id, "status": "cancelled" })
            }
            _ => return error(404, "not_found"),
        };
        self.answers.insert(key.clone(), (ask.body.clone(), answer.clone()));
        Told::of(201, answer)
    }
}

fn error(status: u16, code: &str) -> Told {
    Told::of(status, json!({ "error": { "code": code } }))
}

impl Vendor for Checks {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.headers.get("x-api-key").is_some_and(|key| key == API_KEY) {
            true => Ok(()),
            false => Err(error(401, "unauthorized")),
        }
    }

    fn busy(&self) -> Told {
        error(429, "too_many_requests").header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let segments: Vec<String> = ask.below(PATH).into_iter().map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (ask.method.as_str(), segments.as_slice()) {
            ("GET", ["orders"]) => self.list(ask),
            ("POST", segments) => self.write(ask, segments),
            _ => error(404, "not_found"),
        }
    }
}

/// The event of an order that is sent so many seconds ago: its headers and its body.
pub fn event(id: &str, order: &Value, ago_s: i64) -> ([(&'static str, String); 2], String) {
    let body = json!({ "id": id, "type": "order.updated", "data": order }).to_string();
    let time = (now_s() - ago_s).to_string();
    let signature = format!("sha256={}", hmac_sha256(SECRET, &[&time, ".", &body]));
    ([("x-signature", signature), ("x-timestamp", time)], body)
}
