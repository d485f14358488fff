//! How many proved deliveries of one connection are taken in in a second: a vendor gone mad must not take the others' time.

use std::time::Instant;

use parking_lot::Mutex;

/// A bucket that fills by the second and holds one second's worth.
pub(crate) struct DeliveryRate {
    per_second: f64,
    state: Mutex<(f64, Instant)>,
}

impl DeliveryRate {
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, state: Mutex::new((per_second, Instant::now())) }
    }

    /// Takes a place at this moment; false when there is none.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        let (left, at) = &mut *state;
        *left = (*left + now.saturating_duration_since(*at).as_secs_f64() * self.per_second).min(self.per_second);
        *at = now.max(*at);
        let admitted = *left >= 1.0;
        if admitted {
            *left -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_seconds_worth_passes_at_once_and_the_next_one_waits_its_share() {
        let rate = DeliveryRate::new(10);
        let now = Instant::now();
        assert_eq!((0..20).filter(|_| rate.admits(now)).count(), 10);
        assert!(!rate.admits(now + Duration::from_millis(90)));
        assert!(rate.admits(now + Duration::from_millis(201)));
        let later = now + Duration::from_secs(60);
        assert_eq!((0..20).filter(|_| rate.admits(later)).count(), 10, "it holds no more than a second's worth");
    }
}
