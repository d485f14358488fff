//! The day or the month in a cell. A bare number is a day only where the mapping says so.

use jiff::civil::Date;

use crate::cell::{Cell, Number};
use crate::number::half_width;
use crate::parse::Years;

/// How days are read.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    /// A bare number is a serial.
    pub serials: bool,
    /// Serials count from 1904.
    pub from_1904: bool,
    /// What lies outside is refused.
    pub years: Years,
}

/// The day in a cell. With `formats` only a text of one of them, or a date cell.
///
/// # Errors
/// What was found (its type) and what is expected.
pub fn day(cell: &Cell, formats: &[String], days: Days) -> Result<Date, String> {
    let expected =
        || format!("{} that is not a day; expected a date cell or {}{}", cell.kind(), accepted(formats), hint(cell));
    let found = match cell {
        Cell::Date(day) => date(day.year.into(), day.month.into(), day.day.into()),
        Cell::Number(number) if !plain(number) => None,
        Cell::Number(number) if formats.is_empty() && is_digits(&number.text, 8) => digits(&number.text),
        Cell::Number(number) if formats.is_empty() && days.serials => serial(&number.text, days.from_1904),
        Cell::Number(_) if formats.is_empty() => None,
        Cell::Text(text) if formats.is_empty() => {
            let text = half_width(text);
            of_text(&text).or_else(|| serial(&text, days.from_1904).filter(|_| days.serials))
        }
        Cell::Text(text) => of_formats(text, formats),
        Cell::Number(number) => of_formats(&number.text, formats),
        Cell::Fault(reason) => return Err((*reason).to_owned()),
        Cell::Blank => None,
    };
    within(found.ok_or_else(expected)?, days.years)
}

fn of_formats(text: &str, formats: &[String]) -> Option<Date> {
    let text = half_width(text);
    formats.iter().find_map(|format| Date::strptime(format, &text).ok())
}

/// A percentage or an amount of money is not a day.
fn plain(number: &Number) -> bool {
    !(number.shown.percent || number.shown.words || number.shown.sign.is_some())
}

fn within(day: Date, years: Years) -> Result<Date, String> {
    if (years.first..=years.last).contains(&day.year()) {
        return Ok(day);
    }
    Err(format!(
        "a day outside the years {} to {}; correct it, or widen `years` if it is meant",
        years.first, years.last
    ))
}

fn hint(cell: &Cell) -> &'static str {
    match cell {
        Cell::Number(_) => " (a bare number is read as the serial of a day only with `serials = true`)",
        _ => "",
    }
}

fn accepted(formats: &[String]) -> String {
    if formats.is_empty() {
        "2025-03-01, 2025/3/1, 2025.3.1, 20250301, 2025年3月1日".to_owned()
    } else {
        formats.join(", ")
    }
}

fn date(year: i32, month: u32, day: u32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn digits(text: &str) -> Option<Date> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse().ok();
    date(part(0..4)? as i32, part(4..6)?, part(6..8)?)
}

/// Days since 1899-12-30, or since 1904-01-01. Up to 1900-02-28 the serials are one lower, because the spreadsheet counts
/// 29 February 1900: such a day of pay does not occur, and is refused rather than guessed.
pub fn serial(serial: &str, from_1904: bool) -> Option<Date> {
    let days: i32 = serial.split('.').next()?.parse().ok()?;
    let (first, epoch) = if from_1904 { (1, Date::constant(1904, 1, 1)) } else { (61, Date::constant(1899, 12, 30)) };
    if !(first..=2_958_465).contains(&days) {
        return None;
    }
    epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Year, month and day in this order, with anything of `-` `/` `.` or 年月日 between; a time behind them is left out.
pub fn of_text(text: &str) -> Option<Date> {
    let (text, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:0"));
    let time = time.trim();
    if !time.contains(':') || !time.chars().all(|c| c.is_ascii_digit() || " :.+-Z".contains(c)) {
        return None;
    }
    if is_digits(text, 8) {
        return digits(text);
    }
    let text = text.strip_suffix(['日', '号']).unwrap_or(text);
    let mut parts = text.split(['-', '/', '.', '年', '月']);
    let mut next = |length: std::ops::RangeInclusive<usize>| {
        parts
            .next()
            .filter(|part| length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let (year, month, day): (i32, i32, i32) = (next(4..=4)?, next(1..=2)?, next(1..=2)?);
    if parts.next().is_some() {
        return None;
    }
    date(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

/// The first and last day of the month in a cell.
///
/// # Errors
/// As [`day`]. The number 2025.1 is refused: a spreadsheet keeps 2025.10 so, and it cannot say which month was meant.
pub fn month(cell: &Cell, days: Days) -> Result<(Date, Date), String> {
    const UNCLEAR: &str = "which may be January or October; write 2025-01 or 2025-10 as a text";
    let found = match cell {
        Cell::Text(text) => {
            let text = half_width(text);
            if text.strip_suffix(".1").is_some_and(|year| is_digits(year, 4)) {
                return Err(format!("a text {UNCLEAR}"));
            }
            of_month(&text)
        }
        Cell::Number(number) if is_digits(&number.text, 6) && plain(number) => of_month(&number.text),
        Cell::Number(number) if number.text.split('.').next().is_some_and(|year| is_digits(year, 4)) => {
            return Err(
                "a number that cannot say which month it is (2025.10 is kept as 2025.1); write 2025-10 as a text"
                    .to_owned(),
            );
        }
        _ => None,
    };
    let found = match found {
        Some(first) => within(first, days.years)?,
        None => match day(cell, &[], days) {
            Ok(day) => day,
            Err(reason) if matches!(cell, Cell::Date(_) | Cell::Fault(_)) => return Err(reason),
            Err(_) => {
                return Err(format!(
                    "{} that is not a month within the years {} to {}; expected 2025-03, 202503 or 2025年3月{}",
                    cell.kind(),
                    days.years.first,
                    days.years.last,
                    hint(cell)
                ));
            }
        },
    };
    Ok((found.first_of_month(), found.last_of_month()))
}

fn of_month(text: &str) -> Option<Date> {
    if is_digits(text, 6) {
        return digits(&format!("{text}01"));
    }
    let text = text.strip_suffix('月').or_else(|| text.strip_suffix("月份")).unwrap_or(text);
    let (year, month) = text.split_once(['-', '/', '.', '年'])?;
    if !is_digits(year, 4) || !(is_digits(month, 1) || is_digits(month, 2)) {
        return None;
    }
    date(year.parse().ok()?, month.parse().ok()?, 1)
}
