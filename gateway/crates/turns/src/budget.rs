//! How much time on the cores one connection may use over minutes: a bucket that fills at the connection's share. Pure: the
//! clock is passed in.
//!
//! A full bucket holds what the share gives over the whole window, and it may be used at once. So a connector that works hard
//! for a while never meets it, and one that never stops is slowed to its share, not stopped.

use std::time::Duration;

/// Below this part of the bucket, a connection that was held back still counts as held back.
const RECOVERED: f64 = 0.1;

/// Nanoseconds of core time, filling by the clock.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Cores that fill it: its share of the threads. Infinite where nothing is to be held back.
    cores: f64,
    /// What it holds when full.
    full: f64,
    left: f64,
    /// When `left` was true. Nanoseconds of the caller's clock.
    at: u64,
}

impl Budget {
    /// A full one.
    pub(crate) fn new(cores: f64, window: Duration, now: u64) -> Self {
        let full = full(cores, window);
        Self { cores, full, left: full, at: now }
    }

    /// Other bounds; what was used stays used.
    pub(crate) fn change(&mut self, cores: f64, window: Duration, now: u64) {
        self.fill(now);
        let full = full(cores, window);
        let used = if self.full.is_finite() { (self.full - self.left).min(full) } else { 0.0 };
        (self.cores, self.full, self.left) = (cores, full, full - used);
    }

    /// Takes out what was used; answers until when nothing more may be used. More may have been used than there was.
    pub(crate) fn spend(&mut self, used: Duration, now: u64) -> Option<u64> {
        self.fill(now);
        if self.full.is_infinite() {
            return None;
        }
        self.left -= nanos(used);
        if self.left >= 0.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of nanoseconds")]
        let wait = (-self.left / self.cores).ceil() as u64;
        Some(now.saturating_add(wait))
    }

    /// Is there enough in it again to speak of?
    pub(crate) fn recovered(&mut self, now: u64) -> bool {
        self.fill(now);
        self.full.is_infinite() || self.left >= self.full * RECOVERED
    }

    fn fill(&mut self, now: u64) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        if self.full.is_finite() {
            #[allow(clippy::cast_precision_loss, reason = "a part of a microsecond in a year")]
            let gained = passed as f64 * self.cores;
            self.left = (self.left + gained).min(self.full);
        }
    }
}

/// What so many cores give in a window.
fn full(cores: f64, window: Duration) -> f64 {
    if cores.is_finite() { nanos(window) * cores } else { f64::INFINITY }
}

#[allow(clippy::cast_precision_loss, reason = "a part of a microsecond in a year")]
fn nanos(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Burns without end on one core: each slice begins when the one before is over and it may.
    fn burned(budget: &mut Budget, for_secs: u64) -> f64 {
        let slice = Duration::from_millis(10);
        let (mut now, mut used) = (0, 0.0);
        while now < for_secs * SECOND {
            now += u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
            used += slice.as_secs_f64();
            now = budget.spend(slice, now).unwrap_or(now);
        }
        used
    }

    #[test]
    fn one_that_burns_without_end_gets_its_window_at_once_and_then_its_share() {
        let mut budget = Budget::new(0.25, Duration::from_secs(60), 0);
        // 15 s are in the bucket; it is empty after 20 s, and from then on a quarter of the time is left.
        let used = burned(&mut budget, 20);
        assert!((19.0..=20.1).contains(&used), "{used}");
        let more = burned(&mut Budget { at: 0, ..budget }, 100);
        assert!((24.0..=26.0).contains(&more), "{more}");
    }

    #[test]
    fn one_that_uses_less_than_its_share_is_never_held_back() {
        let mut budget = Budget::new(0.25, Duration::from_secs(60), 0);
        for second in 1..10_000 {
            assert_eq!(budget.spend(Duration::from_millis(249), second * SECOND), None);
        }
    }

    #[test]
    fn a_share_without_end_holds_nothing_back() {
        let mut budget = Budget::new(f64::INFINITY, Duration::from_secs(60), 0);
        assert_eq!(budget.spend(Duration::from_secs(1_000_000), 1), None);
        assert!(budget.recovered(1));
    }

    #[test]
    fn a_rest_fills_it_again_but_never_beyond_full() {
        let mut budget = Budget::new(0.5, Duration::from_secs(10), 0);
        assert_eq!(budget.spend(Duration::from_secs(6), 0), Some(2 * SECOND), "5 s were there, 1 s is owed");
        assert!(!budget.recovered(2 * SECOND));
        assert!(budget.recovered(3 * SECOND), "a tenth is there");
        assert_eq!(budget.spend(Duration::from_secs(5), 1_000 * SECOND), None);
        assert!(budget.spend(Duration::from_millis(1), 1_000 * SECOND).is_some());
    }

    #[test]
    fn other_bounds_do_not_make_up_for_what_was_used() {
        let mut budget = Budget::new(0.5, Duration::from_secs(10), 0);
        assert_eq!(budget.spend(Duration::from_secs(5), 0), None);
        budget.change(0.5, Duration::from_secs(10), 0);
        assert!(budget.spend(Duration::from_millis(1), 0).is_some());
        budget.change(0.5, Duration::from_secs(20), 0);
        assert_eq!(budget.spend(Duration::from_secs(4), 0), None, "raised: there is more now");
        budget.change(f64::INFINITY, Duration::from_secs(20), 0);
        budget.change(0.5, Duration::from_secs(20), 0);
        assert_eq!(budget.spend(Duration::from_secs(10), 0), None);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let mut budget = Budget::new(0.5, Duration::from_secs(2), 5 * SECOND);
        assert_eq!(budget.spend(Duration::from_secs(1), 5 * SECOND), None);
        assert!(budget.spend(Duration::from_millis(1), SECOND).is_some());
    }
}
