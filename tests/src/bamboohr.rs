//! BambooHR's API v1: employees and what changed, compensation, time off, jobs, applications, and its signed events.
//!
//! Quirks it plays: XML unless JSON is asked for; what changed is an object by id, and `[]` where nothing did; fields that are not asked for are not
//! there; a day that is not set is `0000-00-00`; the address of the next page is on another host; a refused status is an empty 400 with the reason in
//! a header.

use serde_json::{Map, Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256, ms};

/// The API key that the simulator takes, with any password. A canary: it must turn up nowhere.
pub const KEY: &str = "canary-bamboohr-key-93b1";
/// The private key of the webhook. A canary too.
pub const PRIVATE_KEY: &str = "canary-bamboohr-private-key-5d0e";

const PATH: &str = "/api/v1";
/// Applications in a page.
const PAGE: usize = 50;
/// Fields in one request.
const FIELDS_MAX: usize = 400;
/// The statuses of applications: id and label.
const STATUSES: [(i64, &str); 3] = [(1, "New"), (4, "Hired"), (9, "Not a Fit")];

/// A company.
#[derive(Debug, Default)]
pub struct Company {
    /// Each with every field that it has, `lastChanged` and `action` included.
    pub employees: Vec<Value>,
    pub compensation: Vec<Value>,
    pub time_off: Vec<Value>,
    pub jobs: Vec<Value>,
    pub applications: Vec<Value>,
    /// So many changes of status were made.
    pub changes: i64,
}

impl Company {
    /// So many employees, one job, and so many applications for it.
    pub fn of(employees: usize, applications: usize) -> Self {
        let jobs = vec![json!({
            "id": 24, "title": { "id": null, "label": "Backend Engineer" }, "postedDate": "2026-01-05T00:00:00+00:00", "location": { "id": 3, "label": "Shanghai" },
            "department": { "id": 18, "label": "Platform" }, "status": { "id": 2, "label": "Open" }, "hiringLead": { "employeeId": 101 }, "postingUrl": null,
        })];
        Self {
            employees: (1..=employees).map(|n| employee(n, "2026-02-01T00:00:00+00:00")).collect(),
            jobs,
            applications: (1..=applications).map(application).collect(),
            ..Self::default()
        }
    }

    /// An employee, to be changed; the change is noted at this time.
    pub fn change(&mut self, id: &str, action: &str, at: &str) -> &mut Value {
        let employee = self.employees.iter_mut().find(|employee| employee["id"] == id).unwrap();
        (employee["action"], employee["lastChanged"]) = (json!(action), json!(at));
        employee
    }

    fn changed(&self, ask: &Ask) -> Told {
        let Some(since) = ask.query.get("since").and_then(|text| ms(text)) else { return refused(400) };
        let wanted = ask.query.get("type").map_or("all", String::as_str);
        if !["inserted", "updated", "deleted", "all"].contains(&wanted) {
            return refused(400);
        }
        let fits = |employee: &&Value| {
            let action = employee["action"].as_str().unwrap().to_lowercase();
            ms(employee["lastChanged"].as_str().unwrap()) >= Some(since) && (wanted == "all" || wanted == action)
        };
        let found: Vec<&Value> = self.employees.iter().filter(fits).collect();
        let latest = found.iter().filter_map(|employee| employee["lastChanged"].as_str()).max();
        let line = |employee: &&Value| {
            let id = employee["id"].as_str().unwrap().to_owned();
            (id, json!({ "id": employee["id"], "action": employee["action"], "lastChanged": employee["lastChanged"] }))
        };
        let employees = match found.is_empty() {
            true => json!([]),
            false => Value::Object(found.iter().map(line).collect::<Map<_, _>>()),
        };
        Told::good(json!({ "latest": latest, "employees": employees }))
    }

    fn employee(&self, id: &str, ask: &Ask) -> Told {
        let fields = ask.query.get("fields").map_or("firstName,lastName", String::as_str);
        let names: Vec<&str> = fields.split(',').collect();
        if names.len() > FIELDS_MAX {
            return refused(400);
        }
        let found = self.employees.iter().find(|employee| employee["id"] == id && employee["action"] != "Deleted");
        let Some(employee) = found else { return refused(404) };
        let known = names.iter().filter_map(|name| Some(((*name).to_owned(), employee.get(*name)?.clone())));
        let mut answer: Map<String, Value> = known.filter(|(name, _)| name != "action").collect();
        answer.insert("id".to_owned(), json!(id));
        Told::good(Value::Object(answer))
    }

    fn absences(&self, ask: &Ask) -> Told {
        let text = |name: &str| ask.query.get(name).map(String::as_str);
        let day = |name: &str| text(name).filter(|text| text.parse::<jiff::civil::Date>().is_ok());
        let (Some(start), Some(end)) = (day("start"), day("end")) else { return refused(400) };
        let overlaps =
            |request: &&Value| request["end"].as_str() >= Some(start) && request["start"].as_str() <= Some(end);
        let quiet = ask.query.get("excludeNote").is_some_and(|text| !text.is_empty() && text != "0");
        let shown = |request: &Value| {
            let mut request = request.clone();
            if quiet {
                request.as_object_mut().unwrap().remove("notes");
            }
            request
        };
        Told::good(self.time_off.iter().filter(overlaps).map(shown).collect())
    }

    fn listed(&self, ask: &Ask) -> Told {
        let page = ask.size("page", 1, usize::MAX);
        let by = ask.query.get("sortBy").map_or("created_date", String::as_str);
        let (Ok(page), "created_date") = (page, by) else { return refused(400) };
        let from = ((page - 1) * PAGE).min(self.applications.len());
        let to = (from + PAGE).min(self.applications.len());
        let is_last = to == self.applications.len();
        let next = format!(
            "https://api.bamboohr.example/api/gateway.php/company/v1/applicant_tracking/applications?page={}",
            page + 1
        );
        let next = if is_last { Value::Null } else { json!(next) };
        Told::good(
            json!({ "paginationComplete": is_last, "nextPageUrl": next, "applications": self.applications[from..to] }),
        )
    }

    fn application(&self, id: &str) -> Told {
        let found = self.applications.iter().find(|application| application["id"].as_i64() == id.parse().ok());
        found.map_or_else(|| refused(404), |application| Told::good(application.clone()))
    }

    fn set_status(&mut self, id: &str, body: &Value) -> Told {
        let Some(application) = self.applications.iter_mut().find(|one| one["id"].as_i64() == id.parse().ok()) else {
            return refused(404);
        };
        let wanted = body["status"].as_i64();
        let Some((id, label)) = STATUSES.iter().find(|(id, _)| Some(*id) == wanted) else {
            return refused(400).header("x-bamboohr-error-message", "Invalid status");
        };
        application["status"] = json!({ "id": id, "label": label });
        self.changes += 1;
        Told::good(json!({ "type": "positionApplicantStatus", "id": 900 + self.changes }))
    }
}

fn refused(status: u16) -> Told {
    Told::of(status, Value::Null)
}

impl Vendor for Company {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_basic(KEY, "x") {
            true => Ok(()),
            false => Err(refused(401)),
        }
    }

    fn busy(&self) -> Told {
        refused(503).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        if ask.headers.get("accept").is_none_or(|kind| kind != "application/json") {
            return Told::good(json!("<?xml version=\"1.0\"?><employees/>"));
        }
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            ("GET", ["employees", "changed"]) => self.changed(ask),
            ("GET", ["employees", "all", "tables", "compensation"]) => Told::good(json!(self.compensation)),
            ("GET", ["employees", id]) => self.employee(id, ask),
            ("GET", ["time_off", "requests"]) => self.absences(ask),
            ("GET", ["applicant_tracking", "jobs"]) => Told::good(json!(self.jobs)),
            ("GET", ["applicant_tracking", "applications"]) => self.listed(ask),
            ("GET", ["applicant_tracking", "applications", id]) => self.application(id),
            ("POST", ["applicant_tracking", "applications", id, "status"]) => self.set_status(id, &ask.body),
            _ => refused(404),
        }
    }
}

/// An employee with a home address that is never asked for.
pub fn employee(n: usize, at: &str) -> Value {
    json!({
        "id": (100 + n).to_string(), "action": "Inserted", "lastChanged": at, "employeeNumber": format!("N-{n}"), "firstName": "Wei",
        "lastName": format!("Employee {n}"), "preferredName": null, "homeEmail": null, "mobilePhone": "+8619900000001", "workEmail": format!("e{n}@company.test"),
        "workPhone": null, "status": "Active", "employmentStatus": "Full-Time", "jobTitleName": "Engineer", "department": "Platform", "location": "Shanghai",
        "reportsToId": if n == 1 { Value::Null } else { json!("101") }, "hireDate": "2020-02-29", "terminationDate": "0000-00-00",
        "address1": "canary-home-address",
    })
}

/// A row of the compensation table.
pub fn pay(id: &str, employee: &str, amount: &str, per: &str) -> Value {
    json!({
        "id": id, "employeeId": employee, "startDate": "2026-01-01", "endDate": null, "rate": { "value": amount, "currency": "CNY" }, "type": "Salary",
        "reason": "Hire", "comment": "", "paidPer": per,
    })
}

/// A request for time off, with a note that is never read.
pub fn absence(id: &str, employee: &str, start: &str, end: &str, status: &str) -> Value {
    json!({
        "id": id, "employeeId": employee, "name": "Wei Employee", "status": { "lastChanged": "2026-02-01", "status": status }, "start": start, "end": end,
        "created": "2026-01-20", "type": { "id": "78", "name": "Sick" }, "amount": { "unit": "hours", "amount": "4.5" }, "notes": { "employee": "canary-note" },
    })
}

fn application(n: usize) -> Value {
    json!({
        "id": n, "appliedDate": "2026-01-10T08:00:00+00:00", "status": { "id": 1, "label": "New" }, "rating": null,
        "applicant": { "id": 1000 + n, "firstName": "Nan", "lastName": format!("Applicant {n}"), "email": format!("a{n}@candidate.test"), "source": "Careers page" },
        "job": { "id": 24, "title": { "id": null, "label": "Backend Engineer" } },
    })
}

/// An event as BambooHR sends it at this time: the body, and its signature.
pub fn event(kind: &str, employee: &str, at_s: i64) -> (String, String) {
    let body = json!({ "type": kind, "timestamp": "2026-02-02T00:00:00Z", "data": { "companyId": "12345", "employeeId": employee } });
    let body = body.to_string();
    let signature = hmac_sha256(PRIVATE_KEY, &[&body, &at_s.to_string()]);
    (body, signature)
}
