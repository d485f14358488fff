//! Personio's API v2: departments and teams, persons, employments by person, recruiting in beta.
//!
//! Quirks it plays: id and secret of a token request stand in the form and nowhere else, rows are at `_data`, pages go on by the whole address at
//! `_meta.links.next.href`, recruiting is there only for who sends `Beta: true`, and errors name a trace.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, ms};

/// The credentials that the simulator takes. The secret is a canary, as every token is: they must turn up nowhere.
pub const CLIENT_ID: &str = "papi-made-up";
/// The secret of [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "canary-personio-secret-2c40";

const PATH: &str = "/v2";

/// A company.
#[derive(Debug, Default)]
pub struct Company {
    pub departments: Vec<Value>,
    pub persons: Vec<Value>,
    /// (person, employment)
    pub employments: Vec<(String, Value)>,
    pub jobs: Vec<Value>,
    pub candidates: Vec<Value>,
    pub applications: Vec<Value>,
    /// Tokens that are good.
    pub tokens: BTreeSet<String>,
    /// How many were given.
    pub given: usize,
    /// So many requests a token is good for; none: for as long as the simulator runs.
    pub token_life: Option<usize>,
    used: usize,
}

impl Company {
    /// So many persons, each with an employment.
    pub fn of(persons: usize) -> Self {
        let mut company = Self {
            departments: vec![
                json!({ "id": "10", "name": "Platform", "parent_id": null }),
                json!({ "id": "11", "name": "Gateway", "parent_id": "10" }),
            ],
            jobs: vec![json!({ "id": "j1", "name": "Engineer", "status": "published", "department": { "id": "10" } })],
            ..Self::default()
        };
        (1..=persons).for_each(|n| company.hire(n, "2026-02-01T00:00:00Z"));
        for n in 1..=3 {
            let id = format!("c{n}");
            company.candidates.push(json!({ "id": id, "first_name": "Li", "last_name": format!("Candidate {n}"), "email": format!("{id}@candidate.test") }));
            company.applications.push(json!({
                "id": format!("a{n}"), "candidate": { "id": id }, "job": { "id": "j1" }, "channel": { "name": "LinkedIn" },
                "current_stage": { "name": "Interview", "type": "interview" }, "is_anonymized": false,
            }));
        }
        company
    }

    /// A new person with an employment.
    pub fn hire(&mut self, n: usize, at: &str) {
        self.persons.push(json!({
            "id": n.to_string(), "first_name": "Fang", "last_name": format!("Person {n}"), "email": format!("p{n}@made-up.test"),
            "status": "ACTIVE", "gender": "FEMALE", "updated_at": at,
        }));
        self.employments.push((
            n.to_string(),
            json!({
                "id": format!("e-{n}"), "status": "ACTIVE", "updated_at": at, "employment_start_date": "2024-03-01",
                "position": { "title": "Engineer" }, "org_units": [{ "type": "department", "id": "10" }], "weekly_working_hours": 38.5,
                "supervisor": { "id": "1" },
            }),
        ));
    }

    fn token(&mut self, ask: &Ask) -> Told {
        let given = |name: &str| ask.body[name].as_str().unwrap_or_default().to_owned();
        if given("grant_type") != "client_credentials" || ask.headers.contains_key("authorization") {
            return error(400, "common.invalid_request");
        }
        if given("client_id") != CLIENT_ID || given("client_secret") != CLIENT_SECRET {
            return error(401, "common.unauthorized");
        }
        (self.given, self.used) = (self.given + 1, 0);
        let token = format!("canary-personio-token-{}", self.given);
        self.tokens.insert(token.clone());
        Told::good(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 86_400 }))
    }
}

fn error(status: u16, code: &str) -> Told {
    Told::of(
        status,
        json!({ "personio_trace_id": "made-up", "errors": [{ "title": code, "type": format!("https://developer.personio.de/reference/errors#{code}") }] }),
    )
}

/// A page of rows, in which the cursor counts.
fn page(ask: &Ask, rows: &[&Value], most: usize, known: &[&str]) -> Told {
    let known = [known, &["limit", "cursor"]].concat();
    let limit = match (ask.stranger(&known), ask.size("limit", 10, most)) {
        (None, Ok(limit)) => limit,
        _ => return error(400, "common.invalid_parameter"),
    };
    let from =
        match ask.query.get("cursor").map(|cursor| cursor.strip_prefix("cur_").and_then(|text| text.parse().ok())) {
            None => 0,
            Some(Some(from)) => from,
            Some(None) => return error(400, "common.invalid_cursor"),
        };
    let rest = rows.get(from..).unwrap_or_default();
    let mut answer =
        json!({ "_data": rest[..rest.len().min(limit)], "_meta": { "links": { "self": { "href": ask.path } } } });
    if rest.len() > limit {
        let kept = ask.query.iter().filter(|(name, _)| *name != "cursor");
        let kept: String = kept.map(|(name, value)| format!("&{name}={value}")).collect();
        answer["_meta"]["links"]["next"]["href"] =
            json!(format!("{}{}?cursor=cur_{}{kept}", ask.base, ask.path, from + limit));
    }
    Told::good(answer)
}

impl Vendor for Company {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let good = ask.path == "/v2/auth/token" || self.tokens.iter().any(|token| ask.is_bearer(token));
        if good { Ok(()) } else { Err(error(401, "common.unauthorized")) }
    }

    fn busy(&self) -> Told {
        error(429, "common.too_many_requests").header("x-ratelimit-remaining", "0")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        self.used += 1;
        if self.token_life == Some(self.used) {
            self.tokens.clear();
        }
        let all = |rows: &'_ Vec<Value>, most: usize| page(ask, &rows.iter().collect::<Vec<_>>(), most, &[]);
        let is_beta = ask.headers.get("beta").is_some_and(|beta| beta == "true");
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("POST", ["auth", "token"]) => self.token(ask),
            ("GET", ["org-units"]) => match ask.query.get("type").map(String::as_str) {
                Some("department") => page(ask, &self.departments.iter().collect::<Vec<_>>(), 100, &["type"]),
                Some("team") => page(ask, &[], 100, &["type"]),
                _ => error(400, "common.invalid_parameter"),
            },
            ("GET", ["persons"]) => {
                let after = ask.query.get("updated_at.gt").map(|text| ms(text));
                let newer =
                    |person: &&Value| after.is_none_or(|after| ms(person["updated_at"].as_str().unwrap()) > after);
                page(ask, &self.persons.iter().filter(newer).collect::<Vec<_>>(), 50, &["updated_at.gt"])
            }
            ("GET", ["persons", id]) => {
                let found = self.persons.iter().find(|person| person["id"] == *id);
                found.map_or(error(404, "common.requested_resource_not_found"), |person| Told::good(person.clone()))
            }
            ("GET", ["persons", id, "employments"]) => {
                let own = self.employments.iter().filter(|(of, _)| of == id).map(|(_, employment)| employment);
                page(ask, &own.collect::<Vec<_>>(), 50, &["updated_at.gt"])
            }
            ("GET", ["recruiting", "jobs"]) if is_beta => all(&self.jobs, 200),
            ("GET", ["recruiting", "candidates"]) if is_beta => all(&self.candidates, 200),
            ("GET", ["recruiting", "applications"]) if is_beta => all(&self.applications, 200),
            _ => error(404, "common.requested_resource_not_found"),
        }
    }
}
