//! Waits that double with each failure in a row, and the spread that keeps those who failed together from coming back together.

use std::time::Duration;

/// Doublings beyond which a wait is at its longest in any case.
const DOUBLINGS_MAX: u32 = 30;

/// A wait that doubles with each failure in a row, up to a longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The whole wait after so many failures in a row, counted from 1.
    #[must_use]
    pub fn wait(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// Between half of a wait and the whole of it. `dice` is 0 to 1.
#[must_use]
pub fn upper_half(wait: Duration, dice: f64) -> Duration {
    wait / 2 + up_to_whole(wait / 2, dice)
}

/// Between nothing and the whole of a wait. `dice` is 0 to 1.
#[must_use]
pub fn up_to_whole(wait: Duration, dice: f64) -> Duration {
    wait.mul_f64(dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_wait_doubles_with_each_failure_up_to_its_longest() {
        let backoff = Backoff { first: SECOND, longest: Duration::from_secs(60) };
        let waits = [0, 1, 2, 3, 6, 7, 31, u32::MAX].map(|failures| backoff.wait(failures).as_secs());
        assert_eq!(waits, [1, 1, 2, 4, 32, 60, 60, 60]);
        let endless = Backoff { first: Duration::MAX, longest: Duration::MAX };
        assert_eq!(endless.wait(u32::MAX), Duration::MAX);
    }

    #[test]
    fn a_spread_wait_lies_within_its_bounds_whatever_the_dice() {
        for (dice, half, whole) in
            [(-1.0, 500, 0), (0.0, 500, 0), (0.5, 750, 500), (1.0, 1_000, 1_000), (7.0, 1_000, 1_000)]
        {
            assert_eq!(upper_half(SECOND, dice).as_millis(), half, "{dice}");
            assert_eq!(up_to_whole(SECOND, dice).as_millis(), whole, "{dice}");
        }
    }
}
