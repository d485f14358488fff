//! What a member's value means: the vocabulary that tables have as well, and what JSON has in addition (truth values, whole numbers, points
//! in time, JSON as it is).

use renmen_schema::types::{Instant, LocalDate};
use renmen_vocabulary::cell::{Cell, Number, Shown};
use renmen_vocabulary::mark::Proof;
use renmen_vocabulary::value::{Reading, read};
use renmen_vocabulary::{Mark, Parse, Years};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::answer::Node;
use crate::language::{SourceTable, TimeUnit};
use crate::nearest::known;
use crate::pointer::Pointer;

/// Every word of `as`.
const FORMS: &[&str] = &[
    "text",
    "localized",
    "ref",
    "decimal",
    "date",
    "month",
    "money",
    "rate",
    "range",
    "percent",
    "weight",
    "score",
    "code",
    "choice",
    "bool",
    "integer",
    "instant",
    "zoned",
    "json",
];

/// What a value means.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// As tables have it.
    Shared { parse: Parse, round: Option<u32>, mark: Mark, minor: Option<u32>, currency: Option<Pointer> },
    /// `true` or `false`, also as a text or as 0 and 1.
    Bool,
    /// A whole number.
    Integer,
    /// A point in time.
    Instant(Clock),
    /// A point in time with the offset that the vendor wrote.
    Zoned(Clock),
    /// The day of a point in time, in a zone.
    DayOf(Clock),
    /// As it is.
    Json,
}

impl Default for Form {
    fn default() -> Self {
        Self::of(Parse::Text {})
    }
}

/// In which form a vendor writes times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) unit: Option<TimeUnit>,
    /// Minutes east of Greenwich, for a time without a zone.
    pub(crate) offset_minutes: Option<i32>,
}

impl Clock {
    /// Reads `unit` and `zone`.
    pub(crate) fn parse(unit: Option<TimeUnit>, zone: Option<&str>) -> Result<Self, String> {
        Ok(Self { unit, offset_minutes: zone.map(offset).transpose()? })
    }

    /// The point in time, in milliseconds.
    pub(crate) fn ms(self, node: &Node<'_>) -> Result<i64, String> {
        const EXPECTED: &str = "that is not a point in time; expected RFC 3339";
        if let Some(unit) = self.unit {
            let number: Option<i64> = match node {
                Node::Int(number) => Some(*number),
                Node::Text(text) if unit == TimeUnit::Ms => text.trim().parse().ok().or_else(|| odata_ms(text)),
                Node::Text(text) => text.trim().parse().ok(),
                _ => None,
            };
            let number = number.ok_or_else(|| format!("{} that is not a whole number since 1970", node.kind()))?;
            let ms = if unit == TimeUnit::Ms { Some(number) } else { number.checked_mul(1000) };
            let at = ms.and_then(|ms| Instant::from_epoch_ms(ms).ok());
            return at.map(Instant::epoch_ms).ok_or_else(|| "a number beyond all years".to_owned());
        }
        let Node::Text(text) = node else { return Err(format!("{} {EXPECTED}", node.kind())) };
        let text = text.trim();
        if let Ok(at) = Instant::parse(text) {
            return Ok(at.epoch_ms());
        }
        let Some(minutes) = self.offset_minutes else {
            return Err(format!("a text {EXPECTED}, or `unit` and `zone` that say how it is written"));
        };
        let whole = match text.len() {
            10 => format!("{text}T00:00:00"),
            16 => format!("{text}:00"),
            _ => text.to_owned(),
        };
        let whole = whole.replacen(' ', "T", 1).replacen('/', "-", 2) + &offset_text(minutes);
        Instant::parse(&whole).map(Instant::epoch_ms).map_err(|_| format!("a text {EXPECTED}"))
    }
}

/// `/Date(1767225600000)/` and `/Date(1767225600000+0000)/`, as OData 2 writes a point in time: the number counts from 1970 in UTC, and what is
/// behind it is the offset that it was written at.
pub(crate) fn odata_ms(text: &str) -> Option<i64> {
    let inner = text.trim().strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
    inner.get(..end)?.parse().ok()
}

/// `+08:00` in minutes.
fn offset(zone: &str) -> Result<i32, String> {
    let refuse = || format!("`{zone}` is not an offset; expected +08:00 or Z");
    if zone == "Z" {
        return Ok(0);
    }
    let (sign, rest) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(refuse()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(refuse)?;
    let number = |text: &str, max: i32| text.parse::<i32>().ok().filter(|n| (0..=max).contains(n) && text.len() == 2);
    let both = number(hours, 18).zip(number(minutes, 59)).ok_or_else(refuse)?;
    Ok(sign * (both.0 * 60 + both.1))
}

fn offset_text(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

impl Form {
    fn of(parse: Parse) -> Self {
        Self::Shared { parse, round: None, mark: Mark::Point, minor: None, currency: None }
    }

    /// Reads `as` and what belongs to it.
    ///
    /// # Errors
    /// A word that is not known, and a key that does not belong to it.
    pub(crate) fn parse(table: &SourceTable) -> Result<Self, String> {
        let name = table.form.as_deref().unwrap_or("text");
        known(name, FORMS, "meaning")?;
        let unit = || -> Result<Option<TimeUnit>, String> {
            let read = |value: &Value| {
                serde_json::from_value(value.clone()).map_err(|_| "`unit` of a time is \"ms\" or \"s\"")
            };
            Ok(table.unit.as_ref().map(read).transpose()?)
        };
        let clock = || Clock::parse(unit()?, table.zone.as_deref());
        let own = match name {
            "bool" => Some(Self::Bool),
            "integer" => Some(Self::Integer),
            "json" => Some(Self::Json),
            "instant" => Some(Self::Instant(clock()?)),
            "zoned" => Some(Self::Zoned(clock()?)),
            "date" if table.unit.is_some() => match table.zone {
                Some(_) => Some(Self::DayOf(clock()?)),
                None => {
                    return Err("a day out of a point in time needs the `zone` that it is a day in: +08:00".to_owned());
                }
            },
            _ => None,
        };
        let (vocabulary, extra) = (vocabulary(name, table), extra(table));
        match own {
            None => Self::shared(vocabulary, table),
            Some(own) => match extra.iter().find(|(key, given)| *given && !Self::takes(name, key)) {
                Some((key, _)) => Err(format!("`{key}` does not belong to as = \"{name}\"")),
                None => Ok(own),
            },
        }
    }

    fn takes(name: &str, key: &str) -> bool {
        matches!((name, key), ("instant" | "zoned" | "date", "unit"))
    }

    fn shared(vocabulary: Map<String, Value>, table: &SourceTable) -> Result<Self, String> {
        let is_money = matches!(vocabulary.get("as").and_then(Value::as_str), Some("money" | "rate"));
        let mut vocabulary = vocabulary;
        if table.currency_from.is_some() {
            if !is_money || table.currency.is_some() {
                return Err("`currency_from` belongs to money and rate, in place of `currency`".to_owned());
            }
            vocabulary.insert("currency".to_owned(), "XXX".into());
        }
        if table.minor.is_some() && !is_money {
            return Err("`minor` belongs to money and rate".to_owned());
        }
        if table.zone.is_some() {
            return Err("`zone` belongs to points in time, and to days with a `unit`".to_owned());
        }
        let mark = match table.decimal.as_deref() {
            None | Some(".") => Mark::Point,
            Some(",") => Mark::Comma,
            Some(_) => return Err("`decimal` is \".\" or \",\"".to_owned()),
        };
        let parse: Parse = serde_json::from_value(Value::Object(vocabulary)).map_err(|error| error.to_string())?;
        let missing = match &parse {
            Parse::Money { currency, .. } | Parse::Rate { currency, .. } | Parse::Range { currency, .. } => {
                currency.is_none()
            }
            _ => false,
        };
        if missing {
            return Err("an amount without a currency: write `currency` or `currency_from`".to_owned());
        }
        let currency = table.currency_from.as_deref().map(Pointer::parse).transpose()?;
        Ok(Self::Shared { parse, round: table.round, mark, minor: table.minor, currency })
    }

    /// The pointer to the currency, where the item says it.
    pub(crate) fn currency(&self) -> Option<&Pointer> {
        match self {
            Self::Shared { currency, .. } => currency.as_ref(),
            _ => None,
        }
    }

    /// What is done to the value, for lineage; none where it is taken over as it is.
    #[cfg(feature = "author")]
    pub(crate) fn transform(&self) -> Option<String> {
        let by = |text: &str| Some(text.to_owned());
        match self {
            Self::Shared { parse: Parse::Text {} | Parse::Ref { of: None, scheme: None, .. }, .. } => None,
            Self::Shared { parse: Parse::Code { .. }, .. } => by("coded; the raw text is kept"),
            Self::Shared { parse: Parse::Choice { .. }, .. } => by("one of a closed list of words"),
            Self::Shared { parse: Parse::Localized { lang }, .. } => Some(format!("as a text in {lang}")),
            Self::Shared { minor: Some(digits), .. } => Some(format!("an amount in units of 10^-{digits}")),
            Self::Shared { parse: Parse::Money { .. } | Parse::Rate { .. }, currency: Some(from), .. } => {
                Some(format!("an amount in the currency at {}", from.text()))
            }
            Self::Shared { .. } => None,
            Self::DayOf(_) => by("the day of a point in time in the vendor's zone"),
            Self::Instant(Clock { unit: Some(_), .. }) => by("a number since 1970 as a point in time"),
            Self::Zoned(_) => by("a point in time with the offset as written"),
            _ => None,
        }
    }

    /// Reads a value, and writes it as JSON; `item` is where the currency is found.
    ///
    /// # Errors
    /// What was found (its type) and what is expected.
    pub(crate) fn write(&self, node: &Node<'_>, item: &Node<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        match (self, node) {
            // Most fields are texts, codes and references: written without a tree of their own.
            (Self::Shared { parse: Parse::Text {}, .. }, Node::Text(text)) => {
                write_text(text.trim(), out);
                return Ok(());
            }
            (Self::Shared { parse: Parse::Localized { lang }, .. }, Node::Text(text)) => {
                out.push(b'{');
                write_text(lang, out);
                out.push(b':');
                write_text(text.trim(), out);
                out.push(b'}');
                return Ok(());
            }
            (Self::Shared { parse: Parse::Code { map }, .. }, Node::Text(text)) => {
                let text = text.trim();
                out.extend_from_slice(br#"{"code":"#);
                write_text(map.get(text).map_or("OTHER", String::as_str), out);
                out.extend_from_slice(br#","raw":"#);
                write_text(text, out);
                out.push(b'}');
                return Ok(());
            }
            (Self::Shared { parse: Parse::Date { formats, .. }, .. }, Node::Text(text)) if formats.is_empty() => {
                if let Ok(day) = LocalDate::parse(text) {
                    write_text(&day.to_string(), out);
                    return Ok(());
                }
            }
            _ => {}
        }
        let value = self.value(node, item)?;
        serde_json::to_writer(out, &value).map_err(|error| error.to_string())
    }

    fn value(&self, node: &Node<'_>, item: &Node<'_>) -> Result<Value, String> {
        match self {
            Self::Json => Ok(node.value()),
            Self::Bool => match node.scalar().as_deref().map(str::trim) {
                Some("true" | "1") => Ok(true.into()),
                Some("false" | "0") => Ok(false.into()),
                _ => Err(format!("{} that is neither true nor false", node.kind())),
            },
            Self::Integer => {
                let whole = node.scalar().and_then(|text| text.trim().parse::<i64>().ok());
                whole.map(Value::from).ok_or_else(|| format!("{} that is not a whole number", node.kind()))
            }
            Self::Instant(clock) => instant(clock.ms(node)?).map(Value::from),
            Self::Zoned(clock) => {
                let utc = instant(clock.ms(node)?)?;
                let written =
                    node.scalar().and_then(|text| written_offset(&text)).or(clock.offset_minutes.map(offset_text));
                Ok(match written {
                    Some(offset) => json!({ "utc": utc, "offset": offset }),
                    None => json!({ "utc": utc }),
                })
            }
            Self::DayOf(clock) => {
                let minutes = clock.offset_minutes.unwrap_or_default();
                let there = instant(clock.ms(node)?.saturating_add(i64::from(minutes) * 60_000))?;
                Ok(there.get(..10).unwrap_or_default().into())
            }
            Self::Shared { parse, round, mark, minor, currency } => {
                let cell = cell_of(node, *minor)?;
                let reading = Reading {
                    from_1904: false,
                    years: Years { first: 1, last: 9999 },
                    proof: Proof::Declared(*mark),
                    round: *round,
                    merged: false,
                };
                let Some(from) = currency else { return read(&cell, parse, reading) };
                let found = from.filled(item).and_then(Node::scalar);
                let found = found.ok_or_else(|| format!("nothing at {}, where the currency stands", from.text()))?;
                read(&cell, &with_currency(parse, found.trim()), reading)
            }
        }
    }
}

/// The keys of the vocabulary that a source has.
fn vocabulary(name: &str, table: &SourceTable) -> Map<String, Value> {
    let mut keys = Map::from_iter([("as".to_owned(), Value::from(name))]);
    for (key, value) in pairs(table) {
        keys.extend(value.map(|value| (key.to_owned(), value.clone())));
    }
    keys
}

fn extra(table: &SourceTable) -> Vec<(&'static str, bool)> {
    let own = [
        ("currency_from", table.currency_from.is_some()),
        ("minor", table.minor.is_some()),
        ("round", table.round.is_some()),
        ("decimal", table.decimal.is_some()),
    ];
    pairs(table).into_iter().map(|(key, value)| (key, value.is_some())).chain(own).collect()
}

fn pairs(table: &SourceTable) -> [(&'static str, Option<&Value>); 13] {
    [
        ("lang", table.lang.as_ref()),
        ("of", table.of.as_ref()),
        ("connection", table.connection.as_ref()),
        ("scheme", table.scheme.as_ref()),
        ("currency", table.currency.as_ref()),
        ("unit", table.unit.as_ref()),
        ("per", table.per.as_ref()),
        ("formats", table.formats.as_ref()),
        ("of_one", table.of_one.as_ref()),
        ("min", table.min.as_ref()),
        ("max", table.max.as_ref()),
        ("levels", table.levels.as_ref()),
        ("map", table.map.as_ref()),
    ]
}

fn with_currency(parse: &Parse, found: &str) -> Parse {
    let currency = Some(found.to_uppercase());
    match parse {
        Parse::Rate { unit, per, .. } => Parse::Rate { currency, unit: *unit, per: per.clone() },
        Parse::Money { unit, .. } => Parse::Money { currency, unit: *unit },
        other => other.clone(),
    }
}

fn instant(ms: i64) -> Result<String, String> {
    Instant::from_epoch_ms(ms).map(|at| at.to_string()).map_err(|_| "a time beyond all years".to_owned())
}

/// `+08:00` at the end of a time; none for `Z`.
fn written_offset(text: &str) -> Option<String> {
    let end = text.trim().get(text.trim().len().checked_sub(6)?..)?;
    offset(end).ok().map(offset_text)
}

/// A value of JSON as what the vocabulary reads.
fn cell_of(node: &Node<'_>, minor: Option<u32>) -> Result<Cell, String> {
    let text = match node {
        Node::Null => return Ok(Cell::Blank),
        Node::List(_) | Node::Object(_) => return Err(format!("{}; expected a single value", node.kind())),
        Node::Text(text) if minor.is_none() => {
            let text = text.trim();
            return Ok(if text.is_empty() { Cell::Blank } else { Cell::Text(text.into()) });
        }
        Node::Bool(truth) => return Ok(Cell::Text(truth.to_string().into())),
        other => other.scalar().unwrap_or_default(),
    };
    let whole = matches!(node, Node::Int(_) | Node::Big(_));
    let Some(digits) = minor else {
        let whole = whole || matches!(node, Node::Float(number) if number.fract() == 0.0);
        return Ok(Cell::Number(Box::new(Number { text: text.into_owned(), whole, shown: Shown::default() })));
    };
    let amount = Decimal::from_str_exact(text.trim()).ok().filter(Decimal::is_integer);
    let amount = amount.and_then(|amount| Decimal::try_from_i128_with_scale(i128::try_from(amount).ok()?, digits).ok());
    let amount = amount.ok_or_else(|| format!("{} that is not a whole number of smallest units", node.kind()))?;
    Ok(Cell::Text(amount.normalize().to_string().into()))
}

/// A JSON string.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _written = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(json: Value) -> SourceTable {
        serde_json::from_value(json).unwrap()
    }

    fn read_as(form: Value, value: &Value) -> Result<Value, String> {
        let form = Form::parse(&table(form))?;
        let (node, item) = (Node::from(value), Node::from(&json!({ "currency": "usd" })));
        let mut out = Vec::new();
        form.write(&node, &item, &mut out)?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    #[test]
    fn the_vocabulary_of_tables_reads_members_of_json() {
        for (form, value, wanted) in [
            (json!({}), json!(" A \"b\" "), json!("A \"b\"")),
            (json!({}), json!(7), json!("7")),
            (json!({ "as": "localized", "lang": "en" }), json!("A"), json!({ "en": "A" })),
            (json!({ "as": "ref" }), json!(4711), json!({ "external": { "value": "4711" } })),
            (
                json!({ "as": "code", "map": { "hired": "HIRED" } }),
                json!("hired"),
                json!({ "code": "HIRED", "raw": "hired" }),
            ),
            (json!({ "as": "code", "map": {} }), json!(3), json!({ "code": "OTHER", "raw": "3" })),
            (json!({ "as": "choice", "map": { "h": "HUMAN" } }), json!("h"), json!("HUMAN")),
            (json!({ "as": "date" }), json!("2024-02-29"), json!("2024-02-29")),
            (
                json!({ "as": "money", "currency": "CNY" }),
                json!(61234.56),
                json!({ "amount": "61234.56", "currency": "CNY" }),
            ),
            (
                json!({ "as": "money", "currency": "CNY", "minor": 2 }),
                json!(1205),
                json!({ "amount": "12.05", "currency": "CNY" }),
            ),
            (
                json!({ "as": "money", "currency_from": "/currency" }),
                json!("7.10"),
                json!({ "amount": "7.1", "currency": "USD" }),
            ),
            (
                json!({ "as": "score", "min": "1", "max": "5" }),
                json!(4),
                json!({ "value": "4", "min": "1", "max": "5", "scale": "RAW" }),
            ),
        ] {
            assert_eq!(read_as(form.clone(), &value).unwrap(), wanted, "{form}");
        }
    }

    #[test]
    fn what_json_has_in_addition_is_read_too() {
        for (form, value, wanted) in [
            (json!({ "as": "bool" }), json!(1), json!(true)),
            (json!({ "as": "integer" }), json!("12"), json!(12)),
            (json!({ "as": "json" }), json!([1, { "a": 2 }]), json!([1, { "a": 2 }])),
            (json!({ "as": "instant" }), json!("2026-01-01T08:00:00+08:00"), json!("2026-01-01T00:00:00.000Z")),
            (json!({ "as": "instant", "unit": "s" }), json!(1_767_225_600), json!("2026-01-01T00:00:00.000Z")),
            (
                json!({ "as": "instant", "unit": "ms" }),
                json!("/Date(1767225600000+0000)/"),
                json!("2026-01-01T00:00:00.000Z"),
            ),
            (json!({ "as": "date", "unit": "ms", "zone": "Z" }), json!("/Date(-86400000)/"), json!("1969-12-31")),
            (
                json!({ "as": "instant", "zone": "+08:00" }),
                json!("2026/01/01 08:00"),
                json!("2026-01-01T00:00:00.000Z"),
            ),
            (
                json!({ "as": "zoned" }),
                json!("2026-01-01T08:00:00+08:00"),
                json!({ "utc": "2026-01-01T00:00:00.000Z", "offset": "+08:00" }),
            ),
            (
                json!({ "as": "date", "unit": "ms", "zone": "+08:00" }),
                json!(1_769_788_800_000_i64),
                json!("2026-01-31"),
            ),
        ] {
            assert_eq!(read_as(form.clone(), &value).unwrap(), wanted, "{form}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_its_type() {
        for (form, value) in [
            (json!({}), json!(["Canary"])),
            (json!({ "as": "date" }), json!("2023-02-29")),
            (json!({ "as": "integer" }), json!(1.5)),
            (json!({ "as": "bool" }), json!("Canary")),
            (json!({ "as": "instant" }), json!("Canary")),
            (json!({ "as": "money", "currency": "CNY", "minor": 2 }), json!(1.5)),
            (json!({ "as": "choice", "map": {} }), json!("Canary")),
        ] {
            let error = read_as(form.clone(), &value).unwrap_err();
            assert!(!error.contains("Canary"), "{form}: {error}");
        }
    }

    #[test]
    fn a_meaning_takes_its_own_keys_and_no_others() {
        let error = |form: Value| Form::parse(&table(form)).unwrap_err();
        assert!(error(json!({ "as": "mony", "currency": "CNY" })).contains("did you mean `money`?"));
        assert!(error(json!({ "as": "localized", "lang": "en", "per": "YEAR" })).contains("per"));
        assert!(error(json!({ "as": "bool", "currency": "CNY" })).contains("`currency` does not belong"));
        assert!(error(json!({ "as": "money" })).contains("currency"));
        assert!(error(json!({ "as": "date", "unit": "ms" })).contains("zone"));
        assert!(error(json!({ "as": "instant", "zone": "Shanghai" })).contains("+08:00"));
    }
}
