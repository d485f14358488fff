//! One cell as what the mapping declares, in canonical JSON. A reason never quotes the cell.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::cell::{self, Cell};
use crate::config::{Parse, Unit};
use crate::number::{half_width, quantity, range, scaled};

pub(super) fn read(found: &Cell, parse: &Parse, from_1904: bool) -> Result<Value, String> {
    if *found == Cell::Fault {
        return Err("an error of the spreadsheet; expected a value".to_owned());
    }
    let text = found.text();
    match parse {
        Parse::Text {} => Ok(json!(text)),
        Parse::Localized { lang } => Ok(json!({ lang.as_str(): text })),
        Parse::Ref {} => Ok(json!({ "external": { "value": half_width(&text) } })),
        Parse::Decimal {} => Ok(json!(number(found)?.normalize().to_string())),
        Parse::Date { formats } => Ok(json!(cell::day(found, formats, from_1904)?.to_string())),
        Parse::Month {} => {
            let (start, end) = cell::month(found, from_1904)?;
            Ok(json!({ "start": start.to_string(), "end": end.to_string() }))
        }
        Parse::Money { currency, unit } => money(found, currency.as_deref(), *unit),
        Parse::Rate { currency, unit, per } => {
            let per = per.as_deref().ok_or("an amount for a time with no time declared; declare `per`")?;
            Ok(json!({ "money": money(found, currency.as_deref(), *unit)?, "per": per }))
        }
        Parse::Range { currency, unit, per } => {
            let currency = currency.as_deref().ok_or("a range with no currency declared; declare `currency`")?;
            let per = per.as_deref().ok_or("a range with no time declared; declare `per`")?;
            let ends = range(&text, *unit)?;
            let mut value = json!({ "currency": currency, "per": per });
            for (name, end) in [("min", ends.min), ("max", ends.max)] {
                if let Some(end) = end {
                    value[name] = json!(end.to_string());
                }
            }
            Ok(value)
        }
        Parse::Percent { of_one } => Ok(json!(percent(found, *of_one)?.normalize().to_string())),
        Parse::Weight { of_one } => weight(percent(found, *of_one)?),
        Parse::Score { min, max, levels } => {
            let value = match levels.get(&text) {
                Some(level) => level.clone(),
                None => number(found)?.normalize().to_string(),
            };
            Ok(json!({ "value": value, "min": min, "max": max, "scale": "RAW" }))
        }
        Parse::Code { map } => Ok(coded(map.get(&text).map(String::as_str), &text)),
        Parse::Choice { map } => {
            map.get(&text).cloned().ok_or_else(|| "a text that the mapping does not know; add it to `map`".to_owned())
        }
    }
}

/// A code with the source's own text.
pub(super) fn coded(code: Option<&str>, raw: &str) -> Value {
    json!({ "code": code.unwrap_or("OTHER"), "raw": raw })
}

fn number(found: &Cell) -> Result<Decimal, String> {
    quantity(&found.text())
        .filter(|quantity| !quantity.percent)
        .and_then(|quantity| scaled(quantity, Some(Unit::One)))
        .ok_or_else(|| format!("{} that is no number; expected the like of 12,345.60", found.kind()))
}

fn money(found: &Cell, currency: Option<&str>, unit: Option<Unit>) -> Result<Value, String> {
    let currency = currency.ok_or("an amount with no currency declared; declare `currency`")?;
    let amount = quantity(&found.text())
        .filter(|quantity| !quantity.percent)
        .and_then(|quantity| scaled(quantity, Some(unit.unwrap_or(Unit::One))))
        .ok_or_else(|| format!("{} that is no amount; expected the like of 12,345.60", found.kind()))?;
    Ok(json!({ "amount": amount.to_string(), "currency": currency }))
}

fn percent(found: &Cell, of_one: bool) -> Result<Decimal, String> {
    let refuse = || format!("{} that is no percentage; expected the like of 85%", found.kind());
    let quantity = quantity(&found.text()).filter(|quantity| quantity.suffix.is_none()).ok_or_else(refuse)?;
    if of_one && !quantity.percent {
        return quantity.number.checked_mul(Decimal::from(100)).ok_or_else(refuse);
    }
    Ok(quantity.number)
}

fn weight(percent: Decimal) -> Result<Value, String> {
    let points = (percent * Decimal::from(100)).normalize();
    let whole = points.scale() == 0 && points >= Decimal::ZERO && points <= Decimal::from(10_000);
    let points: u16 = points
        .to_string()
        .parse()
        .ok()
        .filter(|_| whole)
        .ok_or("a weight that is no whole number of basis points within 0 to 10,000")?;
    Ok(json!({ "bp": points }))
}
