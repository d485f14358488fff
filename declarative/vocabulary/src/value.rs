//! One cell as what the mapping declares, in canonical JSON. A reason never quotes the cell.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::cell::{Cell, Number};
use crate::day::{Days, day, month};
use crate::mark::Proof;
use crate::number::{Quantity, quantity, range, scaled};
use crate::parse::{Mark, Of, Parse, Unit, Years};
use crate::sign::Sign;

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub from_1904: bool,
    pub years: Years,
    pub proof: Proof,
    /// Digits behind the point that are kept.
    pub round: Option<u32>,
    /// A merged cell covers this one, and nothing says that its number counts here.
    pub merged: bool,
}

/// Digits behind the point that a record can hold.
const DECIMALS_MAX: u32 = 6;

pub fn read(found: &Cell, parse: &Parse, reading: Reading) -> Result<Value, String> {
    let days = |serials| Days { serials, from_1904: reading.from_1904, years: reading.years };
    match parse {
        Parse::Text {} => Ok(json!(found.words()?)),
        Parse::Localized { lang } => Ok(json!({ lang.as_str(): found.words()? })),
        Parse::Ref { of, connection, scheme } => {
            let value = match of {
                None => found.id()?,
                Some(_) => day_id(found, parse, reading.from_1904, reading.years)?,
            };
            let mut named = json!({ "value": value });
            if let Some(connection) = connection {
                named["connection"] = json!(connection);
            }
            Ok(match scheme {
                None => json!({ "external": named }),
                Some(scheme) => {
                    named["scheme"] = json!(scheme);
                    json!({ "key": named })
                }
            })
        }
        Parse::Decimal { currency } => Ok(json!(number(found, currency.as_deref(), reading)?.to_string())),
        Parse::Date { formats, serials } => Ok(json!(day(found, formats, days(*serials))?.to_string())),
        Parse::Month { serials } => {
            let (start, end) = month(found, days(*serials))?;
            Ok(json!({ "start": start.to_string(), "end": end.to_string() }))
        }
        Parse::Money { currency, unit } => money(found, currency.as_deref(), *unit, reading),
        Parse::Rate { currency, unit, per } => {
            let per = per.as_deref().ok_or("an amount for a time with no time declared; declare `per`")?;
            Ok(json!({ "money": money(found, currency.as_deref(), *unit, reading)?, "per": per }))
        }
        Parse::Range { currency, unit, per } => {
            let currency = currency.as_deref().ok_or("a range with no currency declared; declare `currency`")?;
            let per = per.as_deref().ok_or("a range with no time declared; declare `per`")?;
            pay_range(found, currency, per, *unit, reading)
        }
        Parse::Percent { of_one } => Ok(json!(percent(found, *of_one, reading)?.normalize().to_string())),
        Parse::Weight { of_one } => weight(percent(found, *of_one, reading)?),
        Parse::Score { min, max, levels } => {
            let value = match levels.get(&found.text()) {
                Some(level) => level.clone(),
                None => number(found, None, reading)?.to_string(),
            };
            Ok(json!({ "value": value, "min": min, "max": max, "scale": "RAW" }))
        }
        Parse::Code { map } => {
            let text = found.words()?;
            Ok(coded(map.get(&text).map(String::as_str), &text))
        }
        Parse::Choice { map } => map
            .get(&found.words()?)
            .cloned()
            .ok_or_else(|| "a text that the mapping does not know; add it to `map`".to_owned()),
    }
}

/// The id that a cell is where the mapping reads it as a day or a month: one for all notations.
pub fn day_id(found: &Cell, parse: &Parse, from_1904: bool, years: Years) -> Result<String, String> {
    let days = |serials| Days { serials, from_1904, years };
    let of_month = |serials| month(found, days(serials)).map(|(first, _)| first.strftime("%Y-%m").to_string());
    match parse {
        Parse::Date { formats, serials } => Ok(day(found, formats, days(*serials))?.to_string()),
        Parse::Ref { of: Some(Of::Date), .. } => Ok(day(found, &[], days(false))?.to_string()),
        Parse::Month { serials } => of_month(*serials),
        Parse::Ref { of: Some(Of::Month), .. } => of_month(false),
        _ => found.id(),
    }
}

/// A code with the source's own text.
pub fn coded(code: Option<&str>, raw: &str) -> Value {
    json!({ "code": code.unwrap_or("OTHER"), "raw": raw })
}

/// The number in a cell together with its sign and unit, from the text or the cell's format.
fn counted(found: &Cell, expected: &str, reading: Reading) -> Result<Quantity, String> {
    if reading.merged {
        return Err(
            "a number in merged cells, of which each row has an unknown part; write it in each row, or declare `merged = \
             \"read\"` if it counts in each"
                .to_owned(),
        );
    }
    let refuse = || format!("{} that is not {expected}", found.kind());
    match found {
        Cell::Fault(reason) => Err((*reason).to_owned()),
        Cell::Number(number) => of_number(number, reading.round),
        Cell::Text(text) => quantity(text, reading.proof.mark(text)?).ok_or_else(refuse),
        Cell::Blank | Cell::Date(_) => Err(refuse()),
    }
}

fn of_number(number: &Number, round: Option<u32>) -> Result<Quantity, String> {
    const NO_NUMBER: &str = "a number that a record cannot hold";
    let shown = number.shown;
    if shown.words {
        return Err("a number whose format adds words to it or hides it; use a plain number format".to_owned());
    }
    let mut value = Decimal::from_str_exact(&number.text).map_err(|_| NO_NUMBER)?;
    if shown.percent {
        value = value.checked_mul(Decimal::from(100)).ok_or(NO_NUMBER)?.normalize();
    }
    if value.scale() > DECIMALS_MAX && round.is_none() {
        let decimals = shown.decimals.ok_or(
            "a number with a long tail of decimals, as a formula leaves it; declare `round` (2 keeps cents), or give the \
             cell a number format with decimals",
        )?;
        value = rounded(value, Some(decimals));
    }
    Ok(Quantity { number: value, suffix: None, percent: shown.percent, sign: shown.sign })
}

fn rounded(number: Decimal, digits: Option<u32>) -> Decimal {
    match digits {
        Some(digits) => number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero).normalize(),
        None => number.normalize(),
    }
}

fn fits(sign: Option<Sign>, currency: Option<&str>) -> Result<(), String> {
    match (sign, currency) {
        (None, _) => Ok(()),
        (Some(sign), Some(currency)) if sign.fits(currency) => Ok(()),
        (Some(_), Some(currency)) => Err(format!(
            "an amount whose currency sign is not of {currency}, which is declared; put it into a column of its own \
             currency"
        )),
        (Some(_), None) => {
            Err("a number with a currency sign, and no currency declared; declare `currency`".to_owned())
        }
    }
}

fn number(found: &Cell, currency: Option<&str>, reading: Reading) -> Result<Decimal, String> {
    let expected = "a number; expected the like of 12,345.60";
    let quantity = counted(found, expected, reading)?;
    fits(quantity.sign, currency)?;
    let refuse = || format!("{} that is not {expected}", found.kind());
    let number = Some(quantity).filter(|quantity| !quantity.percent).and_then(|q| scaled(q, Some(Unit::One)));
    Ok(rounded(number.ok_or_else(refuse)?, reading.round))
}

fn money(found: &Cell, currency: Option<&str>, unit: Option<Unit>, reading: Reading) -> Result<Value, String> {
    let currency = currency.ok_or("an amount with no currency declared; declare `currency`")?;
    Ok(json!({ "amount": amount(found, currency, unit, reading)?.to_string(), "currency": currency }))
}

fn amount(found: &Cell, currency: &str, unit: Option<Unit>, reading: Reading) -> Result<Decimal, String> {
    let expected = "an amount; expected the like of 12,345.60";
    let quantity = counted(found, expected, reading)?;
    fits(quantity.sign, Some(currency))?;
    let refuse = || format!("{} that is not {expected}", found.kind());
    let amount = Some(quantity)
        .filter(|quantity| !quantity.percent)
        .and_then(|quantity| scaled(quantity, Some(unit.unwrap_or(Unit::One))));
    Ok(rounded(amount.ok_or_else(refuse)?, reading.round))
}

/// A number as a sum counts it: as it is read, and as it was before it was rounded.
pub fn addend(found: &Cell, parse: &Parse, reading: Reading) -> Result<(Decimal, Decimal), String> {
    let (currency, unit) = match parse {
        Parse::Money { currency, unit } | Parse::Rate { currency, unit, .. } => (currency.as_deref(), *unit),
        Parse::Decimal { currency } => (currency.as_deref(), None),
        _ => return Err(format!("{} that has no sum", found.kind())),
    };
    let of = |reading: Reading| match parse {
        Parse::Decimal { .. } => number(found, currency, reading),
        _ => amount(found, currency.unwrap_or_default(), unit, reading),
    };
    let read = of(reading)?;
    let exact = match found {
        Cell::Number(number) => {
            let factor = Decimal::from(unit.unwrap_or(Unit::One).factor());
            Decimal::from_str_exact(&number.text).ok().and_then(|exact| exact.checked_mul(factor))
        }
        _ => of(Reading { round: None, ..reading }).ok(),
    };
    Ok((read, exact.unwrap_or(read).normalize()))
}

/// The number in a cell that says what the rows come to.
pub fn control(found: &Cell, semicolons: bool, declared: Option<Mark>) -> Result<Decimal, String> {
    let text = if let Cell::Text(text) = found { Some(&**text) } else { None };
    let reading = Reading {
        from_1904: false,
        years: Years::default(),
        proof: Proof::of(declared, text.into_iter(), semicolons),
        round: None,
        merged: false,
    };
    let quantity = counted(found, "a number; expected the like of 12,345.60", reading)?;
    let plain = Some(quantity).filter(|quantity| !quantity.percent);
    plain
        .and_then(|quantity| scaled(quantity, Some(Unit::One)))
        .ok_or_else(|| format!("{} that is not a number", found.kind()))
}

/// How a number was rounded when it was read; none where it was not.
pub fn rounding(found: &Cell, parse: &Parse, reading: Reading) -> Option<String> {
    let by_rule = |digits: u32| format!("rounded to {digits} digits by `round`");
    match (found, reading.round) {
        (Cell::Number(number), round) => {
            let exact = Decimal::from_str_exact(&number.text).ok()?;
            let scale = exact.scale().saturating_sub(if number.shown.percent { 2 } else { 0 });
            match round {
                Some(digits) => (scale > digits).then(|| by_rule(digits)),
                None if scale > DECIMALS_MAX => {
                    number.shown.decimals.map(|digits| format!("rounded to {digits} digits as the cell shows it"))
                }
                None => None,
            }
        }
        (Cell::Text(_), Some(digits)) => {
            let exact = read(found, parse, Reading { round: None, ..reading }).ok()?;
            (read(found, parse, reading).ok()? != exact).then(|| by_rule(digits))
        }
        _ => None,
    }
}

fn pay_range(found: &Cell, currency: &str, per: &str, unit: Option<Unit>, reading: Reading) -> Result<Value, String> {
    let ends = match found {
        Cell::Text(text) => range(text, unit, reading.proof.mark(text)?)?,
        // One number for both ends; its format must not say otherwise.
        Cell::Number(number) => {
            let quantity = of_number(number, reading.round)?;
            let mut ends = range(&quantity.number.to_string(), unit, Mark::Point)?;
            if quantity.percent {
                return Err("a percentage; expected a range".to_owned());
            }
            ends.sign = quantity.sign;
            ends
        }
        Cell::Fault(reason) => return Err((*reason).to_owned()),
        Cell::Blank | Cell::Date(_) => return Err(format!("{} that is not a range", found.kind())),
    };
    fits(ends.sign, Some(currency))?;
    let mut value = json!({ "currency": currency, "per": per });
    for (name, end) in [("min", ends.min), ("max", ends.max)] {
        if let Some(end) = end {
            value[name] = json!(rounded(end, reading.round).to_string());
        }
    }
    Ok(value)
}

fn percent(found: &Cell, of_one: bool, reading: Reading) -> Result<Decimal, String> {
    let expected = "a percentage; expected the like of 85%";
    let refuse = || format!("{} that is not {expected}", found.kind());
    let quantity = counted(found, expected, reading)?;
    fits(quantity.sign, None)?;
    if quantity.suffix.is_some() {
        return Err(refuse());
    }
    let number = if of_one && !quantity.percent {
        quantity.number.checked_mul(Decimal::from(100)).ok_or_else(refuse)?
    } else {
        quantity.number
    };
    Ok(rounded(number, reading.round))
}

fn weight(percent: Decimal) -> Result<Value, String> {
    let points = (percent * Decimal::from(100)).normalize();
    let whole = points.scale() == 0 && points >= Decimal::ZERO && points <= Decimal::from(10_000);
    let points: u16 = points
        .to_string()
        .parse()
        .ok()
        .filter(|_| whole)
        .ok_or("a weight that is not a whole number of basis points within 0 to 10,000")?;
    Ok(json!({ "bp": points }))
}
