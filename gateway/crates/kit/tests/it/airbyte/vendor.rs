//! The made-up vendor of the made-up manifest: what it answers, and what it refuses. A function, so that it can stand behind a socket and behind a
//! script.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

fn good(body: Value) -> Answer {
    Answer { status: 200, headers: Vec::new(), body }
}

fn refused(status: u16, why: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: json!({ "error": why }) }
}

/// Name and value of the parameters, decoded.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

/// Answers. `origin` is the address that it is reached at, for links to the next page.
pub(crate) fn answer(origin: &str, method: &str, path: &str, query: &str, body: &Value) -> Answer {
    let query: BTreeMap<String, String> = parameters(query).into_iter().collect();
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, steps.as_slice()) {
        ("GET", ["v1", "vacancies", board]) => vacancies(origin, board, &query),
        ("GET", ["v1", "candidates"]) => candidates(&query),
        ("GET", ["v1", "candidates", id, "applications"]) => applications(id, &query),
        ("POST", ["v1", "people", "search"]) => people(body),
        ("GET", ["v1", "departments"]) => departments(&query),
        ("GET", ["v1", "regions", region, "teams"]) => teams(region, &query),
        _ => refused(404, "no such list"),
    }
}

/// Parameters that a list does not know are refused.
fn only(query: &BTreeMap<String, String>, known: &[&str]) -> Result<(), Answer> {
    match query.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(refused(422, &format!("unknown parameter {name}"))),
    }
}

fn number(query: &BTreeMap<String, String>, name: &str) -> Option<usize> {
    query.get(name)?.parse().ok()
}

/// By the header Link.
fn vacancies(origin: &str, board: &str, query: &BTreeMap<String, String>) -> Answer {
    if let Err(refused) = only(query, &["per_page", "state", "page"]) {
        return refused;
    }
    if query.get("state").is_none_or(|state| state != "all") || number(query, "per_page") != Some(2) {
        return refused(422, "state=all and per_page=2 were to be asked for");
    }
    let row = |id: usize| {
        let (kind, template) = if id == 3 { ("pool", false) } else { ("vacancy", id == 4) };
        json!({ "id": id, "kind": kind, "template": template, "title": format!("Job {id}"), "state": "open", "department_id": 7, "opened_at": "2024-01-01T00:00:00.000Z", "closed_at": null })
    };
    let page = number(query, "page").unwrap_or(1);
    let ids = (1..=5).skip((page - 1) * 2).take(2);
    let mut answer = good(json!({ "data": ids.map(row).collect::<Vec<_>>() }));
    if page < 3 {
        let next = format!("<{origin}/v1/vacancies/{board}?per_page=2&state=all&page={}>; rel=\"next\"", page + 1);
        answer.headers.push(("Link".to_owned(), next));
    }
    answer
}

/// By a token, and by what changed.
fn candidates(query: &BTreeMap<String, String>) -> Answer {
    if let Err(refused) = only(query, &["limit", "cursor", "updated_from", "updated_to"]) {
        return refused;
    }
    let rows = [("c1", "2024-03-01T00:00:00Z"), ("c2", "2024-05-01T00:00:00Z"), ("c3", "2024-04-01T00:00:00Z")];
    let from = query.get("updated_from").cloned().unwrap_or_default();
    let rows = rows.into_iter().filter(|(_, updated)| *updated >= from.as_str());
    let row = |(id, updated): (&str, &str)| {
        json!({
            "id": id, "firstName": format!("First {id}"), "lastName": "Example", "emails": [format!("{id}@people.example")],
            "phones": [{ "value": "+8619900000001", "type": "mobile" }], "headline": null, "tags": ["made up"], "updated_at": updated,
        })
    };
    let rows: Vec<Value> = rows.map(row).collect();
    let (begin, limit) = (number(query, "cursor").unwrap_or(0), number(query, "limit").unwrap_or(0));
    if limit != 2 {
        return refused(422, "limit is 2");
    }
    let more = begin + limit < rows.len();
    let next = more.then(|| (begin + limit).to_string());
    good(json!({ "data": rows.into_iter().skip(begin).take(limit).collect::<Vec<_>>(), "next": next, "hasMore": more }))
}

/// By number. One candidate has no such list.
fn applications(candidate: &str, query: &BTreeMap<String, String>) -> Answer {
    if let Err(refused) = only(query, &["per_page", "page"]) {
        return refused;
    }
    let count = match candidate {
        "c1" => 3,
        "c2" => 2,
        _ => return refused(404, "no such list"),
    };
    let Some(page) = number(query, "page").filter(|page| *page > 0) else { return refused(422, "pages begin at 1") };
    let row = |n: usize| {
        json!({
            "id": format!("{candidate}-{n}"), "job": { "id": n }, "status": "active", "stage": { "name": "Screening" },
            "created_at": "2024-02-01T00:00:00.000Z", "internal": true,
        })
    };
    let rows: Vec<Value> = (1..=count).skip((page - 1) * 2).take(2).map(row).collect();
    good(json!({ "data": rows }))
}

/// By a token in the body.
fn people(body: &Value) -> Answer {
    if body["filter"] != json!({ "active": true, "since": "2024-01-01" }) || body["page"]["limit"] != 2 {
        return refused(422, "the filter, or the size of a page");
    }
    let begin =
        body["page"]["after"].as_str().and_then(|after| after.strip_prefix('t')?.parse::<usize>().ok()).unwrap_or(0);
    let row = |n: usize| json!({ "uuid": format!("p{n}"), "display_name": format!("Person {n}"), "workEmail": format!("p{n}@acme.example"), "hire_date": "2020-02-29", "manager": { "id": "p1" }, "status": "active" });
    let rows: Vec<Value> = (1..=3).skip(begin).take(2).map(row).collect();
    let after = (begin + 2 < 3).then(|| format!("t{}", begin + 2));
    good(json!({ "result": { "people": rows, "after": after } }))
}

fn departments(query: &BTreeMap<String, String>) -> Answer {
    match query.get("state").map(String::as_str) {
        Some("open") => good(json!([{ "id": 7, "name": "Platform", "parent_id": null }])),
        Some("closed") => good(json!([{ "id": 8, "name": "Former", "parent_id": 7 }])),
        _ => refused(422, "state is open or closed"),
    }
}

/// By offset.
fn teams(region: &str, query: &BTreeMap<String, String>) -> Answer {
    if let Err(refused) = only(query, &["offset", "limit", "stamp"]) {
        return refused;
    }
    let (begin, limit) = (number(query, "offset").unwrap_or(0), number(query, "limit").unwrap_or(0));
    let row = |n: usize| json!({ "id": n, "name": format!("Team {region} {n}") });
    good(json!({ "data": (1..=3).skip(begin).take(limit).map(row).collect::<Vec<_>>() }))
}
