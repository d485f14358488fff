//! Dates without a zone.

use std::fmt;

use crate::check::BadValue;
use crate::json_string::string_type;
use crate::text;

pub(crate) const MS_PER_DAY: i64 = 86_400_000;
const MS_PER_MINUTE: i64 = 60_000;

/// A day of the calendar, `YYYY-MM-DD`, without a zone: a date of hire is the same day everywhere. Only days that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDate(jiff::civil::Date);

impl LocalDate {
    /// Reads `YYYY-MM-DD` of a day that exists, from the year 1 on.
    ///
    /// # Errors
    /// `bad_date`: another form, or 31 February, 0000-00-00 and their like.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        let refuse = || {
            BadValue::new(
                "bad_date",
                text!("expected YYYY-MM-DD of a day that exists", "应为存在的日期，形如 YYYY-MM-DD"),
            )
        };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(refuse());
        }
        let number = |range: std::ops::Range<usize>| {
            bytes[range].iter().try_fold(0_i16, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i16::from(b - b'0')))
        };
        match (number(0..4), number(5..7), number(8..10)) {
            (Some(year), Some(month), Some(day)) => Self::of(year, month as i8, day as i8).map_err(|_| refuse()),
            _ => Err(refuse()),
        }
    }

    /// From year (1 to 9999), month and day.
    ///
    /// # Errors
    /// `bad_date` when the day does not exist.
    pub fn of(year: i16, month: i8, day: i8) -> Result<Self, BadValue> {
        match jiff::civil::Date::new(year, month, day) {
            Ok(date) if year >= 1 => Ok(Self(date)),
            _ => Err(BadValue::new(
                "bad_date",
                text!("expected a day that exists, of the years 1 to 9999", "应为公元 1 到 9999 年间存在的日期"),
            )),
        }
    }

    /// The day that a vendor means by an epoch time at its own midnight: some give a date as the milliseconds of midnight
    /// in China, which in UTC is the evening before. `offset_minutes` is the vendor's offset from UTC, 480 for China.
    ///
    /// # Errors
    /// `bad_date` outside the years 1 to 9999, or for an offset of more than 18 hours.
    pub fn from_epoch_ms_at_offset(ms: i64, offset_minutes: i32) -> Result<Self, BadValue> {
        let refuse = || {
            BadValue::new(
                "bad_date",
                text!(
                    "expected milliseconds since 1970 of the years 1 to 9999",
                    "应为自 1970 年起的毫秒数，在公元 1 到 9999 年之间"
                ),
            )
        };
        if offset_minutes.abs() > 18 * 60 {
            return Err(BadValue::new(
                "bad_date",
                text!("expected an offset of at most 18 hours, in minutes", "应为不超过 18 小时的偏移，以分钟计"),
            ));
        }
        let local_ms = ms.checked_add(i64::from(offset_minutes) * MS_PER_MINUTE).ok_or_else(refuse)?;
        Self::from_epoch_days(local_ms.div_euclid(MS_PER_DAY)).ok_or_else(refuse)
    }

    pub(crate) fn from_epoch_days(days: i64) -> Option<Self> {
        let span = jiff::Span::new().try_days(days).ok()?;
        let date = jiff::civil::Date::constant(1970, 1, 1).checked_add(span).ok()?;
        (date.year() >= 1).then_some(Self(date))
    }

    /// The date for calendar arithmetic.
    #[must_use]
    pub fn civil(self) -> jiff::civil::Date {
        self.0
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

string_type!(LocalDate, "a date as a JSON string", {
    "description": "A day of the calendar without a zone.",
    "format": "date",
    "pattern": r"^\d{4}-\d{2}-\d{2}$"
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::LocalDate;

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for text in ["2025-02-31", "2023-02-29", "0000-00-00", "2025-13-01", "2025-00-10", "2025-04-31", "0000-01-01"] {
            assert_eq!(LocalDate::parse(text).unwrap_err().code, "bad_date", "{text}");
        }
        for text in ["2024-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(LocalDate::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn another_form_is_refused() {
        for text in ["", "2025/01/02", "20250102", "2025-1-2", "2025-01-02T00:00:00Z", "二〇二五-01-02", "+025-01-02"]
        {
            assert!(LocalDate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn midnight_in_china_is_that_day_and_not_the_evening_before() {
        // 2020-03-01T00:00 at +08:00 is 2020-02-29T16:00Z.
        let ms = 1_582_992_000_000;
        assert_eq!(LocalDate::from_epoch_ms_at_offset(ms, 480).unwrap().to_string(), "2020-03-01");
        assert_eq!(LocalDate::from_epoch_ms_at_offset(ms, 0).unwrap().to_string(), "2020-02-29");
        assert_eq!(LocalDate::from_epoch_ms_at_offset(-1, 0).unwrap().to_string(), "1969-12-31");
        assert!(LocalDate::from_epoch_ms_at_offset(i64::MAX, 480).is_err());
        assert!(LocalDate::from_epoch_ms_at_offset(0, 2000).is_err());
    }
}
