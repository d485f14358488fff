//! Checkr's API v1: candidates, invitations, reports, and its signed events.
//!
//! Quirks it plays: a report has its candidate in it only where that is asked for, events come with an object that is nothing but its id,
//! a page goes on by a whole address, and a candidate must be known before an invitation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256, now_s};

/// The key that the simulator takes, which is also the key of its signatures. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-checkr-key-5e83";

/// An account.
#[derive(Debug, Default)]
pub struct Account {
    pub candidates: Vec<Value>,
    pub reports: Vec<Value>,
    pub invitations: Vec<Value>,
    answers: BTreeMap<String, Value>,
}

impl Account {
    /// So many candidates, each with a report.
    pub fn of(candidates: usize) -> Self {
        let mut account = Self::default();
        for n in 1..=candidates {
            account.candidate(&json!({ "custom_id": format!("app-{n}"), "email": format!("c{n}@candidate.test"), "first_name": "Li", "last_name": "Example" }));
            account.report(&format!("cand{n}"), "complete", Some("clear"));
        }
        account
    }

    fn candidate(&mut self, body: &Value) -> Value {
        let mut candidate = body.clone();
        let id = format!("cand{}", self.candidates.len() + 1);
        candidate["uri"] = json!(format!("/v1/candidates/{id}"));
        (candidate["id"], candidate["object"], candidate["report_ids"]) = (json!(id), json!("candidate"), json!([]));
        self.candidates.push(candidate.clone());
        candidate
    }

    /// A report of a candidate: its id.
    pub fn report(&mut self, candidate: &str, status: &str, result: Option<&str>) -> String {
        let id = format!("rep{}", self.reports.len() + 1);
        self.reports.push(json!({
            "id": id, "object": "report", "status": status, "result": result, "adjudication": null, "package": "essential_criminal",
            "created_at": "2026-02-01T00:00:00Z", "completed_at": result.map(|_| "2026-02-03T00:00:00Z"), "candidate_id": candidate,
        }));
        let of = self.candidates.iter_mut().find(|one| one["id"] == candidate).unwrap();
        of["report_ids"].as_array_mut().unwrap().push(json!(id));
        id
    }

    fn write(&mut self, ask: &Ask, what: &str) -> Told {
        if let Some(known) = ask.headers.get("idempotency-key").and_then(|key| self.answers.get(key)) {
            return Told::of(201, known.clone());
        }
        let answer = match what {
            "candidates" if ask.body["email"].is_string() => self.candidate(&ask.body),
            "invitations"
                if self.candidates.iter().any(|one| one["id"] == ask.body["candidate_id"])
                    && ask.body["work_locations"][0]["country"].is_string() =>
            {
                let id = format!("inv{}", self.invitations.len() + 1);
                let invitation = json!({
                    "id": id, "object": "invitation", "status": "pending", "package": ask.body["package"],
                    "invitation_url": format!("https://apply.checkr.example/{id}"), "candidate_id": ask.body["candidate_id"],
                });
                self.invitations.push(invitation.clone());
                invitation
            }
            _ => return Told::of(400, json!({ "error": ["the request is invalid"] })),
        };
        if let Some(key) = ask.headers.get("idempotency-key") {
            self.answers.insert(key.clone(), answer.clone());
        }
        Told::of(201, answer)
    }
}

impl Vendor for Account {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_basic(API_KEY, "") {
            true => Ok(()),
            false => Err(Told::of(401, json!({ "error": "Bad authentication error" }))),
        }
    }

    fn busy(&self) -> Told {
        let reset = (now_s() + 1).to_string();
        Told::of(429, json!({ "error": "Too many requests" }))
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", reset)
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let missing = Told::of(404, json!({ "error": "Not found" }));
        match (ask.method.as_str(), ask.below("/v1").as_slice()) {
            ("GET", ["candidates"]) => {
                let Ok(size) = ask.size("per_page", 25, 100) else {
                    return Told::of(400, json!({ "error": "per_page" }));
                };
                let page: usize = ask.query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
                let rows: Vec<&Value> = self.candidates.iter().skip((page - 1) * size).take(size).collect();
                let more = self.candidates.len() > page * size;
                let next = more.then(|| format!("{}/v1/candidates?page={}&per_page={size}", ask.base, page + 1));
                Told::good(json!({ "object": "list", "data": rows, "count": self.candidates.len(), "next_href": next }))
            }
            ("GET", ["reports", id]) => {
                let Some(mut report) = self.reports.iter().find(|one| one["id"] == *id).cloned() else {
                    return missing;
                };
                if ask.query.get("include").is_some_and(|include| include == "candidate") {
                    let candidate = self.candidates.iter().find(|one| one["id"] == report["candidate_id"]).cloned();
                    report["candidate"] = candidate.unwrap_or_default();
                }
                Told::good(report)
            }
            ("POST", [what @ ("candidates" | "invitations")]) => self.write(ask, what),
            _ => missing,
        }
    }
}

/// The event of a report: its header and its body.
pub fn event(id: &str, kind: &str, report: &str) -> ([(&'static str, String); 1], String) {
    let body = json!({
        "id": id, "object": "event", "type": kind, "created_at": "2026-02-03T00:00:00Z",
        "data": { "object": { "id": report, "object": "report", "uri": format!("/v1/reports/{report}") } },
    });
    let body = body.to_string();
    ([("x-checkr-signature", hmac_sha256(API_KEY, &[&body]))], body)
}
