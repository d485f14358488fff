//! BambooHR's API v1: employees by what changed, job openings, applications, and its signed events.
//!
//! Quirks it plays: who changed is an object and not a list (an empty one is written `[]`), an unset day is `0000-00-00`, a single employee has the
//! fields that were asked for and no others, errors have an empty body, and one way to say "too often" comes with status 200.

use serde_json::{Map, Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256, ms, now_s};

/// The API key that the simulator takes. A canary, like the private key: they must turn up nowhere.
pub const API_KEY: &str = "canary-bamboo-key-90ab";
/// The private key of the webhook.
pub const PRIVATE_KEY: &str = "canary-bamboo-private-77de";

const PATH: &str = "/api/v1";
/// Applications of one page.
const PAGE: usize = 50;

/// A company.
#[derive(Debug, Default)]
pub struct Company {
    /// Id to all fields.
    pub employees: Vec<(String, Value)>,
    /// (id, action, when)
    pub changes: Vec<(String, &'static str, String)>,
    pub jobs: Vec<Value>,
    pub applications: Vec<Value>,
    /// "Too often" is said with status 200.
    pub quietly_busy: bool,
}

impl Company {
    /// So many employees and applications.
    pub fn of(employees: usize, applications: usize) -> Self {
        let mut company = Self { jobs: vec![job(51, "Engineer", "Open")], ..Self::default() };
        for n in 1..=employees {
            company.hire(&n.to_string(), "2026-02-01T00:00:00+00:00");
        }
        company.applications = (1..=applications).map(application).collect();
        company
    }

    /// A new employee.
    pub fn hire(&mut self, id: &str, at: &str) {
        self.employees.push((id.to_owned(), employee(id)));
        self.changes.push((id.to_owned(), "Inserted", at.to_owned()));
    }

    /// Changes one field.
    pub fn change(&mut self, id: &str, field: &str, value: Value, at: &str) {
        self.employees.iter_mut().find(|(known, _)| known == id).unwrap().1[field] = value;
        self.changes.push((id.to_owned(), "Updated", at.to_owned()));
    }

    /// Deletes an employee.
    pub fn delete(&mut self, id: &str, at: &str) {
        self.employees.retain(|(known, _)| known != id);
        self.changes.push((id.to_owned(), "Deleted", at.to_owned()));
    }

    fn changed(&self, ask: &Ask) -> Told {
        let since = ask.query.get("since").and_then(|text| ms(text));
        let kind = ask.query.get("type").map_or("all", String::as_str);
        let known = ["all", "inserted", "updated", "deleted"].contains(&kind);
        let (Some(since), None, true) = (since, ask.stranger(&["since", "type"]), known) else {
            return Told::of(400, Value::Null);
        };
        let mut found = Map::new();
        let mut latest = String::new();
        for (id, action, at) in &self.changes {
            if ms(at).unwrap() >= since {
                // The newest change of an employee is the one that is told.
                found.insert(id.clone(), json!({ "id": id, "action": action, "lastChanged": at }));
                latest.clone_from(at);
            }
        }
        found.retain(|_, change| kind == "all" || change["action"].as_str().unwrap().eq_ignore_ascii_case(kind));
        let employees = if found.is_empty() { json!([]) } else { Value::Object(found) };
        Told::good(json!({ "latest": latest, "employees": employees }))
    }

    fn one(&self, id: &str, ask: &Ask) -> Told {
        let Some((_, all)) = self.employees.iter().find(|(known, _)| known == id) else {
            return Told::of(404, Value::Null);
        };
        let fields = ask.query.get("fields").map_or("firstName,lastName", String::as_str);
        let mut found = json!({ "id": id });
        for field in fields.split(',') {
            found[field] = all.get(field).cloned().unwrap_or_default();
        }
        Told::good(found)
    }

    fn applications(&self, ask: &Ask) -> Told {
        if ask.stranger(&["page", "applicationStatus", "jobStatusGroups"]).is_some() {
            return Told::of(400, Value::Null);
        }
        let page: usize = ask.query.get("page").and_then(|text| text.parse().ok()).unwrap_or(1);
        let rows: Vec<&Value> = self.applications.iter().skip((page - 1) * PAGE).take(PAGE).collect();
        let more = self.applications.len() > page * PAGE;
        let next = more.then(|| {
            format!(
                "{}{PATH}/applicant_tracking/applications?applicationStatus=ALL&jobStatusGroups=ALL&page={}",
                ask.base,
                page + 1
            )
        });
        Told::good(json!({ "paginationComplete": !more, "nextPageUrl": next, "applications": rows }))
    }

    fn set_status(&mut self, id: &str, body: &Value) -> Told {
        const KNOWN: [(i64, &str); 3] = [(1, "New"), (5, "Interviewed"), (9, "Hired")];
        let Some(application) = self.applications.iter_mut().find(|one| one["id"].as_u64() == id.parse().ok()) else {
            return Told::of(404, Value::Null);
        };
        match KNOWN.iter().find(|(known, _)| body["status"] == *known) {
            None => Told::of(400, Value::Null).header("x-bamboohr-error-message", "Invalid status"),
            Some((known, label)) => {
                application["status"] = json!({ "id": known, "label": label });
                Told::good(json!({ "type": "positionApplicantStatus", "id": 4711 }))
            }
        }
    }
}

impl Vendor for Company {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_basic(API_KEY, "x") {
            true => Ok(()),
            false => Err(Told::of(401, Value::Null).header("x-bamboohr-error-message", "Invalid API key")),
        }
    }

    fn busy(&self) -> Told {
        match self.quietly_busy {
            true => Told::good(
                json!({ "error": { "code": 429, "message": "Over rate limit, please try again in 60 seconds" } }),
            ),
            false => Told::of(503, Value::Null).header("retry-after", "1"),
        }
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        if ask.headers.get("accept").is_none_or(|accept| !accept.contains("application/json")) {
            return Told::of(406, Value::Null);
        }
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("GET", ["employees", "changed"]) => self.changed(ask),
            ("GET", ["employees", id]) => self.one(id, ask),
            ("GET", ["applicant_tracking", "jobs"]) => Told::good(json!(self.jobs)),
            ("GET", ["applicant_tracking", "applications"]) => self.applications(ask),
            ("GET", ["applicant_tracking", "applications", id]) => {
                let found = self.applications.iter().find(|one| one["id"].as_u64() == id.parse().ok());
                found.map_or(Told::of(404, Value::Null), |one| Told::good(one.clone()))
            }
            ("POST", ["applicant_tracking", "applications", id, "status"]) => self.set_status(id, &ask.body),
            _ => Told::of(404, Value::Null),
        }
    }
}

fn employee(id: &str) -> Value {
    json!({
        "displayName": format!("Fang Employee {id}"), "firstName": "Fang", "lastName": format!("Employee {id}"),
        "employeeNumber": format!("E{id}"), "workEmail": format!("e{id}@made-up.test"), "mobilePhone": "+8619900000001",
        "status": "Active", "employmentHistoryStatus": "Full-Time", "hireDate": "2024-03-01", "terminationDate": "0000-00-00",
        "jobTitle": "Engineer", "department": "Platform", "location": "Shanghai", "supervisorEId": "1", "ssn": "canary-ssn",
    })
}

/// A job opening.
pub fn job(id: u32, title: &str, status: &str) -> Value {
    json!({
        "id": id, "title": { "id": null, "label": title }, "postedDate": "2026-01-05T00:00:00+00:00", "location": null,
        "department": { "id": 3, "label": "Platform" }, "status": { "id": 2, "label": status },
        "hiringLead": { "employeeId": 1 }, "postingUrl": null,
    })
}

fn application(n: usize) -> Value {
    json!({
        "id": 900 + n, "appliedDate": "2026-02-01T00:00:00+00:00", "status": { "id": 1, "label": "New" },
        "applicant": { "id": 7000 + n, "firstName": "Li", "lastName": format!("Applicant {n}"), "email": format!("a{n}@candidate.test"), "source": "LinkedIn" },
        "job": { "id": 51, "title": { "id": null, "label": "Engineer" } },
    })
}

/// An event as BambooHR sends it so many seconds ago: its headers and its body.
pub fn event(kind: &str, id: &str, ago_s: i64) -> ([(&'static str, String); 2], String) {
    let body = json!({ "type": kind, "timestamp": "2026-02-02T00:00:00Z", "data": { "companyId": "1", "employeeId": id, "changedFields": ["jobTitle"] } });
    let (body, time) = (body.to_string(), (now_s() - ago_s).to_string());
    let signature = hmac_sha256(PRIVATE_KEY, &[&body, &time]);
    ([("x-bamboohr-signature", signature), ("x-bamboohr-timestamp", time)], body)
}
