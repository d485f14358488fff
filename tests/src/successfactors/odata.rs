//! OData 2 as far as connectors use it: `$filter` with `and`, `$select`, `$expand` by name, pages that go on by `__next`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The most rows of a page.
pub(super) const PAGE_MAX: usize = 1000;
/// The end of the last slice: 9999-12-31.
pub(super) const FOR_EVER_MS: i64 = 253_402_214_400_000;

/// Why a request is refused: status, code, message.
pub(super) type Refused = (u16, &'static str, String);

/// The milliseconds in `/Date(…)/`.
pub(super) fn date_ms(value: &Value) -> Option<i64> {
    let inner = value.as_str()?.strip_prefix("/Date(")?.strip_suffix(")/")?;
    inner.split('+').next()?.parse().ok()
}

/// A day or a time as OData writes it.
#[must_use]
pub fn date(ms: i64) -> Value {
    json!(format!("/Date({ms})/"))
}

/// A time with its offset.
#[must_use]
pub fn stamp(ms: i64) -> Value {
    json!(format!("/Date({ms}+0000)/"))
}

fn refused<T>(message: impl Into<String>) -> Result<T, Refused> {
    Err((400, "COE0020", message.into()))
}

/// The rows that a request finds, as far as they are asked for.
pub(super) fn find(rows: &[Value], query: &BTreeMap<String, String>) -> Result<Vec<Value>, Refused> {
    const KNOWN: [&str; 8] =
        ["$format", "$select", "$expand", "$filter", "paging", "customPageSize", "fromDate", "toDate"];
    if let Some(stranger) = query.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return refused(format!("System query option '{stranger}' is not supported here"));
    }
    if query.get("$format").map(String::as_str) != Some("json") {
        return refused("this simulator answers JSON alone");
    }
    let selected: Vec<&str> = query.get("$select").map(|text| text.split(',').collect()).unwrap_or_default();
    for path in &selected {
        let (name, below) = path.split_once('/').unwrap_or((path, ""));
        if !below.is_empty() && !query.get("$expand").is_some_and(|expand| expand.split(',').any(|one| one == name)) {
            return refused(format!("{name} is selected and not expanded"));
        }
        if !rows.is_empty() && !rows.iter().any(|row| row.get(name).is_some()) {
            return refused(format!("Invalid property names: {name}"));
        }
    }
    let terms: Vec<String> =
        query.get("$filter").map(|text| text.split(" and ").map(str::to_owned).collect()).unwrap_or_default();
    let mut found = Vec::new();
    for row in rows {
        if is_in_time(row, query) && holds(&terms, row)? {
            found.push(shown(row, &selected));
        }
    }
    Ok(found)
}

/// Without a date, the slice of today alone.
fn is_in_time(row: &Value, query: &BTreeMap<String, String>) -> bool {
    let (Some(start), Some(end)) = (date_ms(&row["startDate"]), date_ms(&row["endDate"])) else { return true };
    let now = jiff::Timestamp::now().as_millisecond();
    query.contains_key("fromDate") || (start <= now && now <= end)
}

fn holds(terms: &[String], row: &Value) -> Result<bool, Refused> {
    for term in terms {
        let mut parts = term.trim().splitn(3, ' ');
        let (Some(name), Some(operator), Some(literal)) = (parts.next(), parts.next(), parts.next()) else {
            return refused(format!("the filter `{term}` cannot be read"));
        };
        let Some(found) = row.get(name) else { return refused(format!("Invalid property names: {name}")) };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let bare = |text: &str| text.trim().trim_matches('\'').to_owned();
        let fits = match operator {
            "in" => literal.split(',').any(|one| bare(one) == text(found)),
            "eq" => bare(literal) == text(found),
            "ge" => {
                let wanted = literal.strip_prefix("datetimeoffset'").and_then(|rest| rest.strip_suffix('\''));
                let wanted = wanted.and_then(|text| text.parse::<jiff::Timestamp>().ok());
                let Some(wanted) = wanted else { return refused(format!("`{literal}` is not a datetimeoffset")) };
                date_ms(found).is_some_and(|at| at >= wanted.as_millisecond())
            }
            other => return refused(format!("the operator `{other}` is not supported")),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn shown(row: &Value, selected: &[&str]) -> Value {
    let mut one = Map::from_iter([("__metadata".to_owned(), row["__metadata"].clone())]);
    for path in selected {
        let name = path.split_once('/').map_or(*path, |(name, _)| name);
        one.insert(name.to_owned(), row.get(name).cloned().unwrap_or_default());
    }
    Value::Object(one)
}

/// How many rows a page has.
pub(super) fn page_size(query: &BTreeMap<String, String>) -> Result<usize, Refused> {
    match query.get("customPageSize").map(|text| text.parse::<usize>()) {
        None => Ok(PAGE_MAX),
        Some(Ok(size)) if (1..=PAGE_MAX).contains(&size) => Ok(size),
        Some(_) => refused(format!("customPageSize must be from 1 to {PAGE_MAX}")),
    }
}
