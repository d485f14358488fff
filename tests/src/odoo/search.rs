//! `search_read`: domains, fields, order, pages.

use serde_json::{Map, Value, json};

use super::Raised;

/// The rows that a domain finds, as far as they are asked for.
pub(super) fn search_read(rows: &[Value], model: &str, given: &Map<String, Value>) -> Result<Value, Raised> {
    const KNOWN: [&str; 6] = ["domain", "fields", "offset", "limit", "order", "context"];
    if let Some(stranger) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Raised::value(format!("search_read() got an unexpected keyword argument '{stranger}'")));
    }
    let known = |name: &str| name == "id" || rows.iter().any(|row| row.get(name).is_some());
    let fields: Vec<&str> =
        given.get("fields").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(stranger) = fields.iter().find(|name| !rows.is_empty() && !known(name)) {
        return Err(Raised::value(format!("Invalid field '{stranger}' on model '{model}'")));
    }
    let empty = Vec::new();
    let domain = given.get("domain").and_then(Value::as_array).unwrap_or(&empty);
    let archived = given.get("context").is_some_and(|context| context["active_test"] == false);
    let mut found: Vec<&Value> = Vec::new();
    for row in rows {
        if (archived || row.get("active") != Some(&json!(false))) && holds(domain, row, model)? {
            found.push(row);
        }
    }
    match given.get("order").and_then(Value::as_str) {
        Some("id") => found.sort_by_key(|row| row["id"].as_i64()),
        Some("write_date, id") => found.sort_by_key(|row| (moment(row), row["id"].as_i64())),
        Some(other) => return Err(Raised::value(format!("Invalid order {other}"))),
        None => {}
    }
    let number = |name: &str| given.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let page = found.into_iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(usize::MAX));
    let shown = |row: &Value| {
        let pick = |name: &&str| ((*name).to_owned(), row.get(*name).cloned().unwrap_or(json!(false)));
        let mut one: Map<String, Value> = fields.iter().map(pick).collect();
        one.insert("id".to_owned(), row["id"].clone());
        Value::Object(one)
    };
    Ok(page.map(shown).collect())
}

/// The time of the last change, to the microsecond.
fn moment(row: &Value) -> (String, i64) {
    (row["write_date"].as_str().unwrap_or_default().to_owned(), row["_us"].as_i64().unwrap_or(0))
}

/// A domain in prefix notation; terms side by side must all hold.
fn holds(domain: &[Value], row: &Value, model: &str) -> Result<bool, Raised> {
    let mut stack: Vec<bool> = Vec::new();
    for term in domain.iter().rev() {
        let value = match term {
            Value::String(operator) => {
                let (Some(one), Some(other)) = (stack.pop(), stack.pop()) else {
                    return Err(Raised::value(format!("Domain {domain:?} is malformed")));
                };
                if operator == "|" { one || other } else { one && other }
            }
            Value::Array(parts) if parts.len() == 3 => term_holds(parts, row, model)?,
            _ => return Err(Raised::value(format!("Domain {domain:?} is malformed"))),
        };
        stack.push(value);
    }
    Ok(stack.into_iter().all(|holds| holds))
}

fn term_holds(parts: &[Value], row: &Value, model: &str) -> Result<bool, Raised> {
    let (name, operator, wanted) =
        (parts[0].as_str().unwrap_or_default(), parts[1].as_str().unwrap_or_default(), &parts[2]);
    let Some(found) = row.get(name) else {
        return Err(Raised::value(format!("Invalid field {model}.{name} in leaf {parts:?}")));
    };
    if name == "write_date" {
        let wanted = wanted.as_str().filter(|text| text.len() == 19).map(|text| (text.to_owned(), 0));
        let Some(wanted) = wanted else { return Err(Raised::value(format!("Invalid date {parts:?}"))) };
        return Ok(if operator == ">=" { moment(row) >= wanted } else { moment(row) > wanted });
    }
    // A link is compared by its id.
    let found = if found.is_array() { &found[0] } else { found };
    match operator {
        "=" => Ok(found == wanted),
        "!=" => Ok(found != wanted),
        _ => Err(Raised::value(format!("Invalid operator {operator:?}"))),
    }
}
