//! Oracle Fusion Cloud HCM: workers with what hangs on them, and salaries.
//!
//! Quirks it plays: ids have 15 digits and more; what hangs on a row is a list of its own with `items` and `hasMore`; a page has at most 500 rows, and
//! one who asks for more gets 500; `q` takes attributes that can be queried and no others; a refusal of the credential has no body; without
//! an end, the end is in the year 4712.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor};
use crate::people::person;

/// The integration user.
pub const USER: &str = "hcm.integration";
/// Its password. A canary: it must turn up nowhere.
pub const PASSWORD: &str = "canary-oracle-password-88d0";

const PATH: &str = "/hcmRestApi/resources/11.13.18.05";
const PAGE_MAX: usize = 500;
const FIRST_ID: i64 = 300_000_047_674_000;

/// A tenant.
#[derive(Debug, Default)]
pub struct Tenant {
    pub resources: BTreeMap<String, Vec<Value>>,
    /// Resources that the user may not read.
    pub denied: Vec<String>,
}

impl Tenant {
    /// So many workers, each with an assignment and a salary.
    #[must_use]
    pub fn of(workers: usize) -> Self {
        let mut tenant = Self::default();
        tenant.resources.insert("workers".to_owned(), (1..=workers).map(worker).collect());
        tenant.resources.insert("salaries".to_owned(), (1..=workers).map(salary).collect());
        tenant.resources.insert("absences".to_owned(), (1..=workers).map(absence).collect());
        tenant
    }

    /// Changes a worker.
    pub fn change(&mut self, n: usize, pointer: &str, value: Value, at: &str) {
        let worker = &mut self.resources.get_mut("workers").unwrap()[n - 1];
        *worker.pointer_mut(pointer).unwrap() = value;
        worker["LastUpdateDate"] = json!(at);
    }

    fn list(&self, name: &str, ask: &Ask) -> Result<Told, String> {
        const KNOWN: [&str; 6] = ["onlyData", "expand", "q", "orderBy", "limit", "offset"];
        if let Some(stranger) = ask.stranger(&KNOWN) {
            return Err(format!("URL request parameter {stranger} cannot be used in this context."));
        }
        let Some(rows) = self.resources.get(name) else { return Ok(Told::of(404, Value::Null)) };
        let mut found: Vec<&Value> = Vec::new();
        for row in rows {
            if ask.query.get("q").map_or(Ok(true), |q| holds(q, row))? {
                found.push(row);
            }
        }
        let order: Vec<&str> = ask.query.get("orderBy").map(|text| text.split(',').collect()).unwrap_or_default();
        found.sort_by_key(|row| order.iter().map(|name| row[*name].to_string()).collect::<Vec<_>>());
        let number = |name: &str, usual: usize| ask.query.get(name).map_or(Ok(usual), |text| text.parse::<usize>());
        let wrong = |_| "The limit and the offset are whole numbers.".to_owned();
        let (limit, offset) = (number("limit", 25).map_err(wrong)?.min(PAGE_MAX), number("offset", 0).map_err(wrong)?);
        let expand = ask.query.get("expand").map_or("", String::as_str);
        let page: Vec<Value> = found.iter().skip(offset).take(limit).map(|row| shown(row, expand)).collect();
        let more = offset + page.len() < found.len();
        Ok(Told::good(
            json!({ "items": page, "count": page.len(), "hasMore": more, "limit": limit, "offset": offset, "links": [] }),
        ))
    }
}

/// `LastUpdateDate >= '…'` and `AssignmentId=…`; other attributes cannot be queried.
fn holds(q: &str, row: &Value) -> Result<bool, String> {
    let wrong = || format!("URL request parameter q with value {q}: the query parameter is invalid.");
    let time = |name: &str| q.strip_prefix(name)?.strip_prefix(" >= '")?.strip_suffix('\'');
    for name in ["LastUpdateDate", "lastUpdateDate"].into_iter().filter(|name| row.get(*name).is_some()) {
        let Some(literal) = time(name) else { continue };
        let wanted: jiff::Timestamp = literal.parse().map_err(|_| wrong())?;
        let at = row[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        return Ok(at.is_some_and(|at| at >= wanted));
    }
    let id = q.strip_prefix("AssignmentId=").ok_or_else(wrong)?.parse::<i64>().map_err(|_| wrong())?;
    Ok(row["AssignmentId"] == id)
}

/// A row without what was not expanded.
fn shown(row: &Value, expand: &str) -> Value {
    let mut row = row.clone();
    let is_expanded = |name: &str| expand.split(',').any(|one| one == name || one.split('.').next() == Some(name));
    if let Some(members) = row.as_object_mut() {
        for name in ["names", "emails", "phones", "workRelationships"].into_iter().filter(|name| !is_expanded(name)) {
            members.remove(name);
        }
    }
    if !expand.contains("workRelationships.assignments") {
        let relations = row.pointer_mut("/workRelationships/items").and_then(Value::as_array_mut);
        relations.into_iter().flatten().for_each(|relation| relation["assignments"] = Value::Null);
    }
    row
}

impl Vendor for Tenant {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        if ask.is_basic(USER, PASSWORD) { Ok(()) } else { Err(Told::of(401, Value::Null)) }
    }

    fn busy(&self) -> Told {
        Told::of(429, json!({ "title": "Too Many Requests", "status": "429" })).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let framework = ask.headers.get("rest-framework-version").map(String::as_str);
        match (ask.method.as_str(), ask.below(PATH).as_slice()) {
            // Of an older framework, the shapes are others.
            ("GET", [_]) if framework != Some("4") => Told::of(400, json!({ "title": "Bad Request", "status": "400" })),
            ("GET", [name]) if self.denied.iter().any(|denied| denied == name) => {
                Told::of(403, json!({ "title": "Forbidden", "status": "403" }))
            }
            ("GET", [name]) => self.list(name, ask).unwrap_or_else(|detail| {
                Told::of(
                    400,
                    json!({ "title": "Bad Request", "status": "400", "detail": detail, "o:errorDetails": [] }),
                )
            }),
            _ => Told::of(404, Value::Null),
        }
    }
}

fn child(items: &[Value]) -> Value {
    json!({ "count": items.len(), "items": items, "hasMore": false, "limit": 25, "offset": 0 })
}

fn id(n: usize, of: i64) -> i64 {
    FIRST_ID + n as i64 * 10 + of
}

fn worker(n: usize) -> Value {
    let who = person(n);
    let at = jiff::Timestamp::from_millisecond(1_767_225_600_000 + n as i64 / 3 * 1000 + 35).unwrap();
    let assignment = json!({
        "AssignmentId": id(n, 2), "AssignmentName": "Engineer", "AssignmentStatusType": "ACTIVE", "FullPartTime": "FULL_TIME", "GradeCode": "G5",
        "DepartmentName": "Platform", "LocationCode": "SHA", "PrimaryFlag": true, "EffectiveStartDate": "2020-01-01", "EffectiveEndDate": "4712-12-31",
        "NormalHours": 40, "Frequency": "W",
    });
    let relation = |of: i64, primary: bool, (start, end): (&str, Value), assignments: Vec<Value>| {
        json!({
            "PeriodOfServiceId": id(n, of), "WorkerType": "E", "PrimaryFlag": primary, "StartDate": start, "TerminationDate": end,
            "assignments": child(&assignments),
        })
    };
    // One in ten worked here before.
    let before = n.is_multiple_of(10).then(|| relation(3, false, ("2016-04-01", json!("2019-06-30")), Vec::new()));
    let relations: Vec<Value> =
        before.into_iter().chain([relation(1, true, ("2020-01-01", Value::Null), vec![assignment])]).collect();
    json!({
        "PersonId": id(n, 0), "PersonNumber": n.to_string(), "DateOfBirth": "1990-05-01", "LastUpdateDate": at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string(),
        "names": child(&[json!({ "DisplayName": who.name, "FirstName": null, "LastName": who.name, "KnownAs": null })]),
        "emails": child(&[json!({ "EmailType": "W1", "EmailAddress": format!("{}@made-up.example", who.latin), "PrimaryFlag": true })]),
        "phones": child(&[json!({ "PhoneType": "WM", "CountryCodeNumber": "86", "AreaCode": null, "PhoneNumber": who.mobile, "PrimaryFlag": true })]),
        "workRelationships": child(&relations),
    })
}

fn salary(n: usize) -> Value {
    json!({
        "SalaryId": id(n, 5), "AssignmentId": id(n, 2), "SalaryAmount": 9000.5, "AnnualSalary": 108_006, "CurrencyCode": "CNY",
        "SalaryBasisName": "Monthly", "DateFrom": "2025-01-01", "DateTo": "4712-12-31",
    })
}

fn absence(n: usize) -> Value {
    json!({
        "personAbsenceEntryId": id(n, 7), "personId": id(n, 0), "personNumber": n.to_string(), "absenceType": "Vacation",
        "absenceStatusCd": if n.is_multiple_of(6) { "ORA_WITHDRAWN" } else { "SUBMITTED" }, "approvalStatusCd": "APPROVED", "startDate": "2026-02-02",
        "endDate": if n.is_multiple_of(4) { Value::Null } else { json!("2026-02-03") }, "duration": 1.5, "unitOfMeasure": "D",
        "submittedDate": "2026-01-15T08:00:00.000+00:00", "lastUpdateDate": "2026-01-15T08:00:00.000+00:00",
    })
}
