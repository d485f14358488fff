//! A run's place among the runs that are under way: taken for a page, kept from page to page, and given back when it was held
//! for long and others wait.
//!
//! A vendor that answers slowly costs a place too. So the place is given back in the middle of a page as well: the page is
//! waited for, and the next one has to stand in line.

use std::time::Duration;

use renmen_turns::{Bounds, Place, Places, Who};
use tokio::time::Instant;

/// How often a run that has held its place for too long checks whether another one waits for it.
const LOOK: Duration = Duration::from_millis(250);

/// See the module.
pub(crate) struct RunPlace {
    places: Places,
    who: Who,
    bounds: Bounds,
    longest: Duration,
    held: Option<(Place, Instant)>,
}

impl RunPlace {
    /// None yet.
    pub(crate) fn new(places: Places, who: Who, runs_max: usize, longest: Duration) -> Self {
        let bounds = Bounds { connection: runs_max, shared: false };
        Self { places, who, bounds, longest, held: None }
    }

    /// Has a place, or stands in line for one; behind the others, if it had its turn.
    pub(crate) async fn take(&mut self) {
        self.give_back_if_due();
        if self.held.is_none() {
            let place = self.places.take(&self.who, self.bounds).await;
            self.held = Some((place, Instant::now()));
        }
    }

    /// Does the work, and lets others have the place if it takes too long.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let due = match &self.held {
                Some((_, since)) => (*since + self.longest).max(Instant::now() + LOOK),
                None => return work.await,
            };
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep_until(due) => self.give_back_if_due(),
            }
        }
    }

    fn give_back_if_due(&mut self) {
        if self.held.as_ref().is_some_and(|(place, since)| since.elapsed() >= self.longest && place.is_wanted()) {
            self.held = None;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(5);

    fn run(places: &Places, connection: &str, stream: &str) -> RunPlace {
        RunPlace::new(places.clone(), Who::new("t", connection, stream), 0, LONGEST)
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_keeps_its_place_from_page_to_page_while_nobody_waits() {
        let places = Places::new("test", 1);
        let mut alone = run(&places, "a", "s");
        for _ in 0..10 {
            alone.take().await;
            alone.during(tokio::time::sleep(LONGEST * 2)).await;
            assert_eq!(places.taken(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_had_its_turn_goes_behind_those_that_wait() {
        let places = Places::new("test", 1);
        let (mut first, mut second) = (run(&places, "a", "s"), run(&places, "b", "s"));
        first.take().await;
        let mut waits = Box::pin(second.take());
        assert!(waits.as_mut().now_or_never().is_none());
        first.during(tokio::time::sleep(LONGEST - Duration::from_secs(1))).await;
        first.take().await;
        assert!(waits.as_mut().now_or_never().is_none(), "it has not held it long enough");
        first.during(tokio::time::sleep(Duration::from_millis(900))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let again = tokio::time::timeout(Duration::from_secs(60), first.take()).await;
        assert!(again.is_err(), "the other one has it now");
        waits.await;
    }

    #[tokio::test(start_paused = true)]
    async fn sixteen_runs_that_wait_for_their_vendor_for_ever_stop_no_other_connection() {
        // Each of its own connection, so that no bound of one connection helps.
        let places = Places::new("test", 4);
        let mut slow: Vec<_> = (0..16).map(|n| run(&places, &format!("slow-{n}"), "s")).collect();
        let slow = futures_util::future::join_all(slow.iter_mut().map(|run| async {
            run.take().await;
            run.during(std::future::pending::<()>()).await;
        }));
        let healthy = async {
            let mut healthy = run(&places, "healthy", "s");
            let began = Instant::now();
            for _ in 0..100 {
                healthy.take().await;
                healthy.during(tokio::time::sleep(Duration::from_millis(100))).await;
            }
            began.elapsed()
        };
        tokio::select! {
            _ended = slow => panic!("their vendor never answers"),
            took = healthy => assert!(took < LONGEST * 8, "{took:?} for 10 s of pages"),
        }
    }
}
