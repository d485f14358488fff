//! Three small systems that are only read: a learning platform, a publisher of market pay, a system of peer review. Each serves the contract
//! of the folder of the same name in declarative/connectors.
//!
//! Each pages in its own way: by number, by offset, by cursor. The system of peer review knows its reviewers and must not be asked for them.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, ms};

/// The key that all three take. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-feeds-key-b8e4";

/// The rows of all three.
#[derive(Debug, Default)]
pub struct Feeds {
    pub completions: Vec<Value>,
    pub figures: Vec<Value>,
    pub feedback: Vec<Value>,
}

fn error(status: u16, code: &str) -> Told {
    Told::of(status, json!({ "error": { "code": code } }))
}

impl Feeds {
    /// So many rows of each.
    pub fn of(rows: usize) -> Self {
        Self {
            completions: (1..=rows).map(completion).collect(),
            figures: (1..=rows).map(figure).collect(),
            feedback: (1..=rows).map(piece).collect(),
        }
    }

    fn completions(&self, ask: &Ask) -> Told {
        let (Ok(size), None) = (ask.size("per_page", 20, 100), ask.stranger(&["page", "per_page", "updated_since"]))
        else {
            return error(400, "parameter_invalid");
        };
        let Ok(page) = ask.size("page", 1, usize::MAX) else { return error(400, "parameter_invalid") };
        let rows = since(&self.completions, ask);
        let shown: Vec<&Value> = rows.iter().skip((page - 1) * size).take(size).copied().collect();
        Told::good(json!({ "data": shown, "page": page, "pages": rows.len().div_ceil(size) }))
    }

    fn figures(&self, ask: &Ask) -> Told {
        let (Ok(size), None) = (ask.size("limit", 20, 200), ask.stranger(&["limit", "offset"])) else {
            return error(400, "parameter_invalid");
        };
        let from: usize = ask.query.get("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
        let shown: Vec<&Value> = self.figures.iter().skip(from).take(size).collect();
        Told::good(json!({ "data": shown, "total": self.figures.len() }))
    }

    fn feedback(&self, ask: &Ask) -> Told {
        let known = ["limit", "cursor", "updated_since", "reviewer"];
        let (Ok(size), None) = (ask.size("limit", 20, 200), ask.stranger(&known)) else {
            return error(400, "parameter_invalid");
        };
        let told = ask.query.get("reviewer").map_or("name", String::as_str);
        let from: usize = ask.query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let rows = since(&self.feedback, ask);
        let shown = rows.iter().skip(from).take(size).map(|row| {
            let mut row = (*row).clone();
            let members = row.as_object_mut().unwrap();
            members.retain(|member, _| match member.as_str() {
                "reviewer" => told == "name",
                "reviewer_pseudonym" => told == "pseudonym",
                "reviewer_number" => told == "number",
                _ => true,
            });
            row
        });
        let next = (rows.len() > from + size).then(|| (from + size).to_string());
        Told::good(json!({ "data": shown.collect::<Vec<_>>(), "next_cursor": next }))
    }
}

fn since<'r>(rows: &'r [Value], ask: &Ask) -> Vec<&'r Value> {
    let since = ask.query.get("updated_since").and_then(|text| ms(text));
    rows.iter().filter(|row| since.is_none_or(|since| ms(row["updated_at"].as_str().unwrap()) >= Some(since))).collect()
}

impl Vendor for Feeds {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let by_header = ask.headers.get("x-api-key").is_some_and(|key| key == API_KEY);
        let good = if ask.path == "/api/figures" { by_header } else { ask.is_bearer(API_KEY) };
        if good { Ok(()) } else { Err(error(401, "unauthorized")) }
    }

    fn busy(&self) -> Told {
        error(429, "too_many_requests").header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.path.as_str()) {
            ("GET", "/api/completions") => self.completions(ask),
            ("GET", "/api/figures") => self.figures(ask),
            ("GET", "/api/feedback") => self.feedback(ask),
            _ => error(404, "not_found"),
        }
    }
}

fn completion(n: usize) -> Value {
    json!({
        "id": format!("done-{n}"), "employee_number": format!("E{n}"), "course": { "code": "SEC-1", "name": "Security" },
        "status": if n.is_multiple_of(10) { "failed" } else { "completed" }, "started_on": "2026-01-05", "completed_on": "2026-01-06",
        "score": { "value": "87.5", "pass": "60" }, "updated_at": "2026-01-06T09:00:00Z",
    })
}

fn figure(n: usize) -> Value {
    json!({
        "id": format!("fig-{n}"), "role": "Backend Engineer", "level": format!("P{n}"), "location": "Shanghai", "publisher": "Made Up Surveys",
        "published_on": "2026-01-31", "p25": "18000.00", "p50": 22000.5, "p75": "30000", "currency": "CNY", "per": "month",
    })
}

fn piece(n: usize) -> Value {
    json!({
        "id": format!("fb-{n}"), "employee_number": format!("E{n}"), "reviewer": { "name": "canary-reviewer", "employee_number": "E999" },
        "reviewer_pseudonym": "5f3c0a", "reviewer_number": format!("canary-R{}", n % 3), "relation": "peer", "rating": 4, "text": "Helps others", "given_at": "2026-01-06T09:00:00Z",
        "withdrawn": false, "updated_at": "2026-01-06T09:00:00Z",
    })
}
