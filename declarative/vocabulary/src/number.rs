//! Numbers as people write them: `12,345.60`, `１２３`, `(500)`, `¥8k`, `1.2万`, `8-10K`.

use rust_decimal::Decimal;

use crate::cell::is_invisible;
use crate::parse::{Mark, Unit};
use crate::sign::Sign;

/// Turns full-width forms into their ASCII ones and the ideographic space into a space, and removes invisible marks.
#[must_use]
pub fn half_width(text: &str) -> String {
    let one = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    };
    text.chars().filter(|&c| !is_invisible(c)).map(one).collect()
}

/// A number and the unit that was written behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// As it stands, before the unit.
    pub number: Decimal,
    /// `K`, `万`; none was written.
    pub suffix: Option<Unit>,
    /// A per cent sign followed it.
    pub percent: bool,
    /// The currency sign that was written next to it.
    pub sign: Option<Sign>,
}

/// One number, with the currency sign and the unit that are written next to it; brackets make it negative.
#[must_use]
pub fn quantity(text: &str, mark: Mark) -> Option<Quantity> {
    let text: String = half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    let (text, outer) = without_signs(&text)?;
    let (text, bracketed) = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let (minus, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (text, inner) = without_signs(text)?;
    if minus && (bracketed || text.starts_with(['-', '+'])) {
        return None;
    }
    let (text, percent) = text.strip_suffix('%').map_or((text, false), |text| (text, true));
    let (text, suffix) = split_unit(text);
    let number = plain(text, mark)?;
    let number = if bracketed || minus { -number } else { number };
    Some(Quantity { number, suffix, percent, sign: Sign::both(outer, inner)? })
}

/// Takes the currency signs off both ends; none if they contradict each other.
fn without_signs(mut text: &str) -> Option<(&str, Option<Sign>)> {
    let mut sign = None;
    while let Some((found, rest)) = Sign::before(text).or_else(|| Sign::behind(text)) {
        (sign, text) = (Sign::both(sign, Some(found))?, rest);
    }
    Some((text, sign))
}

fn split_unit(text: &str) -> (&str, Option<Unit>) {
    let suffixes = [('k', Unit::Thousand), ('K', Unit::Thousand), ('千', Unit::Thousand), ('万', Unit::TenThousand)];
    let suffixes =
        suffixes.into_iter().chain([('w', Unit::TenThousand), ('W', Unit::TenThousand), ('萬', Unit::TenThousand)]);
    for (letter, unit) in suffixes {
        if let Some(number) = text.strip_suffix(letter) {
            return (number, Some(unit));
        }
    }
    (text, None)
}

/// Digits with a sign, a decimal mark, and separators that stand where thousands end: `1,2` is not a number.
fn plain(text: &str, mark: Mark) -> Option<Decimal> {
    let text = match mark {
        Mark::Point => text.to_owned(),
        Mark::Comma => text
            .chars()
            .map(|c| {
                if c == ',' {
                    '.'
                } else if c == '.' {
                    ','
                } else {
                    c
                }
            })
            .collect(),
    };
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = whole.contains(',');
    let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(first) || (first.is_empty() && fraction.is_none()) || (grouped && (first.is_empty() || first.len() > 3))
    {
        return None;
    }
    if groups.any(|group| !numeric(group) || group.len() != 3) || !fraction.is_none_or(|f| numeric(f) && !f.is_empty())
    {
        return None;
    }
    let mut clean = format!("{sign}{}", whole.replace(',', ""));
    if clean.ends_with('-') || clean.is_empty() {
        clean.push('0');
    }
    if let Some(fraction) = fraction {
        clean.push('.');
        clean.push_str(fraction);
    }
    Decimal::from_str_exact(&clean).ok()
}

/// What a number counts in single units, by its own suffix or by the declared one.
#[must_use]
pub fn scaled(quantity: Quantity, declared: Option<Unit>) -> Option<Decimal> {
    let unit = quantity.suffix.or(declared)?;
    quantity.number.checked_mul(Decimal::from(unit.factor())).map(|number| number.normalize())
}

/// The two ends of a range; one may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The lower end; none if it is open.
    pub min: Option<Decimal>,
    /// The upper end; none if it is open.
    pub max: Option<Decimal>,
    /// The currency sign that was written next to them.
    pub sign: Option<Sign>,
}

/// `8-10K`, `8k～1万`, `8000 至 10000`, `15K以上`, `8K以下`, or one number for both ends. A suffix on the last number alone
/// counts for both; a range whose unit is neither written nor declared is refused.
///
/// # Errors
/// What is wrong with it.
pub fn range(text: &str, declared: Option<Unit>, mark: Mark) -> Result<Ends, &'static str> {
    const NO_UNIT: &str = "a range without a unit; write 8-10K, or declare `unit`";
    const NO_RANGE: &str = "not a range; expected the like of 8-10K, 8000~10000 or 15K以上";
    let text: String = half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    let one = |part: &str| quantity(part, mark).ok_or(NO_RANGE);
    for (word, open_end) in
        [("以上", true), ("及以上", true), ("起", true), ("+", true), ("以下", false), ("及以下", false)]
    {
        if let Some(number) = text.strip_suffix(word) {
            let found = one(number.trim_end_matches('及'))?;
            let value = scaled(found, declared).ok_or(NO_UNIT)?;
            let (min, max) = if open_end { (Some(value), None) } else { (None, Some(value)) };
            return Ok(Ends { min, max, sign: found.sign });
        }
    }
    let separator = |c: char| matches!(c, '-' | '–' | '—' | '~' | '～' | '至' | '到');
    let mut parts = text.split(separator).filter(|part| !part.is_empty());
    let (Some(first), second, None) = (parts.next(), parts.next(), parts.next()) else { return Err(NO_RANGE) };
    let last = one(second.unwrap_or(first))?;
    let mut first = one(first)?;
    first.suffix = first.suffix.or(last.suffix);
    let min = scaled(first, declared).ok_or(NO_UNIT)?;
    let max = scaled(last, declared).ok_or(NO_UNIT)?;
    if min > max {
        return Err("a range that begins above its end");
    }
    let sign = Sign::both(first.sign, last.sign).ok_or("a range in two currencies")?;
    Ok(Ends { min: Some(min), max: Some(max), sign })
}
