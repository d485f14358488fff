//! How hard a destination may be worked: less when it is in trouble, more again step by step, so that one that comes back is not
//! run over by what has gathered.

use std::time::Duration;

use renmen_clock::{Backoff, upper_half};
use renmen_schema::FailureKind;

use crate::destination::Failure;
use crate::options::millis;

/// Troubles in a row after which everything waits for one attempt.
const TROUBLES_MAX: u32 = 3;
/// The waits of a destination that is away.
const AWAY: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5 * 60) };
/// Of what waits for a person.
const ATTENTION: Duration = Duration::from_secs(5 * 60);
/// The longest wait that a destination may ask for: a mistaken header must not silence it for ever.
const ASKED_MAX_MS: i64 = 86_400_000;
/// Work that is taken ahead should be done within this time.
const AHEAD_MS: f64 = 2_000.0;
/// Deliveries that are taken ahead at most.
const AHEAD_MAX: u32 = 256;

/// The state of one destination as its courier sees it.
#[derive(Debug, Clone)]
pub(crate) struct Brake {
    most: u32,
    allowed: u32,
    troubles: u32,
    hold_until_ms: i64,
    took_ms: f64,
}

impl Brake {
    pub(crate) fn new(most: u32) -> Self {
        Self { most: most.max(1), allowed: most.max(1), troubles: 0, hold_until_ms: i64::MIN, took_ms: 1_000.0 }
    }

    /// Attempts side by side, now.
    pub(crate) fn allowed(&self, now_ms: i64) -> u32 {
        if now_ms < self.hold_until_ms { 0 } else { self.allowed }
    }

    /// How many to claim when there is room for so many.
    pub(crate) fn ahead(&self, room: u32) -> u32 {
        if self.troubles > 0 || self.allowed < self.most {
            return room;
        }
        let soon = f64::from(self.allowed) * AHEAD_MS / self.took_ms.max(0.1);
        (soon as u32).clamp(room, AHEAD_MAX.max(room))
    }

    /// Until when nothing may be attempted; none: now.
    pub(crate) fn held(&self, now_ms: i64) -> Option<Duration> {
        u64::try_from(self.hold_until_ms.saturating_sub(now_ms)).ok().filter(|ms| *ms > 0).map(Duration::from_millis)
    }

    /// It answered. Each answer allows one more attempt at the same time, so their number doubles each round.
    pub(crate) fn answered(&mut self, took_ms: i64) {
        self.troubles = 0;
        self.hold_until_ms = i64::MIN;
        self.allowed = (self.allowed + 1).min(self.most);
        self.took_ms += (took_ms.max(0) as f64 - self.took_ms) * 0.2;
    }

    /// It did not answer, or wants to be left alone. `dice` in 0..1.
    pub(crate) fn failed(&mut self, failure: &Failure, now_ms: i64, dice: f64) {
        let asked = failure.retry_after_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).min(ASKED_MAX_MS));
        let wait = match failure.kind {
            FailureKind::RateLimited => {
                self.allowed = (self.allowed / 2).max(1);
                Some(asked.unwrap_or(millis(AWAY.first)))
            }
            FailureKind::UpstreamUnavailable => {
                self.troubles = self.troubles.saturating_add(1);
                let over = self.troubles.checked_sub(TROUBLES_MAX);
                over.map(|over| drawn(AWAY.wait(over.saturating_add(1)), dice)).max(asked)
            }
            FailureKind::AuthRequired | FailureKind::NotGranted | FailureKind::BadConfig => {
                self.troubles = self.troubles.saturating_add(1);
                Some(drawn(ATTENTION, dice))
            }
            // It answered, to this delivery alone.
            _ => None,
        };
        if let Some(wait) = wait {
            if failure.kind != FailureKind::RateLimited {
                self.allowed = 1;
            }
            self.hold_until_ms = self.hold_until_ms.max(now_ms.saturating_add(wait));
        }
    }
}

/// Spread over its upper half.
fn drawn(wait: Duration, dice: f64) -> i64 {
    millis(upper_half(wait, dice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Failure {
        Failure::new(FailureKind::UpstreamUnavailable, "no answer")
    }

    #[test]
    fn a_destination_that_is_away_is_asked_less_and_less_and_by_one_at_a_time() {
        let mut brake = Brake::new(8);
        brake.failed(&away(), 0, 1.0);
        brake.failed(&away(), 0, 1.0);
        assert_eq!(brake.allowed(0), 8, "two troubles are a coincidence");
        let mut waits = Vec::new();
        for _ in 0..12 {
            brake.failed(&away(), 0, 1.0);
            waits.push(brake.held(0).map_or(0, |wait| wait.as_millis()));
        }
        assert_eq!(&waits[..3], &[1_000, 2_000, 4_000]);
        assert_eq!(waits[11], 300_000);
        assert_eq!((brake.allowed(299_999), brake.allowed(300_000)), (0, 1));
        assert_eq!(brake.ahead(1), 1, "nothing is taken ahead of trouble");
    }

    #[test]
    fn one_that_comes_back_is_worked_harder_step_by_step() {
        let mut brake = Brake::new(4);
        (0..3).for_each(|_| brake.failed(&away(), 0, 0.0));
        let mut seen = Vec::new();
        for _ in 0..5 {
            brake.answered(10);
            seen.push(brake.allowed(0));
        }
        assert_eq!(seen, [2, 3, 4, 4, 4]);
        (0..50).for_each(|_| brake.answered(10));
        assert_eq!(brake.ahead(2), AHEAD_MAX);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_but_not_for_ever() {
        let mut brake = Brake::new(4);
        let limited = |ms| Failure { retry_after_ms: ms, ..Failure::new(FailureKind::RateLimited, "slow down") };
        brake.failed(&limited(Some(30_000)), 0, 0.0);
        assert_eq!((brake.allowed(29_999), brake.allowed(30_000)), (0, 2));
        brake.failed(&limited(Some(u64::MAX)), 0, 0.0);
        assert_eq!(brake.allowed(ASKED_MAX_MS), 1);
        let mut refused = Brake::new(4);
        refused.failed(&Failure::new(FailureKind::InvalidInput, "no"), 0, 0.0);
        assert_eq!(refused.allowed(0), 4, "one bad delivery says nothing of the others");
    }
}
