//! Waiting for a time of the wall clock, which may be set in the meantime. Pure: it is handed both clocks.

use crate::Schedule;

/// A wall clock that goes so far from the steady one was set, or its machine slept. Milliseconds.
const STEP_MS: i64 = 60_000;

/// One wait.
pub(crate) struct Wait {
    due_ms: i64,
    /// Wall clock minus steady clock at the beginning.
    apart_ms: i64,
}

/// How a wait stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is over.
    Due,
    /// The wall clock was set by so many milliseconds.
    Stepped(i64),
    /// So many milliseconds are left.
    Left(u64),
}

impl Wait {
    /// Until `due_ms` of the wall clock.
    pub(crate) fn until(due_ms: i64, wall_ms: i64, steady_ms: i64) -> Self {
        Self { due_ms, apart_ms: wall_ms.saturating_sub(steady_ms) }
    }

    pub(crate) fn look(&self, wall_ms: i64, steady_ms: i64) -> Look {
        let stepped = wall_ms.saturating_sub(steady_ms).saturating_sub(self.apart_ms);
        if stepped.abs() >= STEP_MS {
            return Look::Stepped(stepped);
        }
        match self.due_ms.saturating_sub(wall_ms) {
            left if left <= 0 => Look::Due,
            left => Look::Left(left.unsigned_abs()),
        }
    }
}

/// When what was due at `due_ms` is due now that the clock was set by `by_ms`. A wait goes on for as long as it would have; a time
/// of day is looked up again. So a clock that is set back stops nothing, and one that is set ahead starts no more than one run.
pub(crate) fn after_step_ms(
    schedule: &Schedule,
    after_failure: bool,
    last_started_ms: Option<i64>,
    (due_ms, by_ms): (i64, i64),
    now_ms: i64,
) -> Option<i64> {
    match schedule {
        Schedule::Cron(_) if !after_failure => schedule.due_ms(last_started_ms, now_ms),
        _ => Some(due_ms.saturating_add(by_ms)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};

    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const BEGIN: i64 = 1_800_000_000_000;

    /// How the clock is set, and after how many looks.
    fn steps() -> impl Strategy<Value = Vec<(usize, i64)>> {
        let by = prop_oneof![
            proptest::sample::select(vec![-DAY, -HOUR, HOUR, DAY, 30 * DAY]),
            -2 * MINUTE..2 * MINUTE,
            any::<i32>().prop_map(i64::from),
        ];
        proptest::collection::vec((1_usize..400, by), 0..6)
    }

    /// The loop of a stream without its runs, whose naps are half a minute. Gives the steady time of each run.
    fn runs(schedule: &Schedule, steps: &[(usize, i64)], until_ms: i64) -> Vec<i64> {
        let (mut steady, mut wall, mut looks) = (0, BEGIN, 0);
        let mut steps = steps.iter().scan(0, |at, (after, by)| {
            *at += after;
            Some((*at, *by))
        });
        let mut step = steps.next();
        let (mut started, mut ran) = (None, Vec::new());
        let mut due = schedule.due_ms(started, wall);
        while let (Some(at_ms), true) = (due, steady < until_ms) {
            let wait = Wait::until(at_ms, wall, steady);
            due = loop {
                match wait.look(wall, steady) {
                    Look::Due => {
                        ran.push(steady);
                        started = Some(wall);
                        break schedule.due_ms(started, wall);
                    }
                    Look::Stepped(by) => break after_step_ms(schedule, false, started, (at_ms, by), wall),
                    Look::Left(left) => {
                        let nap = i64::try_from(left).unwrap().min(30_000);
                        (steady, wall, looks) = (steady + nap, wall + nap, looks + 1);
                    }
                }
                if let Some((at, by)) = step.filter(|(at, _)| *at <= looks) {
                    let _ = at;
                    wall += by;
                    step = steps.next();
                }
                if steady >= until_ms {
                    break None;
                }
            };
        }
        ran
    }

    proptest! {
        #[test]
        fn an_interval_stays_what_it_is_whatever_is_done_to_the_clock(steps in steps()) {
            let hourly = Schedule::every(Duration::from_secs(3_600)).unwrap();
            let ran = runs(&hourly, &steps, 20 * HOUR);
            prop_assert!(ran.len() >= 19, "{ran:?}");
            for pair in ran.windows(2) {
                let gap = pair[1] - pair[0];
                prop_assert!((HOUR - 2 * MINUTE..=HOUR + 2 * MINUTE).contains(&gap), "{gap} ms in {ran:?}");
            }
        }

        #[test]
        fn a_time_of_day_comes_once_a_day_and_once_more_for_a_step_at_most(steps in steps()) {
            let nightly = Schedule::cron("0 3 * * *", "Asia/Shanghai").unwrap();
            let ran = runs(&nightly, &steps, 5 * DAY);
            prop_assert!(ran.len() <= 6 + steps.len(), "no storm: {ran:?}");
            let last = ran.last().copied().unwrap_or(0);
            prop_assert!(last >= 4 * DAY - MINUTE || !steps.is_empty(), "it does not stop: {ran:?}");
            for pair in ran.windows(2) {
                let gap = pair[1] - pair[0];
                prop_assert!(gap <= (2 + i64::try_from(steps.len()).unwrap()) * DAY, "{gap} ms in {ran:?}");
            }
        }
    }

    #[test]
    fn a_small_step_is_time_and_a_minute_is_a_step() {
        let wait = Wait::until(10 * MINUTE, 0, 0);
        assert_eq!(wait.look(MINUTE + 59_999, MINUTE), Look::Left(8 * MINUTE.unsigned_abs() + 1));
        assert_eq!(wait.look(2 * MINUTE, MINUTE), Look::Stepped(MINUTE));
        assert_eq!(wait.look(-HOUR, MINUTE), Look::Stepped(-HOUR - MINUTE));
        assert_eq!(wait.look(10 * MINUTE, 10 * MINUTE), Look::Due);
    }

    #[test]
    fn a_wait_after_a_failure_is_as_long_as_it_was_whatever_the_schedule() {
        let nightly = Schedule::cron("0 3 * * *", "Asia/Shanghai").unwrap();
        assert_eq!(after_step_ms(&nightly, true, None, (5 * MINUTE, DAY), DAY), Some(DAY + 5 * MINUTE));
        assert_eq!(after_step_ms(&nightly, true, None, (5 * MINUTE, -DAY), -DAY), Some(5 * MINUTE - DAY));
    }
}
