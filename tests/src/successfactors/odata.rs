//! OData 2 as far as clients use it: `$filter` with `and`, `$select`, `$expand` by name, keys, pages that go on by `__next`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::metadata::leads_on;

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
pub(super) fn find(entity: &str, rows: &[Value], query: &BTreeMap<String, String>) -> Result<Vec<Value>, Refused> {
    const KNOWN: [&str; 11] = [
        "$format",
        "$select",
        "$expand",
        "$filter",
        "$skip",
        "$top",
        "$inlinecount",
        "paging",
        "customPageSize",
        "fromDate",
        "toDate",
    ];
    if let Some(stranger) = query.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return refused(format!("System query option '{stranger}' is not supported here"));
    }
    let expanded: Vec<&str> = query.get("$expand").map(|text| text.split(',').collect()).unwrap_or_default();
    let selected: Vec<&str> = query.get("$select").map(|text| text.split(',').collect()).unwrap_or_default();
    for path in &selected {
        let (name, below) = path.split_once('/').unwrap_or((path, ""));
        if !below.is_empty() && !expanded.contains(&name) {
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
            found.push(match selected.is_empty() {
                true => shown(entity, row, &expanded),
                false => chosen(row, &selected),
            });
        }
    }
    Ok(found)
}

/// What `$skip` and `$top` leave of the rows.
pub(super) fn page_of(rows: Vec<Value>, query: &BTreeMap<String, String>) -> Result<Vec<Value>, Refused> {
    let number = |name: &str, usual: usize| match query.get(name).map(|text| text.parse::<usize>()) {
        None => Ok(usual),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => refused(format!("{name} must be a number")),
    };
    Ok(rows.into_iter().skip(number("$skip", 0)?).take(number("$top", usize::MAX)?).collect())
}

/// Is the row that of a key: `'2'`, `2L`, or `seqNumber=1L,userId='2'`?
pub(super) fn has_key(row: &Value, keys: &[&str], predicate: &str) -> bool {
    let parts: Vec<&str> = predicate.split(',').collect();
    let fits = |part: &&str| {
        let (name, literal) = part.split_once('=').unwrap_or((keys[0], part));
        keys.contains(&name) && is(literal, &row[name])
    };
    !keys.is_empty() && parts.len() == keys.len() && parts.iter().all(fits)
}

/// Does a literal (`'a'`, `7L`, `datetime'2026-01-01T00:00:00'`) mean this value?
fn is(literal: &str, value: &Value) -> bool {
    let literal = literal.trim();
    if let Some(day) = literal.strip_prefix("datetime'").and_then(|rest| rest.strip_suffix('\'')) {
        let at = day.parse::<jiff::civil::DateTime>().ok().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok());
        return at.is_some_and(|at| date_ms(value) == Some(at.timestamp().as_millisecond()));
    }
    let bare = match literal.strip_suffix('L') {
        Some(digits) if digits.parse::<i64>().is_ok() => digits,
        _ => literal.trim_matches('\''),
    };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text == bare
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
        let fits = match operator {
            "in" => literal.split(',').any(|one| is(one, found)),
            "eq" => is(literal, found),
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

/// A row as a whole. What leads to other entities is told where it was asked for, and is an address elsewhere.
pub(super) fn shown(entity: &str, row: &Value, expanded: &[&str]) -> Value {
    let mut row = row.clone();
    let uri = row["__metadata"]["uri"].as_str().unwrap_or_default().to_owned();
    for (name, value) in row.as_object_mut().into_iter().flatten() {
        if leads_on(entity, name) && !expanded.contains(&name.as_str()) {
            *value = json!({ "__deferred": { "uri": format!("{uri}/{name}") } });
        }
    }
    row
}

fn chosen(row: &Value, selected: &[&str]) -> Value {
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
