//! Of candidates, employees and persons.

use serde_json::Value;

use crate::facts::Collector;
use crate::id::{Day, Span};

/// Kinds of documents whose number is given once and for life. A passport and a permit are renewed with another number.
const FOR_LIFE: [&str; 3] = ["ID_CARD", "TAX_ID", "SOCIAL_SECURITY"];

pub(super) fn read(body: &Value, into: &mut Collector<'_>) {
    let person = &body["person"];
    names(&person["names"], into);
    if let Some(day) = person["birth_date"].as_str().and_then(Day::parse) {
        into.birth_date(day);
    }
    for mail in items(&person["emails"]) {
        if let Some(address) = mail["address"].as_str() {
            into.mail(address, is(&mail["kind"], "WORK"));
        }
    }
    for phone in items(&person["phones"]) {
        // Landlines are an office's or a household's.
        let mobile = phone["kind"].is_null() || is(&phone["kind"], "MOBILE");
        if let Some(number) = phone["e164"].as_str().or_else(|| phone["number"].as_str()).filter(|_| mobile) {
            into.mobile(number);
        }
    }
    items(&person["national_ids"]).for_each(|document| national_id(document, into));
    let work = &body["work"];
    if let Some(address) = work["work_email"].as_str() {
        into.mail(address, true);
    }
    let day = |member: &str| work[member].as_str().and_then(Day::parse);
    let span = Span::of(day("hire_date").or_else(|| day("start_date")), day("end_date"));
    if let Some(number) = body["number"].as_str() {
        into.staff_number(number, span);
    }
    into.one_each(span);
}

fn names(names: &Value, into: &mut Collector<'_>) {
    let text = |member: &str| names[member].as_str();
    if let Some(name) = text("formatted") {
        into.name(name);
    }
    let family = text("family").unwrap_or_default();
    for other in text("preferred").into_iter().chain(items(&names["alias"]).filter_map(Value::as_str)) {
        // A given name alone is too little to be compared.
        let whole = if other.contains(' ') || family.is_empty() || other.contains(family) {
            other.to_owned()
        } else {
            format!("{other} {family}")
        };
        into.name(&whole);
    }
}

fn national_id(document: &Value, into: &mut Collector<'_>) {
    let (Some(kind), Some(number)) = (document["kind"]["code"].as_str(), document["value"].as_str()) else { return };
    let country = document["country"].as_str().unwrap_or_else(|| if is_chinese(kind, number) { "CN" } else { "" });
    into.national_id(kind, country, number, FOR_LIFE.contains(&kind));
}

/// Does it look like an identity card of China: 17 digits and a digit or X?
fn is_chinese(kind: &str, number: &str) -> bool {
    let bytes = number.trim().as_bytes();
    kind == "ID_CARD"
        && bytes.len() == 18
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && (bytes[17].is_ascii_digit() || matches!(bytes[17], b'x' | b'X'))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is(kind: &Value, word: &str) -> bool {
    kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(word))
}
