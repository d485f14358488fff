//! The times of the schedule, without a clock: which time was the last one at a given day, and over which days it asks.
//!
//! A time is the number of the day on which it begins, so that its order does not depend on how often a question is asked: who changes
//! the interval goes on from where they were.

use renmen_schema::types::{DateSpan, LocalDate};

use crate::day;

/// How often something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Each so many days, counted from a fixed Monday.
    Days(u32),
    /// On the first day of each month.
    Month,
    /// On the first day of each quarter of the year.
    Quarter,
}

/// 2001-01-01, a Monday.
const MONDAY: i64 = 11_323;

/// One time of the schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its number: the days from 1970-01-01 to the day on which it begins.
    pub number: i64,
    /// The day on which it begins.
    pub day: LocalDate,
    /// The days that it asks over: the last one is the day before.
    pub window: DateSpan,
}

impl Every {
    /// The newest time that has begun on this day.
    #[must_use]
    pub fn newest(self, today: LocalDate, window_days: Option<u32>) -> Option<Slot> {
        let number = self.begins(today)?;
        let begin = day::of_number(number)?;
        let last = day::of_number(number - 1)?;
        let first = match window_days {
            Some(days) => day::of_number(number - i64::from(days.max(1)))?,
            None => day::of_number(self.begins(last)?)?,
        };
        Some(Slot { number, day: begin, window: DateSpan::new(first, last) })
    }

    /// The number of the day on which the time begins that a day lies in.
    fn begins(self, at: LocalDate) -> Option<i64> {
        match self {
            Self::Days(days) => {
                let days = i64::from(days.max(1));
                let number = day::number(at);
                Some(number - (number - MONDAY).rem_euclid(days))
            }
            Self::Month => LocalDate::of(at.civil().year(), at.civil().month(), 1).ok().map(day::number),
            Self::Quarter => {
                let first = (at.civil().month() - 1) / 3 * 3 + 1;
                LocalDate::of(at.civil().year(), first, 1).ok().map(day::number)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(every: Every, today: &str, window_days: Option<u32>) -> (String, String, String) {
        let slot = every.newest(LocalDate::parse(today).unwrap(), window_days).unwrap();
        assert_eq!(slot.number, day::number(slot.day));
        (slot.day.to_string(), slot.window.start.to_string(), slot.window.end.to_string())
    }

    fn said(slot: [&str; 3]) -> (String, String, String) {
        let [day, first, last] = slot.map(str::to_owned);
        (day, first, last)
    }

    #[test]
    fn a_quarter_asks_over_the_quarter_before() {
        assert_eq!(at(Every::Quarter, "2026-04-01", None), said(["2026-04-01", "2026-01-01", "2026-03-31"]));
        assert_eq!(at(Every::Quarter, "2026-03-31", None), said(["2026-01-01", "2025-10-01", "2025-12-31"]));
        assert_eq!(at(Every::Month, "2026-03-31", None), said(["2026-03-01", "2026-02-01", "2026-02-28"]));
    }

    #[test]
    fn weeks_begin_on_mondays_and_a_window_may_be_longer() {
        // 2026-03-04 is a Wednesday.
        assert_eq!(at(Every::Days(7), "2026-03-04", None), said(["2026-03-02", "2026-02-23", "2026-03-01"]));
        assert_eq!(at(Every::Days(7), "2026-03-02", Some(90)), said(["2026-03-02", "2025-12-02", "2026-03-01"]));
        assert_eq!(at(Every::Days(1), "2026-03-04", None), said(["2026-03-04", "2026-03-03", "2026-03-03"]));
    }

    #[test]
    fn times_rise_with_the_days_however_often_it_is_asked() {
        let mut before = i64::MIN;
        for number in 20_000..21_000 {
            let today = day::of_number(number).unwrap();
            for every in [Every::Days(1), Every::Days(9), Every::Month, Every::Quarter] {
                let slot = every.newest(today, None).unwrap();
                assert!(slot.number <= number && number - slot.number < 93);
            }
            let slot = Every::Days(9).newest(today, None).unwrap();
            assert!(slot.number >= before && [0, 9].contains(&(slot.number - before.max(slot.number - 9))));
            before = slot.number;
        }
    }
}
