//! Workable's API v3 (`/spi/v3`): jobs, candidates, offers, comments, and its signed events.
//!
//! Quirks it plays: pages go on by a whole address (`since_id`), `limit` is at most 100, the list of candidates is thin, a candidate without an
//! offer is 404, a comment is answered with an empty 201, and too many requests with 429 and the time of the next interval.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256, ms, now_s};

/// The token that the simulator takes, which is also the key of its signatures. A canary: it must turn up nowhere.
pub const TOKEN: &str = "canary-workable-token-41c7";

/// An account.
#[derive(Debug, Default)]
pub struct Account {
    pub jobs: Vec<Value>,
    pub candidates: Vec<Value>,
    /// By the candidate's id.
    pub offers: Vec<(String, Value)>,
    /// (candidate, activity)
    pub activities: Vec<(String, Value)>,
    /// Members who may write comments.
    pub members: Vec<String>,
}

const PATH: &str = "/spi/v3";

impl Account {
    /// So many candidates for one job.
    pub fn of(candidates: usize) -> Self {
        let jobs = ["GROOV1", "GROOV2"].map(|code| {
            json!({
                "id": code.to_lowercase(), "title": format!("Engineer {code}"), "shortcode": code, "code": "R-1", "state": "published",
                "department": "Platform", "location": { "location_str": "Shanghai, China" }, "created_at": "2026-01-01T00:00:00Z",
            })
        });
        let candidates = (1..=candidates).map(|n| candidate(n, "2026-02-01T00:00:00Z"));
        Self {
            jobs: jobs.to_vec(),
            candidates: candidates.collect(),
            members: vec!["member-1".to_owned()],
            ..Self::default()
        }
    }

    /// A candidate, to be changed.
    pub fn candidate_mut(&mut self, id: &str) -> &mut Value {
        self.candidates.iter_mut().find(|candidate| candidate["id"] == id).unwrap()
    }

    fn list(&self, ask: &Ask, name: &str, rows: &[Value], known: &[&str]) -> Told {
        if let Some(stranger) = ask.stranger(known) {
            return Told::of(422, json!({ "error": format!("unknown parameter {stranger}") }));
        }
        let limit = match ask.size("limit", 50, 100) {
            Ok(limit) => limit,
            Err(error) => return Told::of(422, json!({ "error": error })),
        };
        let time = |name: &str| ask.query.get(name).map(|text| ms(text));
        let (updated, created) = (time("updated_after"), time("created_after"));
        if updated == Some(None) || created == Some(None) {
            return Told::of(422, json!({ "error": "updated_after and created_after are timestamps" }));
        }
        let key = if name == "jobs" { "shortcode" } else { "id" };
        let from = match ask.query.get("since_id") {
            None => 0,
            Some(since) => rows.iter().position(|row| row[key] == since.as_str()).map_or(rows.len(), |at| at + 1),
        };
        let fits = |row: &&Value| {
            let at = |name: &str| row[name].as_str().and_then(ms);
            let is_new = updated.flatten().is_none_or(|after| at("updated_at") >= Some(after))
                && created.flatten().is_none_or(|after| at("created_at") >= Some(after));
            let stage = ask.query.get("stage");
            is_new && stage.is_none_or(|stage| row["stage_kind"] == stage.as_str())
        };
        let left: Vec<&Value> = rows[from..].iter().filter(fits).collect();
        let page = &left[..left.len().min(limit)];
        let mut answer = json!({ name: page, "paging": {} });
        if left.len() > limit {
            let kept = ["limit", "updated_after", "created_after", "stage"];
            let kept = kept.iter().filter_map(|name| Some((name, ask.query.get(*name)?)));
            let kept: String = kept.map(|(name, value)| format!("{name}={value}&")).collect();
            let last = page[page.len() - 1][key].as_str().unwrap();
            answer["paging"]["next"] = json!(format!("{}{}?{kept}since_id={last}", ask.base, ask.path));
        }
        Told::good(answer)
    }

    fn comment(&mut self, id: &str, body: &Value) -> Told {
        let text = body["comment"]["body"].as_str().filter(|text| !text.is_empty());
        let member = body["member_id"].as_str().filter(|member| self.members.iter().any(|known| known == member));
        let (Some(text), Some(member)) = (text, member) else {
            return Told::of(
                422,
                json!({ "error": "member_id and comment.body must be present", "validation_errors": {} }),
            );
        };
        let activity = json!({ "id": format!("act-{}", self.activities.len() + 1), "action": "comment", "body": text, "member": { "id": member } });
        self.activities.push((id.to_owned(), activity));
        Told::of(201, Value::Null)
    }
}

impl Vendor for Account {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_bearer(TOKEN) {
            true => Ok(()),
            false => Err(Told::of(401, json!({ "error": "Not authorized" }))),
        }
    }

    fn busy(&self) -> Told {
        Told::of(429, json!({ "error": "Rate limit exceeded" }))
            .header("x-rate-limit-limit", "10")
            .header("x-rate-limit-remaining", "0")
            .header("x-rate-limit-reset", (now_s() + 1).to_string())
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let missing = Told::of(404, json!({ "error": "Not found" }));
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("GET", ["jobs"]) => self.list(ask, "jobs", &self.jobs, &["limit", "since_id", "created_after"]),
            ("GET", ["candidates"]) => {
                let known = ["limit", "since_id", "updated_after", "created_after", "stage"];
                self.list(ask, "candidates", &self.candidates, &known)
            }
            ("GET", ["candidates", id]) => {
                let found = self.candidates.iter().find(|candidate| candidate["id"] == *id);
                found.map_or(missing, |candidate| Told::good(json!({ "candidate": candidate })))
            }
            ("GET", ["candidates", id, "offer"]) => {
                let found = self.offers.iter().find(|(of, _)| of == id);
                found.map_or(missing, |(_, offer)| Told::good(offer.clone()))
            }
            ("GET", ["candidates", id, "activities"]) => {
                let own = self.activities.iter().filter(|(of, _)| of == id).map(|(_, activity)| activity);
                Told::good(json!({ "activities": own.collect::<Vec<_>>() }))
            }
            ("POST", ["candidates", id, "comments"]) if self.candidates.iter().any(|one| one["id"] == *id) => {
                self.comment(id, &ask.body)
            }
            _ => missing,
        }
    }
}

/// A candidate of the first job.
pub fn candidate(n: usize, updated_at: &str) -> Value {
    json!({
        "id": format!("c-{n}"), "name": format!("Wei Candidate {n}"), "firstname": "Wei", "lastname": format!("Candidate {n}"),
        "headline": "Engineer", "job": { "shortcode": "GROOV1", "title": "Engineer" }, "stage": "Applied", "stage_kind": "applied",
        "disqualified": false, "withdrew": false, "disqualification_reason": null, "sourced": false,
        "email": format!("c{n}@candidate.test"), "domain": "jobs.example", "phone": "+8619900000001", "hired_at": null,
        "created_at": "2026-01-05T00:00:00Z", "updated_at": updated_at,
    })
}

/// An offer with a salary.
pub fn offer(id: &str, amount: u32, frequency: &str) -> Value {
    json!({
        "candidate": { "id": id, "name": "Wei" }, "created_at": "2026-02-01T00:00:00Z", "state": "accepted",
        "document_variables": [
            { "document_variable": { "name": "Today", "slug": "today_date" }, "value": { "body": "2026-02-01" } },
            { "document_variable": { "name": "Salary", "slug": "salary" }, "value": { "data": { "amount": amount, "frequency": frequency, "currency_iso": "CNY" } } },
        ],
        "documents": [{ "name": "offer.pdf", "preview_url": "https://files.workable.example/offer.pdf", "kind": "Offer" }],
    })
}

/// An event as Workable sends it: the body, and its signature.
pub fn event(id: &str, kind: &str, candidate: &Value) -> (String, String) {
    let body = json!({
        "id": id, "event_type": kind, "fired_at": "2026-02-02T00:00:00Z", "resource_type": "candidate", "data": candidate,
    });
    let body = body.to_string();
    let signature = hmac_sha256(TOKEN, &[&body]);
    (body, signature)
}
