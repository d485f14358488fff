//! One cell, and the days that it may hold.

use jiff::civil::Date;

use crate::number::half_width;

/// What stands in a cell, before anybody says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or blanks.
    Blank,
    /// Text without the blanks around it.
    Text(String),
    /// A number as a decimal text, with the 15 digits that a spreadsheet shows.
    Number(String),
    /// A cell that is formatted as a date.
    Date(Day),
    /// `#N/A`, `#REF!`, …
    Fault,
}

/// A day as a spreadsheet counts it, which may not exist (29 February 1900).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// 1900 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Cell {
    /// Text as it stands in a file.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
        if text.is_empty() { Self::Blank } else { Self::Text(text.to_owned()) }
    }

    /// A number of a spreadsheet: 8000.1 is stored as 8000.100000000000364, and shown as 8000.1.
    #[must_use]
    pub fn of_float(number: f64) -> Self {
        if !number.is_finite() {
            return Self::Fault;
        }
        let shown: f64 = format!("{number:.14e}").parse().unwrap_or(number);
        Self::Number(format!("{shown}"))
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        *self == Self::Blank
    }

    /// As a key or a title: what a person would read.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Blank | Self::Fault => String::new(),
            Self::Text(text) | Self::Number(text) => text.clone(),
            Self::Date(day) => format!("{:04}-{:02}-{:02}", day.year, day.month, day.day),
        }
    }

    /// For messages: the type, never the value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Blank => "nothing",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Date(_) => "a date",
            Self::Fault => "an error of the spreadsheet",
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Number(text) => text.len(),
            Self::Blank | Self::Date(_) | Self::Fault => 0,
        }
    }
}

/// The day in a cell. With `formats` only a text of one of them, or a date cell.
///
/// # Errors
/// What was found (its type) and what is expected.
pub fn day(cell: &Cell, formats: &[String], from_1904: bool) -> Result<Date, String> {
    let expected = || format!("{} that is no day; expected a date cell or {}", cell.kind(), accepted(formats));
    match cell {
        Cell::Date(day) => date(day.year, day.month, day.day).ok_or_else(expected),
        Cell::Number(serial) if formats.is_empty() && serial.len() == 8 && !serial.contains('.') => {
            digits(serial).ok_or_else(expected)
        }
        Cell::Number(serial) if formats.is_empty() => from_serial(serial, from_1904).ok_or_else(expected),
        Cell::Text(text) if formats.is_empty() => of_text(&half_width(text)).ok_or_else(expected),
        Cell::Text(text) | Cell::Number(text) => {
            let text = half_width(text);
            formats.iter().find_map(|format| Date::strptime(format, &text).ok()).ok_or_else(expected)
        }
        Cell::Blank | Cell::Fault => Err(expected()),
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

fn digits(text: &str) -> Option<Date> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse().ok();
    date(part(0..4)? as i32, part(4..6)?, part(6..8)?)
}

/// Days since 1899-12-30, or since 1904-01-01. Up to 1900-02-28 the serials are one lower, because the spreadsheet counts
/// 29 February 1900: such a day of pay does not occur, and is refused rather than guessed.
fn from_serial(serial: &str, from_1904: bool) -> Option<Date> {
    let days: i32 = serial.split('.').next()?.parse().ok()?;
    let (first, epoch) = if from_1904 { (0, Date::constant(1904, 1, 1)) } else { (61, Date::constant(1899, 12, 30)) };
    if !(first..=2_958_465).contains(&days) {
        return None;
    }
    epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Year, month and day in this order, with anything of `-` `/` `.` or 年月日 between; a time behind them is left out.
fn of_text(text: &str) -> Option<Date> {
    let text = text.split([' ', 'T']).next()?;
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
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
/// As [`day`].
pub fn month(cell: &Cell, from_1904: bool) -> Result<(Date, Date), String> {
    let within = match cell {
        Cell::Text(text) => of_month(&half_width(text)),
        Cell::Number(number) if number.len() == 6 => of_month(number),
        _ => None,
    };
    let within = match within {
        Some(first) => first,
        None => day(cell, &[], from_1904)
            .map_err(|_| format!("{} that is no month; expected 2025-03, 202503 or 2025年3月", cell.kind()))?,
    };
    Ok((within.first_of_month(), within.last_of_month()))
}

fn of_month(text: &str) -> Option<Date> {
    if text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) {
        return digits(&format!("{text}01"));
    }
    let text = text.strip_suffix('月').or_else(|| text.strip_suffix("月份")).unwrap_or(text);
    let (year, month) = text.split_once(['-', '/', '.', '年'])?;
    if year.len() != 4 || month.len() > 2 {
        return None;
    }
    date(year.parse().ok()?, month.parse().ok()?, 1)
}
