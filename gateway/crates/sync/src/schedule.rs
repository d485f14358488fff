//! When a stream is due. Pure: the clock is passed in, so that a night, a missed night and a change to summer time are
//! tests and not surprises.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use renmen_schema::text;

use crate::SyncError;
use crate::options::millis;

/// When a stream runs by itself.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// So long after the begin of the last run. A run that takes longer is followed at once.
    Every(Duration),
    /// At the times of a cron expression in a zone.
    Cron(Box<CronSchedule>),
    /// By hand only.
    Manual,
}

/// A cron expression with its zone, both checked.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    text: String,
    cron: Cron,
    zone: TimeZone,
    zone_name: String,
}

/// No interval may be shorter: a stream must not run in a busy loop.
const INTERVAL_MIN: Duration = Duration::from_secs(1);

impl Schedule {
    /// An interval.
    ///
    /// # Errors
    /// [`SyncError::BadOption`] below one second.
    pub fn every(interval: Duration) -> Result<Self, SyncError> {
        if interval < INTERVAL_MIN {
            return Err(SyncError::BadOption(text!(
                "the interval {interval:?} is too short: use at least 1s",
                "间隔 {interval:?} 过短：至少 1s"
            )));
        }
        Ok(Self::Every(interval))
    }

    /// A cron expression (`minute hour day month weekday`, seconds may come first) in an IANA zone (`Asia/Shanghai`).
    ///
    /// # Errors
    /// [`SyncError::BadOption`] that says which of the two cannot be read and why.
    pub fn cron(expression: &str, zone: &str) -> Result<Self, SyncError> {
        let cron = Cron::from_str(expression).map_err(|e| {
            SyncError::BadOption(text!(
                "the cron expression `{expression}` cannot be read: {e}; use for example `0 3 * * *`",
                "无法读取 cron 表达式 `{expression}`：{e}；例如 `0 3 * * *`"
            ))
        })?;
        let tz = TimeZone::get(zone).map_err(|_| {
            SyncError::BadOption(text!(
                "the time zone `{zone}` is unknown: use an IANA name, for example `Asia/Shanghai`",
                "未知的时区 `{zone}`：请使用 IANA 时区名，例如 `Asia/Shanghai`"
            ))
        })?;
        let schedule = CronSchedule { text: expression.to_owned(), cron, zone: tz, zone_name: zone.to_owned() };
        if schedule.after(0).is_none() {
            return Err(SyncError::BadOption(text!(
                "the cron expression `{expression}` never comes true",
                "cron 表达式 `{expression}` 永远不会到达"
            )));
        }
        Ok(Self::Cron(Box::new(schedule)))
    }

    /// When the next run is due, in milliseconds since the epoch: at or before `now_ms` means now. `last_started_ms` is
    /// the begin of the last run. A time that was missed (the gateway was down) is made up for once. None: never.
    #[must_use]
    pub fn due_ms(&self, last_started_ms: Option<i64>, now_ms: i64) -> Option<i64> {
        match self {
            Self::Every(interval) => Some(match last_started_ms {
                // A begin in the future is a clock that was set back: do not wait for it to come round again.
                Some(started) if started <= now_ms => started.saturating_add(millis(*interval)),
                Some(_) => now_ms.saturating_add(millis(*interval)),
                None => now_ms,
            }),
            Self::Cron(cron) => cron.after(last_started_ms.map_or(now_ms, |started| started.min(now_ms))),
            Self::Manual => None,
        }
    }
}

impl CronSchedule {
    fn after(&self, from_ms: i64) -> Option<i64> {
        let from = Timestamp::from_millisecond(from_ms).ok()?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(next.timestamp().as_millisecond())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => write!(f, "every {interval:?}"),
            Self::Cron(cron) => write!(f, "cron {} {}", cron.text, cron.zone_name),
            Self::Manual => f.write_str("manual"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn an_interval_counts_from_the_begin_of_the_last_run() {
        let every = Schedule::every(Duration::from_secs(60)).unwrap();
        assert_eq!(every.due_ms(Some(1_000), 5_000), Some(61_000));
        assert_eq!(every.due_ms(None, 5_000), Some(5_000), "a stream that never ran is due at once");
        assert_eq!(every.due_ms(Some(9_000_000), 5_000), Some(65_000), "a clock set back does not stop the stream");
    }

    #[test]
    fn a_time_missed_while_down_is_made_up_for_once() {
        let nightly = Schedule::cron("0 3 * * *", "Asia/Shanghai").unwrap();
        let now = ms("2026-03-10T01:00:00Z");
        let due = nightly.due_ms(Some(ms("2026-03-07T19:00:01Z")), now).unwrap();
        assert_eq!(due, ms("2026-03-08T19:00:00Z"), "03:00 in Shanghai");
        assert!(due <= now, "so it runs now");
        assert_eq!(
            nightly.due_ms(Some(now), now),
            Some(ms("2026-03-10T19:00:00Z")),
            "and then waits for the next night"
        );
        assert_eq!(nightly.due_ms(None, now), Some(ms("2026-03-10T19:00:00Z")), "a first run waits for its time");
    }

    #[test]
    fn an_hour_that_summer_time_skips_still_gives_a_run() {
        let nightly = Schedule::cron("30 2 * * *", "Europe/Berlin").unwrap();
        let due = nightly.due_ms(Some(ms("2026-03-28T12:00:00Z")), ms("2026-03-28T12:00:00Z")).unwrap();
        assert!(due > ms("2026-03-28T12:00:00Z") && due < ms("2026-03-30T02:00:00Z"), "{due}");
    }

    #[test]
    fn what_cannot_work_says_what_to_write() {
        for (bad, hint) in [
            (Schedule::cron("sometimes", "UTC"), "0 3 * * *"),
            (Schedule::cron("0 3 * * *", "Mars/Olympus"), "Asia/Shanghai"),
            (Schedule::every(Duration::from_millis(10)), "1s"),
        ] {
            let text = bad.unwrap_err().to_string();
            assert!(text.contains(hint), "{text}");
        }
        assert!(Schedule::cron("0 0 30 2 *", "UTC").is_err(), "30 February never comes");
    }

    #[test]
    fn by_hand_is_never_due() {
        assert_eq!(Schedule::Manual.due_ms(None, 0), None);
    }
}
