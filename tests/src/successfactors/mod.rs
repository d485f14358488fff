//! SAP SuccessFactors: tokens for signed SAML assertions, OData 2, upsert.
//!
//! Quirks it plays: a page has at most 1,000 rows and goes on by `__next`, whose token works for that list alone; a snapshot stays as it was; times
//! are `/Date(ms)/`; without a date only the slice of today is told; inactive users only to one who asks for them; a refused row of an upsert comes
//! with status 200. Who asks for no kind of paging is answered all the same, by `$skip` and `$top`: a careful client never does.

mod metadata;
mod odata;

use std::collections::BTreeMap;

use axum::extract::Query;
use serde_json::{Value, json};

use crate::assertion;
use crate::office::{Ask, Told, Vendor};
use crate::people::person;
use odata::{FOR_EVER_MS, Refused, find, has_key, page_of, page_size, shown};
pub use odata::{date, stamp};

/// The company.
pub const COMPANY: &str = "madeup";
/// The API key of the OAuth client.
pub const CLIENT_ID: &str = "simulated-api-key";
/// The API user.
pub const USER: &str = "robot";
/// What tokens begin with. A canary: it must turn up nowhere.
pub const TOKEN: &str = "canary-successfactors-token-";

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR_MS: i64 = 1_767_225_600_000;
const PATH: &str = "/odata/v2";

/// A tenant.
#[derive(Debug, Default)]
pub struct Tenant {
    pub entities: BTreeMap<String, Vec<Value>>,
    /// Entities that the user may not read.
    pub denied: Vec<String>,
    /// Tokens that were given out.
    pub tokens: u32,
    /// Lists that are being read: the rows that are left.
    lists: Vec<Vec<Value>>,
}

impl Tenant {
    /// So many workers, each with a job in two slices, pay and a review.
    #[must_use]
    pub fn of(workers: usize) -> Self {
        let mut tenant = Self::default();
        let mut put = |name: &str, rows: Vec<Value>| drop(tenant.entities.insert(name.to_owned(), rows));
        put("FODepartment", (1..=3).map(department).collect());
        put(
            "FOJobCode",
            vec![row(
                "FOJobCode('ENG')",
                0,
                &json!({ "externalCode": "ENG", "startDate": date(NEW_YEAR_MS), "name": "Engineer", "jobFunction": "IT", "grade": "GR-05", "status": "A" }),
            )],
        );
        put("User", (1..=workers).map(user).collect());
        put("EmpJob", (1..=workers).flat_map(job_slices).collect());
        put("EmpPayCompRecurring", (1..=workers).map(pay).collect());
        put("Position", (1..=4).map(position).collect());
        put("JobRequisition", (1..=3).map(requisition).collect());
        put("Candidate", (1..=workers).map(candidate).collect());
        put("JobApplication", (1..=workers).map(application).collect());
        put("FormHeader", (1..=workers).map(form).collect());
        tenant
    }

    /// Changes a row that has this value.
    pub fn change(&mut self, entity: &str, key: (&str, &str), changes: &Value, at_ms: i64) {
        let rows = self.entities.get_mut(entity).unwrap();
        let row = rows.iter_mut().find(|row| row[key.0] == key.1).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            row[name] = value.clone();
        }
        row["lastModifiedDateTime"] = stamp(at_ms);
    }

    fn token(&mut self, ask: &Ask) -> Told {
        let refused = |why: &str| Told::of(401, json!({ "errorHttpCode": "401", "errorMessage": why }));
        let form = &ask.body;
        if form["grant_type"] != "urn:ietf:params:oauth:grant-type:saml2-bearer" || form["company_id"] != COMPANY {
            return refused("Unable to authenticate the client");
        }
        let Some(saml) = form["assertion"].as_str().and_then(assertion::saml) else {
            return refused("Unable to verify the signature of the SAML assertion");
        };
        let now = jiff::Timestamp::now();
        let here = format!("{}/oauth/token", ask.base);
        let is_for_us = saml.audience == "www.successfactors.com" && saml.recipient == here;
        if saml.issuer != CLIENT_ID
            || form["client_id"] != CLIENT_ID
            || !is_for_us
            || now < saml.not_before
            || now >= saml.not_after
        {
            return refused("Unable to validate the SAML assertion");
        }
        if saml.name != USER {
            return refused("Unable to map the subject to a user");
        }
        self.tokens += 1;
        Told::good(
            json!({ "access_token": format!("{TOKEN}{}", self.tokens), "token_type": "Bearer", "expires_in": 86_400 }),
        )
    }

    /// The rows of an entity that the user may read.
    fn rows(&self, entity: &str) -> Result<&[Value], Refused> {
        if self.denied.iter().any(|denied| denied == entity) {
            return Err((403, "COE0018", format!("no permission for {entity}")));
        }
        let rows = self.entities.get(entity).map(Vec::as_slice);
        rows.ok_or_else(|| (404, "COE0021", format!("Resource not found for the segment '{entity}'")))
    }

    /// A list, a row by its key (`User('1')`), or what there is (`$metadata`).
    fn read(&mut self, segment: &str, ask: &Ask) -> Result<Told, Refused> {
        if segment == "$metadata" {
            let document = metadata::document(&self.entities);
            return Ok(Told::good(json!(document)).header("content-type", "application/xml;charset=utf-8"));
        }
        let accepted = ask.headers.get("accept").is_some_and(|kinds| kinds.contains("application/json"));
        if !accepted && ask.query.get("$format").map(String::as_str) != Some("json") {
            return Err((406, "COE0020", "this simulator answers JSON alone, and not Atom".to_owned()));
        }
        let Some((entity, key)) = segment.strip_suffix(')').and_then(|rest| rest.split_once('(')) else {
            return self.list(segment, ask);
        };
        let found = self.rows(entity)?.iter().find(|row| has_key(row, metadata::keys(entity), key));
        let row = found.ok_or_else(|| (404, "COE0021", format!("{segment} not found")))?;
        Ok(Told::good(json!({ "d": shown(entity, row, &[]) })))
    }

    fn list(&mut self, entity: &str, ask: &Ask) -> Result<Told, Refused> {
        let rows = self.rows(entity)?;
        let mut count = None;
        let (left, size) = match ask.query.get("$skiptoken") {
            Some(token) => {
                let known = token
                    .split_once('x')
                    .and_then(|(list, size)| Some((list.parse::<usize>().ok()?, size.parse::<usize>().ok()?)));
                let list = known.and_then(|(list, size)| Some((self.lists.get(list)?.clone(), size)));
                list.ok_or_else(|| (400, "COE_SKIPTOKEN", "the skiptoken is not known".to_owned()))?
            }
            None => {
                let own = if entity == "Position" { "cursor" } else { "snapshot" };
                if let Some(other) = ask.query.get("paging").filter(|paging| *paging != own) {
                    return Err((400, "COE0020", format!("{entity} has no paging `{other}`")));
                }
                let found = find(entity, &inactive_aside(rows, ask), &ask.query)?;
                count = ask.query.get("$inlinecount").map(|_| found.len().to_string());
                (page_of(found, &ask.query)?, page_size(&ask.query)?)
            }
        };
        let (page, rest) = left.split_at(left.len().min(size));
        let mut body = json!({ "d": { "results": page } });
        if let Some(count) = count {
            body["d"]["__count"] = json!(count);
        }
        if !rest.is_empty() {
            self.lists.push(rest.to_vec());
            let token = format!("{}x{size}", self.lists.len() - 1);
            body["d"]["__next"] = json!(format!("{}{PATH}/{entity}?$format=json&$skiptoken={token}", ask.base));
        }
        Ok(Told::good(body))
    }

    fn upsert(&mut self, body: &Value) -> Told {
        let uri = body["__metadata"]["uri"].as_str().unwrap_or_default();
        let id = uri.strip_prefix("JobApplication(applicationId=").and_then(|rest| rest.strip_suffix("L)"));
        let row = self.entities.get_mut("JobApplication").into_iter().flatten();
        let row = row.into_iter().find(|row| Some(row["applicationId"].as_str().unwrap_or_default()) == id);
        let status = body["appStatusSetItemId"].as_str().unwrap_or_default();
        let told = |status: &str, edit: Value, message: Value, code: u16| {
            let key = id.map(|id| format!("JobApplication/applicationId={id}"));
            json!({ "d": [{ "key": key, "status": status, "editStatus": edit, "message": message, "index": 0, "httpCode": code, "inlineResults": null }] })
        };
        Told::good(match row {
            Some(row) if ["11", "12", "13"].contains(&status) => {
                row["appStatusSetItemId"] = json!(status);
                told("OK", json!("UPSERTED"), Value::Null, 200)
            }
            Some(_) => told("ERROR", Value::Null, json!(format!("Invalid status {status}")), 500),
            None => told("ERROR", Value::Null, json!("The application does not exist"), 500),
        })
    }
}

/// A segment of a path without its escapes.
fn decoded(segment: &str) -> String {
    let uri = format!("/?segment={segment}").parse::<axum::http::Uri>();
    let pairs = uri.ok().and_then(|uri| Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok());
    pairs.and_then(|Query(mut pairs)| pairs.remove("segment")).unwrap_or_default()
}

/// Inactive users are told to one who asks for them by their status.
fn inactive_aside(rows: &[Value], ask: &Ask) -> Vec<Value> {
    let by_status = ask.query.get("$filter").is_some_and(|filter| filter.contains("status"));
    rows.iter().filter(|row| by_status || row["status"] != "f").cloned().collect()
}

impl Vendor for Tenant {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let token =
            ask.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer ")?.strip_prefix(TOKEN));
        let good = token.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number <= self.tokens);
        match good || ask.path == "/oauth/token" {
            true => Ok(()),
            false => Err(Told::of(
                401,
                json!({ "error": { "code": "LGN0022", "message": { "lang": "en-US", "value": "Unable to authenticate" } } }),
            )),
        }
    }

    fn busy(&self) -> Told {
        Told::of(429, json!({ "error": { "code": "TOO_MANY_REQUESTS" } })).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let told = match (ask.method.as_str(), ask.path.as_str(), ask.below(PATH).as_slice()) {
            ("POST", "/oauth/token", _) => Ok(self.token(ask)),
            ("POST", _, ["upsert"]) => Ok(self.upsert(&ask.body)),
            ("GET", _, [segment]) => self.read(&decoded(segment), ask),
            _ => Err((404, "COE0021", "Resource not found".to_owned())),
        };
        told.unwrap_or_else(|(status, code, message)| {
            Told::of(status, json!({ "error": { "code": code, "message": { "lang": "en-US", "value": message } } }))
        })
    }
}

fn row(uri: &str, tick: usize, members: &Value) -> Value {
    let mut row = members.clone();
    row["__metadata"] = json!({ "uri": uri });
    row["lastModifiedDateTime"] = stamp(NEW_YEAR_MS + tick as i64 / 3 * 1000);
    row
}

fn department(n: usize) -> Value {
    let parent = if n > 1 { json!("D-1") } else { Value::Null };
    row(
        "FODepartment",
        0,
        &json!({ "externalCode": format!("D-{n}"), "name": format!("Department {n}"), "parent": parent, "headOfUnit": n.to_string(), "startDate": date(NEW_YEAR_MS), "status": "A" }),
    )
}

fn user(n: usize) -> Value {
    let who = person(n);
    row(
        "User",
        n,
        &json!({
            "userId": n.to_string(), "empId": format!("E{n}"), "username": who.latin, "firstName": "", "lastName": who.name, "defaultFullName": who.name,
            "email": format!("{}@made-up.example", who.latin), "cellPhone": who.mobile, "businessPhone": null, "title": "Engineer", "jobCode": "ENG",
            "location": "Shanghai", "hireDate": date(NEW_YEAR_MS - 86_400_000), "status": if n.is_multiple_of(50) { "f" } else { "t" },
            "manager": if n > 1 { json!({ "userId": "1" }) } else { Value::Null },
        }),
    )
}

/// One slice that is over, and one that holds.
fn job_slices(n: usize) -> [Value; 2] {
    let slice = |start: i64, end: i64, title: &str| {
        row(
            "EmpJob",
            n,
            &json!({
                "userId": n.to_string(), "startDate": date(start), "endDate": date(end), "seqNumber": "1", "jobTitle": title, "jobCode": "ENG", "position": "P-1",
                "department": "D-1", "location": "Shanghai", "managerId": if n > 1 { "1" } else { "NO_MANAGER" }, "payGrade": "GR-05", "fte": "1.0", "standardHours": "40.0",
            }),
        )
    };
    let day = 86_400_000;
    [slice(NEW_YEAR_MS - 400 * day, NEW_YEAR_MS - day, "Junior"), slice(NEW_YEAR_MS, FOR_EVER_MS, "Engineer")]
}

fn pay(n: usize) -> Value {
    row(
        "EmpPayCompRecurring",
        n,
        &json!({
            "userId": n.to_string(), "startDate": date(NEW_YEAR_MS), "endDate": date(FOR_EVER_MS), "seqNumber": "1", "payComponent": "BASE",
            "paycompvalue": format!("{}.55", 8000 + n), "currencyCode": "CNY", "frequency": if n.is_multiple_of(2) { "MON" } else { "ANN" },
        }),
    )
}

fn position(n: usize) -> Value {
    row(
        "Position",
        n,
        &json!({ "code": format!("P-{n}"), "effectiveStartDate": date(NEW_YEAR_MS), "jobCode": "ENG", "jobTitle": "Engineer", "department": "D-1", "location": "Shanghai", "vacant": n > 2, "effectiveStatus": "A" }),
    )
}

fn requisition(n: usize) -> Value {
    let titles = json!({ "results": [{ "externalTitle": format!("Engineer {n}"), "locale": "en_US" }] });
    row(
        "JobRequisition",
        n,
        &json!({
            "jobReqId": n.to_string(), "jobCode": "ENG", "department": "D-1", "location": "Shanghai", "numberOpenings": "2", "openingsFilled": "0", "internalStatus": "Open",
            "deleted": "Not Deleted", "createdDateTime": stamp(NEW_YEAR_MS), "closedDateTime": null, "jobReqLocale": titles,
        }),
    )
}

fn candidate(n: usize) -> Value {
    let who = person(n + 500);
    row(
        "Candidate",
        n,
        &json!({
            "candidateId": n.to_string(), "firstName": "Mei", "lastName": format!("Candidate {n}"), "primaryEmail": format!("{}@candidate.example", who.latin),
            "cellPhone": who.mobile, "currentTitle": "Analyst",
        }),
    )
}

fn application(n: usize) -> Value {
    row(
        "JobApplication",
        n,
        &json!({
            "applicationId": n.to_string(), "candidateId": n.to_string(), "jobReqId": "1", "status": if n.is_multiple_of(10) { "Draft" } else { "Open" },
            "appStatusSetItemId": "11", "jobAppStatus": { "appStatusName": "Phone Screen" }, "source": "Referral", "applicationDate": stamp(NEW_YEAR_MS),
        }),
    )
}

fn form(n: usize) -> Value {
    let mut form = row(
        "FormHeader",
        n,
        &json!({
            "formDataId": n.to_string(), "formTitle": "Annual review 2025", "formTemplateType": "Performance", "formSubjectId": n.to_string(),
            "formReviewStartDate": date(1_735_689_600_000), "formReviewEndDate": date(1_767_139_200_000), "formDataStatus": "3", "currentStep": "Completed",
            "rating": if n.is_multiple_of(7) { "-1.0" } else { "4.0" },
        }),
    );
    form["formLastModifiedDate"] = form["lastModifiedDateTime"].clone();
    form
}
