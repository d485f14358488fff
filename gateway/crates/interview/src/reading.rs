//! How far a follower has read the feed, and how often it looks: what does not concern it costs neither a commit nor a look for each
//! change.
//!
//! Owns the place between two commits of it. Must not know what a change means: the follower says what concerned it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long the place may stay behind what was read, while nothing in between concerns the follower.
const KEPT_EVERY: Duration = Duration::from_secs(2);
/// The same in positions.
const FAR: i64 = 1_000;

/// How far one feed was read. What was read and is not kept is read again by the gateway that goes on from the place in the store.
#[derive(Default)]
pub(crate) struct Reading(Mutex<State>);

#[derive(Default, Clone, Copy)]
struct State {
    /// The place that the store keeps; none: it is to be asked.
    kept: Option<i64>,
    read: i64,
    /// When it was kept, by the steady clock.
    kept_at: Option<Duration>,
}

impl Reading {
    /// The place in the store and the one up to which was read; none when the store must be asked.
    pub(crate) fn stands(&self) -> Option<(i64, i64)> {
        let state = self.0.lock();
        state.kept.map(|kept| (kept, state.read))
    }

    /// The store keeps this place.
    pub(crate) fn found(&self, place: i64) {
        let mut state = self.0.lock();
        (state.kept, state.read) = (Some(place), place);
    }

    /// The place was moved to here.
    pub(crate) fn kept(&self, place: i64, now: Duration) {
        *self.0.lock() = State { kept: Some(place), read: place, kept_at: Some(now) };
    }

    /// Read up to here, and nothing of it concerns the follower. True when the place should be kept all the same.
    pub(crate) fn passed(&self, to: i64, now: Duration) -> bool {
        let mut state = self.0.lock();
        state.read = to;
        let far = state.kept.is_some_and(|kept| to - kept > FAR);
        far || state.kept_at.is_none_or(|at| now.saturating_sub(at) >= KEPT_EVERY)
    }

    /// Another may have moved the place.
    pub(crate) fn forget(&self) {
        self.0.lock().kept = None;
    }
}

/// Between two looks at a feed that moves without anything for the one who looks.
const GAPS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// When to look next: at once after a pause or while there is work, less and less often while others' changes come.
pub(crate) struct Pace {
    gap: Duration,
    next: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self { gap: Duration::ZERO, next: Instant::now() }
    }
}

impl Pace {
    /// Waits until it is time. May be dropped and called again.
    pub(crate) async fn wait(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    /// A look was done; did it find anything to do?
    pub(crate) fn looked(&mut self, found: bool) {
        let now = Instant::now();
        let rested = now >= self.next + self.gap.max(GAPS.0);
        self.gap = match (found, rested) {
            (true, _) => Duration::ZERO,
            (false, true) => GAPS.0,
            (false, false) => (self.gap * 2).clamp(GAPS.0, GAPS.1),
        };
        self.next = now + self.gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_for_others_changes_at_once_and_then_seldom() {
        let reading = Reading::default();
        assert_eq!(reading.stands(), None);
        reading.found(10);
        assert!(reading.passed(11, Duration::ZERO), "a feed that seldom moves is kept with each change");
        reading.kept(11, Duration::ZERO);
        assert!(!reading.passed(12, KEPT_EVERY.saturating_sub(Duration::from_millis(1))));
        assert_eq!(reading.stands(), Some((11, 12)));
        assert!(reading.passed(13, KEPT_EVERY));
        assert!(!reading.passed(11 + FAR, Duration::ZERO) && reading.passed(12 + FAR, Duration::ZERO));
        reading.forget();
        assert_eq!(reading.stands(), None, "the store is asked");
    }

    #[tokio::test(start_paused = true)]
    async fn looks_become_rare_while_nothing_is_found_and_a_pause_or_a_find_ends_that() {
        let began = Instant::now();
        let mut pace = Pace::default();
        let mut looks = 0;
        while began.elapsed() < Duration::from_secs(10) {
            pace.wait().await;
            pace.looked(false);
            looks += 1;
        }
        assert!((40..50).contains(&looks), "{looks} looks in ten seconds");
        pace.looked(true);
        let found = Instant::now();
        pace.wait().await;
        assert_eq!(found.elapsed(), Duration::ZERO);
        (0..10).for_each(|_| pace.looked(false));
        tokio::time::sleep(GAPS.1 * 3).await;
        pace.looked(false);
        let rested = Instant::now();
        pace.wait().await;
        assert_eq!(rested.elapsed(), GAPS.0);
    }
}
