//! The time of day and the time that passes: a clock that tests can move.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks in one: the time of day, which may be set, and the time that has passed, which cannot be set.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00Z.
    fn now_ms(&self) -> i64;

    /// Time that has passed since some moment: it never steps, even if the time of day is set.
    fn elapsed(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }
}

/// The machine's time of day, in milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
    elapsed_ms: AtomicU64,
}

impl ManualClock {
    /// Stands at this time.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms: AtomicI64::new(now_ms), ..Self::default() }
    }

    /// Moves the time of the day on by this many milliseconds, or back.
    pub fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Lets so much time pass by the steady clock.
    pub fn pass(&self, time: Duration) {
        self.elapsed_ms.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_moved_and_each_time_alone() {
        let clock = ManualClock::at(1_000);
        clock.pass(Duration::from_secs(2));
        assert_eq!((clock.now_ms(), clock.elapsed()), (1_000, Duration::from_secs(2)));
        assert!(SystemClock.now_ms() > 1_700_000_000_000 && SystemClock.elapsed() <= SystemClock.elapsed());
    }
}
