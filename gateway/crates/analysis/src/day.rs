//! Days of the calendar as numbers.

use renmen_schema::types::{Instant, LocalDate};

const DAY_MS: i64 = 86_400_000;

/// Days since 1970-01-01.
pub(crate) fn number(day: LocalDate) -> i64 {
    Instant::parse(&format!("{day}T00:00:00Z")).map_or(0, Instant::epoch_ms).div_euclid(DAY_MS)
}

/// The day of a number; none outside the years 1 to 9999.
pub(crate) fn of_number(number: i64) -> Option<LocalDate> {
    LocalDate::from_epoch_ms_at_offset(number.checked_mul(DAY_MS)?, 0).ok()
}

/// A day some days later, or earlier where `days` is below zero; the day itself at the ends of the calendar.
pub(crate) fn plus(day: LocalDate, days: i64) -> LocalDate {
    of_number(number(day) + days).unwrap_or(day)
}

/// The day at a time and an offset from UTC in minutes.
pub(crate) fn at(now_ms: i64, offset_minutes: i32) -> Option<LocalDate> {
    LocalDate::from_epoch_ms_at_offset(now_ms, offset_minutes).ok()
}

/// When a day begins at an offset from UTC in minutes. Milliseconds since the epoch.
pub(crate) fn begins_ms(day: LocalDate, offset_minutes: i32) -> i64 {
    number(day) * DAY_MS - i64::from(offset_minutes) * 60_000
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_numbers_and_back() {
        let day = LocalDate::parse("2026-03-01").unwrap();
        assert_eq!(of_number(number(day)), Some(day));
        assert_eq!(plus(day, -1).to_string(), "2026-02-28");
        assert_eq!(plus(day, 365).to_string(), "2027-03-01");
        assert_eq!(number(LocalDate::parse("1970-01-01").unwrap()), 0);
        // Midnight in China is 16:00 the day before in UTC.
        assert_eq!(at(begins_ms(day, 480), 480), Some(day));
        assert_eq!(at(begins_ms(day, 480) - 1, 480), Some(plus(day, -1)));
    }
}
