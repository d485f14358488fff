//! Salesforce: tokens for signed assertions, SOQL over REST, upsert by external id.
//!
//! Quirks it plays: an answer holds fewer rows than it could and leads on by `nextRecordsUrl`, which takes no parameter and dies; a deleted row is
//! told by `queryAll` alone; errors are a list; the limit of calls is a 403; times end in `+0000`; a token has no life that is told.

mod soql;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::assertion;
use crate::office::{Ask, Told, Vendor, ms, now_s};
use crate::people::person;
use soql::{Query, Refused};

/// The consumer key of the connected app.
pub const CLIENT_ID: &str = "3MVG9-simulated-consumer-key";
/// The integration user.
pub const USER: &str = "robot@made-up.example";
/// What tokens begin with. A canary: it must turn up nowhere.
pub const TOKEN: &str = "00Dsim!canary-salesforce-token-";
/// Where every organisation can log in, as at its own address.
pub const LOGIN: &str = "https://login.salesforce.com";
/// Rows in an answer: the server's own choice.
const BATCH: usize = 200;
/// An assertion lives three minutes at most; the clocks of both sides differ by some seconds.
const LIFE_MAX_S: i64 = 180 + 5;
/// How far back deletions and changes are told.
const TOLD_S: i64 = 15 * 86_400;
const PATH: &str = "/services/data/v62.0";

/// An organisation.
#[derive(Debug, Default)]
pub struct Org {
    pub objects: BTreeMap<String, Vec<Value>>,
    /// Fields of Case that are external ids.
    pub external_ids: Vec<String>,
    /// Tokens that were given out.
    pub tokens: u32,
    /// Tokens up to this one have ended.
    pub ended: u32,
    locators: Vec<Vec<Value>>,
}

impl Org {
    /// Five users with roles, and so many cases.
    #[must_use]
    pub fn of(cases: usize) -> Self {
        let mut org = Self { external_ids: vec!["Renmen_Id__c".to_owned()], ..Self::default() };
        org.objects.insert("User".to_owned(), (1..=5).map(user).collect());
        let role = |n: usize| json!({ "Id": id("00E", n), "Name": format!("Support {n}"), "DeveloperName": format!("Support{n}"), "ParentRoleId": null });
        org.objects.insert("UserRole".to_owned(), (1..=2).map(role).collect());
        let queue = json!({ "Id": id("00G", 1), "Name": "Complaints", "DeveloperName": "Complaints", "Type": "Queue" });
        org.objects.insert("Group".to_owned(), vec![queue]);
        org.objects.insert("Case".to_owned(), (1..=cases).map(case).collect());
        org
    }

    /// Changes a case.
    pub fn change(&mut self, n: usize, changes: &Value, at: &str) {
        let case = &mut self.objects.get_mut("Case").unwrap()[n - 1];
        for (name, value) in changes.as_object().unwrap() {
            case[name] = value.clone();
        }
        case["SystemModstamp"] = json!(at);
    }

    /// Every cursor that was given out is dead.
    pub fn forget_locators(&mut self) {
        self.locators.clear();
    }

    fn token(&mut self, ask: &Ask) -> Told {
        let refused = |why: &str| Told::of(400, json!({ "error": "invalid_grant", "error_description": why }));
        if ask.body["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            return Told::of(
                400,
                json!({ "error": "unsupported_grant_type", "error_description": "grant type not supported" }),
            );
        }
        let Some(claims) = ask.body["assertion"].as_str().and_then(assertion::jwt) else {
            return refused("invalid assertion");
        };
        // Clients in the field write the time as a text, too.
        let ends = &claims["exp"];
        let ends = ends.as_i64().or_else(|| ends.as_str()?.parse().ok()).unwrap_or(0);
        let is_for_us = claims["aud"] == ask.base.as_str() || claims["aud"] == LOGIN;
        if claims["iss"] != CLIENT_ID || !is_for_us || !(1..=LIFE_MAX_S).contains(&(ends - now_s())) {
            return refused("audience is invalid, or the assertion has expired");
        }
        if claims["sub"] != USER {
            return refused("user hasn't approved this consumer");
        }
        self.tokens += 1;
        let issued = (now_s() * 1000).to_string();
        Told::good(json!({
            "access_token": format!("{TOKEN}{}", self.tokens), "instance_url": ask.base, "token_type": "Bearer", "scope": "api",
            "id": format!("{}/id/00D000000000001/005000000000001", ask.base), "issued_at": issued,
        }))
    }

    fn query(&mut self, text: &str, with_deleted: bool) -> Told {
        let run = |org: &Self| -> Result<Vec<Value>, Refused> {
            let query = Query::parse(text)?;
            let rows = org.objects.get(&query.object);
            let rows =
                rows.ok_or_else(|| ("INVALID_TYPE", format!("sObject type '{}' is not supported.", query.object)))?;
            query.run(rows, with_deleted)
        };
        match run(self) {
            Ok(rows) => self.batch(rows, 0),
            Err((code, message)) => Told::of(400, errors(code, &message)),
        }
    }

    fn batch(&mut self, rows: Vec<Value>, from: usize) -> Told {
        let total = rows.len();
        let page: Vec<Value> = rows.iter().skip(from).take(BATCH).cloned().collect();
        let mut answer = json!({ "totalSize": total, "done": from + page.len() >= total, "records": page });
        if answer["done"] == false {
            self.locators.push(rows);
            let locator = format!("01gSIM{:09}-{}", self.locators.len() - 1, from + BATCH);
            answer["nextRecordsUrl"] = json!(format!("{PATH}/query/{locator}"));
        }
        Told::good(answer)
    }

    fn more(&mut self, locator: &str, ask: &Ask) -> Told {
        let known = locator.strip_prefix("01gSIM").and_then(|rest| rest.split_once('-'));
        let known = known.and_then(|(list, from)| Some((list.parse::<usize>().ok()?, from.parse::<usize>().ok()?)));
        match known.and_then(|(list, from)| Some((self.locators.get(list)?.clone(), from))) {
            Some((rows, from)) if ask.query.is_empty() => self.batch(rows, from),
            _ => Told::of(400, errors("INVALID_QUERY_LOCATOR", "invalid query locator")),
        }
    }

    /// What was deleted (`deletedRecords`) or changed (`ids`) between two times.
    fn changes(&self, object: &str, what: &str, ask: &Ask) -> Told {
        let time = |name: &str| ask.query.get(name).and_then(|text| ms(text));
        let (Some(start), Some(end)) = (time("start"), time("end")) else {
            return Told::of(400, errors("MISSING_ARGUMENT", "start and end are required, as times of ISO 8601"));
        };
        let earliest = (now_s() - TOLD_S) * 1000;
        if end - start < 60_000 || start < earliest {
            let why = "the times must be a minute apart at least, and not before what is kept";
            return Told::of(400, errors("INVALID_REPLICATION_DATE", why));
        }
        let Some(rows) = self.objects.get(object) else {
            return Told::of(404, errors("NOT_FOUND", "The requested resource does not exist"));
        };
        let at = |row: &Value| row["SystemModstamp"].as_str().and_then(ms).unwrap_or(0);
        let fits = |row: &&Value| (row["IsDeleted"] == true) == (what == "deleted") && (start..end).contains(&at(row));
        let found: Vec<&Value> = rows.iter().filter(fits).collect();
        Told::good(match what {
            "deleted" => {
                let one = |row: &&Value| json!({ "id": row["Id"], "deletedDate": row["SystemModstamp"] });
                let told: Vec<Value> = found.iter().map(one).collect();
                json!({ "deletedRecords": told, "earliestDateAvailable": stamp(earliest), "latestDateCovered": stamp(end) })
            }
            _ => {
                let ids: Vec<&Value> = found.iter().map(|row| &row["Id"]).collect();
                json!({ "ids": ids, "latestDateCovered": stamp(end) })
            }
        })
    }

    fn upsert(&mut self, field: &str, value: &str, body: &Value) -> Told {
        const KNOWN: [&str; 6] = ["Subject", "Description", "Priority", "Status", "Origin", "OwnerId"];
        if !self.external_ids.iter().any(|known| known == field) {
            return Told::of(
                404,
                errors(
                    "NOT_FOUND",
                    &format!("Provided external ID field does not exist or is not accessible: {field}"),
                ),
            );
        }
        let given = body.as_object().cloned().unwrap_or_default();
        if let Some(stranger) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Told::of(
                400,
                errors("INVALID_FIELD", &format!("No such column '{stranger}' on sobject of type Case")),
            );
        }
        let priority = given.get("Priority").and_then(Value::as_str).unwrap_or("Medium");
        if !["High", "Medium", "Low"].contains(&priority) {
            return Told::of(
                400,
                errors("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Priority: bad value for restricted picklist field"),
            );
        }
        let cases = self.objects.entry("Case".to_owned()).or_default();
        let place = cases.iter().position(|case| case[field] == value);
        let created = place.is_none();
        let place = place.unwrap_or_else(|| {
            cases.push(case(cases.len() + 1));
            cases.len() - 1
        });
        cases[place][field] = json!(value);
        for (name, value) in given {
            cases[place][&name] = value;
        }
        let status = if created { 201 } else { 200 };
        Told::of(status, json!({ "id": cases[place]["Id"], "success": true, "errors": [], "created": created }))
    }
}

fn errors(code: &str, message: &str) -> Value {
    json!([{ "errorCode": code, "message": message }])
}

impl Vendor for Org {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let token =
            ask.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer ")?.strip_prefix(TOKEN));
        let number = token.and_then(|number| number.parse::<u32>().ok());
        let good = number.is_some_and(|number| number <= self.tokens && number > self.ended);
        match good || ask.path == "/services/oauth2/token" {
            true => Ok(()),
            false => Err(Told::of(401, errors("INVALID_SESSION_ID", "Session expired or invalid"))),
        }
    }

    fn busy(&self) -> Told {
        Told::of(403, errors("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    }

    /// The limit is on requests of the API: a login does not count.
    fn is_limited(&self, ask: &Ask) -> bool {
        ask.path != "/services/oauth2/token"
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let q = ask.query.get("q").cloned().unwrap_or_default();
        match (ask.method.as_str(), ask.path.as_str(), ask.below(PATH).as_slice()) {
            ("POST", "/services/oauth2/token", _) => self.token(ask),
            ("GET", _, ["query"]) => self.query(&q, false),
            ("GET", _, ["queryAll"]) => self.query(&q, true),
            ("GET", _, ["query" | "queryAll", locator]) => self.more(locator, ask),
            ("GET", _, ["sobjects", object, what @ ("deleted" | "updated")]) => self.changes(object, what, ask),
            ("PATCH", _, ["sobjects", "Case", field, value]) => {
                let (field, value) = ((*field).to_owned(), (*value).to_owned());
                self.upsert(&field, &value, &ask.body)
            }
            _ => Told::of(404, errors("NOT_FOUND", "The requested resource does not exist")),
        }
    }
}

/// An id of 18 characters with the prefix of its object.
#[must_use]
pub fn id(prefix: &str, n: usize) -> String {
    format!("{prefix}{n:012}AAA")
}

/// A time as Salesforce writes it, to the second.
#[must_use]
pub fn stamp(ms: i64) -> String {
    let at = jiff::Timestamp::from_second(ms.div_euclid(1000)).unwrap();
    format!("{}.000+0000", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// Four rows share each second.
fn time(n: usize) -> String {
    stamp((1_767_225_600 + n as i64 / 4) * 1000)
}

fn user(n: usize) -> Value {
    let who = person(n);
    let mail = format!("{}@example.test", who.latin);
    json!({
        "Id": id("005", n), "Name": who.name, "FirstName": null, "LastName": who.name, "Email": mail, "Username": mail, "UserType": "Standard",
        "EmployeeNumber": format!("E{n:04}"), "Title": "Agent", "ManagerId": if n > 1 { json!(id("005", 1)) } else { Value::Null },
        "UserRoleId": id("00E", 1 + n % 2), "MobilePhone": who.mobile, "IsActive": n != 5, "SystemModstamp": time(n),
    })
}

fn case(n: usize) -> Value {
    let owner = 1 + n % 5;
    let role = id("00E", 1 + owner % 2);
    let (kind, priority) = [("Complaint", "High"), ("Praise", "Medium"), ("Question", "Low")][n % 3];
    let (owner_id, owner) = match n % 10 {
        // One in ten waits in a queue.
        0 => (id("00G", 1), json!({ "Type": "Queue", "UserRoleId": null })),
        _ => (id("005", owner), json!({ "Type": "User", "UserRoleId": role })),
    };
    json!({
        "Id": id("500", n), "CaseNumber": format!("{n:08}"), "Type": kind, "Priority": priority,
        "Subject": format!("Case {n}"), "OwnerId": owner_id, "Owner": owner, "IsDeleted": false, "CreatedDate": "2026-01-01T08:00:00.000+0000",
        "SystemModstamp": time(n), "Renmen_Id__c": null,
    })
}
