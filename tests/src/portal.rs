//! A recruiting portal that serves the contract of declarative/connectors/portal: applications, stages and invitations, events signed as
//! Standard Webhooks says.
//!
//! It refuses what the contract does not know, keeps the answer of each idempotency key, and lets cursors expire.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::office::{Ask, Told, Vendor, ms, now_s};

/// The key that the simulator takes. A canary, like the secret: they must turn up nowhere.
pub const API_KEY: &str = "canary-portal-key-6f20";
/// The secret of the signatures.
pub const SECRET: &str = "whsec_Y2FuYXJ5LXBvcnRhbC1zZWNyZXQtMWQ0OQ==";

/// A portal.
#[derive(Debug, Default)]
pub struct Portal {
    pub applications: Vec<Value>,
    /// Path and body of what was written, in order.
    pub written: Vec<(String, Value)>,
    /// The answer of each key.
    answers: BTreeMap<String, (Value, Value)>,
    /// The next cursor is refused.
    pub forgets_cursor: bool,
}

const PATH: &str = "/api/v1";

impl Portal {
    /// So many applications.
    pub fn of(applications: usize) -> Self {
        Self {
            applications: (1..=applications).map(|n| application(n, "2026-02-01T08:00:00Z")).collect(),
            ..Self::default()
        }
    }

    fn list(&mut self, ask: &Ask) -> Told {
        let size = ask.size("limit", 50, 200);
        let since = ask.query.get("updated_since").map(|text| ms(text));
        let (Ok(size), None, true) = (size, ask.stranger(&["limit", "cursor", "updated_since"]), since != Some(None))
        else {
            return error(400, "parameter_invalid");
        };
        let cursor = ask.query.get("cursor");
        if cursor.is_some() && std::mem::take(&mut self.forgets_cursor) {
            return error(400, "cursor_expired");
        }
        let from: usize = cursor.and_then(|cursor| cursor.strip_prefix("at-")?.parse().ok()).unwrap_or(0);
        let newer =
            |row: &&Value| since.flatten().is_none_or(|since| ms(row["updated_at"].as_str().unwrap()) >= Some(since));
        let rows: Vec<&Value> = self.applications.iter().filter(newer).skip(from).collect();
        let page = &rows[..rows.len().min(size)];
        let next = if rows.len() > size { json!(format!("at-{}", from + size)) } else { json!("") };
        Told::good(json!({ "data": page, "next_cursor": next }))
    }

    fn write(&mut self, id: &str, what: &str, ask: &Ask) -> Told {
        let Some(key) = ask.headers.get("idempotency-key") else { return error(400, "idempotency_key_missing") };
        if let Some((body, answer)) = self.answers.get(key) {
            return if *body == ask.body { Told::good(answer.clone()) } else { error(409, "idempotency_key_reused") };
        }
        if !self.applications.iter().any(|application| application["id"] == id) {
            return error(404, "not_found");
        }
        let (known, fits): (&[&str], bool) = match what {
            "stage" => {
                (&["stage", "status", "note"], ask.body["stage"].as_str().is_some_and(|stage| !stage.contains(' ')))
            }
            _ => (&["kind", "url", "start", "deadline"], ask.body["url"].is_string()),
        };
        let stranger = ask.body.as_object().is_none_or(|body| body.keys().any(|name| !known.contains(&name.as_str())));
        if stranger || !fits {
            return error(422, if what == "stage" { "stage_unknown" } else { "invitation_invalid" });
        }
        self.written.push((ask.path.clone(), ask.body.clone()));
        let answer = json!({ "id": format!("{what}-{}", self.written.len()) });
        self.answers.insert(key.clone(), (ask.body.clone(), answer.clone()));
        Told::of(201, answer)
    }
}

fn error(status: u16, code: &str) -> Told {
    Told::of(status, json!({ "error": { "code": code } }))
}

impl Vendor for Portal {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        if ask.is_bearer(API_KEY) { Ok(()) } else { Err(error(401, "unauthorized")) }
    }

    fn busy(&self) -> Told {
        error(429, "too_many_requests").header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("GET", ["applications"]) => self.list(ask),
            ("POST", ["applications", id, "stage"]) => self.write(id, "stage", ask),
            ("POST", ["applications", id, "invitations"]) => self.write(id, "invitation", ask),
            _ => error(404, "not_found"),
        }
    }
}

/// An application with a résumé.
pub fn application(n: usize, updated_at: &str) -> Value {
    json!({
        "id": format!("app-{n}"), "job": "job-7", "status": "active", "stage": "applied", "channel": "career_site",
        "submitted_at": "2026-02-01T08:00:00Z", "updated_at": updated_at,
        "candidate": {
            "id": format!("cand-{n}"), "name": format!("Li Applicant {n}"), "email": format!("a{n}@candidate.test"), "skills": ["Rust"],
            "experiences": [{ "id": "exp-1", "employer": "Made Up Ltd", "title": "Engineer", "start": "2020-09-01" }],
            "documents": [{ "uri": format!("https://files.portal.test/{n}.pdf"), "sha256": "ab".repeat(32), "bytes": 48_211, "media_type": "application/pdf" }],
        },
    })
}

/// The headers of an event that is sent so many seconds ago.
pub fn sign(id: &str, ago_s: i64, body: &str) -> [(&'static str, String); 3] {
    let time = now_s() - ago_s;
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    [("webhook-id", id.to_owned()), ("webhook-timestamp", time.to_string()), ("webhook-signature", signature)]
}
