//! A walk over days and people: a few days of everybody, some people at a time, then the next days. A page holds at most one
//! record for each person and day.

use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Page, clock};
use serde::{Deserialize, Serialize};

use crate::api::{ATTENDANCE_DAYS_MAX, ATTENDANCE_PEOPLE_MAX};

const DAY_MS: i64 = 86_400_000;
/// No day lies further from 1970.
const DAYS_MAX: i64 = 2_000_000;
/// China's midnight lies so far before that of UTC.
const CHINA_MS: i64 = 8 * 3_600_000;

/// Today in China, as the number of days since 1970.
pub(super) fn today() -> i64 {
    (clock::now_ms() + CHINA_MS).div_euclid(DAY_MS)
}

/// When a day begins in China, in milliseconds.
pub(super) fn begins_ms(day: i64) -> i64 {
    day * DAY_MS - CHINA_MS
}

/// A day as `2021-01-14`.
pub(super) fn written(day: i64) -> Result<String, Failure> {
    let date = LocalDate::from_epoch_ms_at_offset(begins_ms(day), 480);
    Ok(date.map_err(|e| Failure::invalid_input(format!("the cursor: {e}")))?.to_string())
}

/// The number of a day that is written as `2021-01-14`.
pub(super) fn number(text: &str) -> Option<i64> {
    let midnight = format!("{}T00:00:00Z", LocalDate::parse(text).ok()?);
    let instant = renmen_plugin::schema::types::Instant::parse(&midnight).ok()?;
    Some(instant.epoch_ms().div_euclid(DAY_MS))
}

/// Where a run is. The last day is fixed for a run, so that its pages belong together.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    /// The first day of those that are asked for.
    day: i64,
    /// How many days are asked for at once.
    width: i64,
    /// The last day of the run.
    last: i64,
    /// Where the list of people goes on.
    people: i64,
}

impl Walk {
    /// Goes on at the cursor, or begins at the first day.
    pub(super) fn resume(cursor: Option<&str>, first: i64, last: i64, max_records: u32) -> Result<Self, Failure> {
        let foreign = || Failure::invalid_input("the cursor is not of this stream");
        let Some(text) = cursor else {
            let width = i64::from(max_records).min(last - first + 1).clamp(1, ATTENDANCE_DAYS_MAX);
            return Ok(Self { day: first, width, last, people: 0 });
        };
        let walk: Self = serde_json::from_str(text).map_err(|_| foreign())?;
        let days = walk.day <= walk.last && (0..DAYS_MAX).contains(&walk.day) && walk.last < DAYS_MAX;
        let sound = days && (1..=ATTENDANCE_DAYS_MAX).contains(&walk.width) && walk.people >= 0;
        if sound { Ok(walk) } else { Err(foreign()) }
    }

    /// The first and the last day of those that are asked for.
    pub(super) fn span(&self) -> [i64; 2] {
        [self.day, (self.day + self.width - 1).min(self.last)]
    }

    /// Where the list of people goes on, and how many of them fit into a page.
    pub(super) fn people(&self, max_records: u32) -> (i64, u32) {
        let most = i64::from(max_records) / self.width;
        (self.people, most.clamp(1, i64::from(ATTENDANCE_PEOPLE_MAX)) as u32)
    }

    /// The page with its cursor; the last one when the last days of the last people are read.
    pub(super) fn finish(mut self, page: Page, next: Option<i64>) -> Result<Page, Failure> {
        match next {
            Some(next) => self.people = next,
            None => (self.day, self.people) = (self.day + self.width, 0),
        }
        if self.day > self.last {
            return Ok(page);
        }
        Ok(page.more(serde_json::to_string(&self)?))
    }
}

/// A record's id, `user:2021-01-14`, taken apart.
pub(super) fn of_id(id: &str) -> Result<(&str, i64), Failure> {
    let parts = id.rsplit_once(':').and_then(|(user, day)| Some((user, number(day)?)));
    parts.ok_or_else(|| Failure::invalid_input("an id that is not a person and a day, as user:2021-01-14"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_run_reads_every_day_once_and_ends() {
        let mut cursor: Option<String> = None;
        let mut spans = Vec::new();
        loop {
            let walk = Walk::resume(cursor.as_deref(), 100, 109, 200).unwrap();
            spans.push((walk.span(), walk.people(200)));
            let next = (walk.people == 0).then_some(28);
            let page = walk.finish(Page::new(), next).unwrap();
            cursor = page.next;
            if !page.has_more {
                break;
            }
        }
        let of = |from, to, people| ([from, to], (people, 28));
        assert_eq!(spans, [of(100, 106, 0), of(100, 106, 28), of(107, 109, 0), of(107, 109, 28)]);
    }

    #[test]
    fn a_small_page_asks_for_few_days_and_one_person() {
        let walk = Walk::resume(None, 100, 109, 3).unwrap();
        assert_eq!((walk.span(), walk.people(3)), ([100, 102], (0, 1)));
    }

    #[test]
    fn a_cursor_that_would_go_nowhere_is_refused() {
        for cursor in ["7", r#"{"day":1,"width":0,"last":2,"people":0}"#, r#"{"day":3,"width":1,"last":2,"people":0}"#]
        {
            assert!(Walk::resume(Some(cursor), 1, 2, 100).is_err(), "{cursor}");
        }
    }

    #[test]
    fn a_day_is_a_number_and_back() {
        let day = number("2026-03-02").unwrap();
        assert_eq!(written(day).unwrap(), "2026-03-02");
        assert_eq!(of_id("a:b:2026-03-02").unwrap(), ("a:b", day));
        assert!(of_id("u1:2026-02-30").is_err() && of_id("u1").is_err());
    }
}
