//! Checkr's API v1: candidates, invitations, reports, and its signed events.
//!
//! Quirks it plays: reports are not listed; a list has at most 100 in a page; the candidate stands in a report only if it is asked for; a key repeats the
//! answer that was good, no matter what is sent with it; too many requests are told the time of the next minute in words; an account without an API key
//! signs events with a sentence.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256};

/// The API key that the simulator takes, which is also the key of its signatures. A canary: it must turn up nowhere.
pub const KEY: &str = "canary-checkr-key-83eb";

/// What stands in place of the signature where the account has no key.
pub const UNSIGNED: &str = "Please create an API key to check the authenticity of our webhooks.";

/// An account.
#[derive(Debug, Default)]
pub struct Account {
    pub candidates: Vec<Value>,
    pub invitations: Vec<Value>,
    pub reports: Vec<Value>,
    /// Good answers by their idempotency key.
    answered: BTreeMap<String, Told>,
}

const PATH: &str = "/v1";
const PACKAGES: [&str; 2] = ["driver_pro", "tasker_standard"];

impl Account {
    /// So many candidates, each invited and with a report that is not over.
    pub fn of(candidates: usize) -> Self {
        let mut account = Self::default();
        for n in 1..=candidates {
            account.candidates.push(candidate(&format!("cand-{n}"), &json!(format!("app-{n}")), "c@candidate.test"));
            account.invitations.push(invitation(&format!("inv-{n}"), &format!("cand-{n}"), "driver_pro"));
            account.fill_in(&format!("inv-{n}"), &format!("rep-{n}"));
        }
        account
    }

    /// The candidate has filled in the form: a report begins.
    pub fn fill_in(&mut self, invitation: &str, report: &str) {
        let found = self.invitations.iter_mut().find(|one| one["id"] == invitation).unwrap();
        (found["status"], found["report_id"]) = (json!("completed"), json!(report));
        self.reports.push(json!({
            "id": report, "object": "report", "uri": format!("/v1/reports/{report}"), "status": "pending", "result": null, "package": found["package"],
            "created_at": "2026-02-01T00:00:00Z", "completed_at": null, "adjudication": null, "candidate_id": found["candidate_id"],
        }));
    }

    /// A report comes to an end, or to a halt.
    pub fn set(&mut self, report: &str, status: &str, result: &Value) {
        let found = self.reports.iter_mut().find(|one| one["id"] == report).unwrap();
        (found["status"], found["result"]) = (json!(status), result.clone());
        if status == "complete" {
            found["completed_at"] = json!("2026-02-03T00:00:00Z");
        }
    }

    fn listed(ask: &Ask, rows: &[Value], filter: &str) -> Told {
        if let Some(stranger) = ask.stranger(&["page", "per_page", filter]) {
            return Told::of(400, json!({ "error": format!("{stranger} is not a parameter") }));
        }
        let (page, size) = match (ask.size("page", 1, usize::MAX), ask.size("per_page", 25, 100)) {
            (Ok(page), Ok(size)) => (page, size),
            (Err(error), _) | (_, Err(error)) => return Told::of(400, json!({ "error": error })),
        };
        let fits = |row: &&Value| ask.query.get(filter).is_none_or(|wanted| row[filter] == wanted.as_str());
        let found: Vec<&Value> = rows.iter().filter(fits).collect();
        let from = ((page - 1) * size).min(found.len());
        let to = (from + size).min(found.len());
        let next = (to < found.len())
            .then(|| format!("http://api.checkr.example{}?page={}&per_page={size}", ask.path, page + 1));
        Told::good(json!({ "data": &found[from..to], "object": "list", "next_href": next, "count": found.len() }))
    }

    fn report(&self, id: &str, ask: &Ask) -> Told {
        let Some(mut report) = self.reports.iter().find(|report| report["id"] == id).cloned() else { return missing() };
        if ask.query.get("include").is_some_and(|names| names.split(',').any(|name| name == "candidate")) {
            let candidate = self.candidates.iter().find(|candidate| candidate["id"] == report["candidate_id"]);
            report["candidate"] = json!(candidate);
        }
        Told::good(report)
    }

    fn create(&mut self, what: &str, body: &Value) -> Told {
        let refuse = |error: &str| Told::of(400, json!({ "error": error }));
        let made = match what {
            "candidates" => {
                let Some(email) = body["email"].as_str().filter(|email| email.contains('@')) else {
                    return refuse("email is invalid");
                };
                let made = candidate(&format!("cand-{}", self.candidates.len() + 1), &body["custom_id"], email);
                self.candidates.push(made.clone());
                made
            }
            _ => {
                let candidate = body["candidate_id"].as_str().unwrap_or_default();
                let place = &body["work_locations"][0];
                let package = body["package"].as_str().unwrap_or_default();
                if !self.candidates.iter().any(|known| known["id"] == candidate) {
                    return refuse("candidate_id is invalid");
                }
                if place["country"] == "US" && place["state"].is_null() {
                    return refuse("work_locations: state is required");
                }
                if !PACKAGES.contains(&package) {
                    return Told::of(404, json!({ "error": "Package not found" }));
                }
                let made = invitation(&format!("inv-{}", self.invitations.len() + 1), candidate, package);
                self.invitations.push(made.clone());
                made
            }
        };
        Told::of(201, made)
    }

    /// A key has one effect, and one answer if that was good.
    fn once(&mut self, what: &str, ask: &Ask) -> Told {
        let Some(key) = ask.headers.get("idempotency-key").cloned() else { return self.create(what, &ask.body) };
        if let Some(told) = self.answered.get(&key) {
            return told.clone();
        }
        let told = self.create(what, &ask.body);
        if told.status == 201 {
            self.answered.insert(key, told.clone());
        }
        told
    }
}

fn missing() -> Told {
    Told::of(404, json!({ "error": "Resource not found" }))
}

impl Vendor for Account {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_basic(KEY, "") {
            true => Ok(()),
            false => Err(Told::of(401, json!({ "error": "Bad authentication error" }))),
        }
    }

    fn busy(&self) -> Told {
        let reset = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 1).unwrap();
        Told::of(429, json!({ "error": "Too Many Requests" }))
            .header("x-ratelimit-limit", "1200")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", reset.to_string())
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("GET", ["candidates"]) => Self::listed(ask, &self.candidates, "custom_id"),
            ("GET", ["invitations"]) => Self::listed(ask, &self.invitations, "status"),
            ("GET", ["reports", id]) => self.report(id, ask),
            ("POST", [what @ ("candidates" | "invitations")]) => self.once(what, ask),
            _ => missing(),
        }
    }
}

fn candidate(id: &str, custom_id: &Value, email: &str) -> Value {
    json!({ "id": id, "object": "candidate", "uri": format!("/v1/candidates/{id}"), "email": email, "custom_id": custom_id, "ssn": "XXX-XX-4645" })
}

fn invitation(id: &str, candidate: &str, package: &str) -> Value {
    json!({
        "id": id, "object": "invitation", "invitation_url": format!("https://apply.checkr.example/invite/{id}"), "status": "pending",
        "created_at": "2026-01-31T00:00:00Z", "expires_at": "2026-02-07T00:00:00Z", "package": package, "candidate_id": candidate, "report_id": null,
    })
}

/// An event of a report as Checkr sends it, without the report itself: the body, and its signature.
pub fn event(id: &str, kind: &str, report: &str) -> (String, String) {
    let object = json!({ "id": report, "object": "report", "uri": format!("/v1/reports/{report}") });
    let body = json!({ "id": id, "object": "event", "type": kind, "created_at": "2026-02-03T00:00:00Z", "data": { "object": object } });
    let body = body.to_string();
    let signature = hmac_sha256(KEY, &[&body]);
    (body, signature)
}
