//! Step 6: the connection's own rate. Owns the waiting, so that a vendor's limit is kept rather than met. Where several gateways send to
//! one vendor, they keep its rate together (`shared`); a connection that is made again goes on at its pace (`book`).

mod book;
mod shared;

use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::Rate;
use tokio::time::Instant;

use crate::EgressError;
pub(crate) use book::PaceBook;
use shared::SharedGate;
pub use shared::{RateReservation, SharedRate};

type OwnGate = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Tick>>;

enum Gate {
    /// This process alone sends.
    Own(Box<OwnGate>),
    Shared(SharedGate),
}

/// Lets requests through at a rate, in the order in which they asked.
pub(crate) struct Pace {
    gate: Gate,
    /// Held while waiting: first come, first served.
    turn: tokio::sync::Mutex<()>,
    wait_max: Duration,
}

impl Pace {
    /// `wait_max`: a request that would have to wait longer fails instead.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] for a rate by which no pace can be kept: of nothing, or beyond its range.
    pub(crate) fn new(rate: Rate, wait_max: Duration) -> Result<Self, EgressError> {
        let (interval, burst) = interval_of(rate)?;
        let quota = Quota::with_period(interval).ok_or_else(|| bad("the time between two requests is nothing"))?;
        let limiter = RateLimiter::direct_with_clock(quota.allow_burst(burst), TokioClock);
        Ok(Self { gate: Gate::Own(Box::new(limiter)), turn: tokio::sync::Mutex::default(), wait_max })
    }

    /// The same for a rate that several gateways keep together.
    ///
    /// # Errors
    /// As [`Pace::new`].
    pub(crate) fn shared(
        rate: Rate,
        wait_max: Duration,
        with: Arc<dyn SharedRate>,
        whose: (TenantId, ConnectionName),
    ) -> Result<Self, EgressError> {
        let (interval, burst) = interval_of(rate)?;
        let gate = SharedGate::new(with, whose, (interval, burst.get()), wait_max);
        Ok(Self { gate: Gate::Shared(gate), turn: tokio::sync::Mutex::default(), wait_max })
    }

    /// Waits for the turn.
    ///
    /// # Errors
    /// [`EgressError::RateLimited`] when it would come too late.
    pub(crate) async fn wait(&self) -> Result<(), EgressError> {
        let deadline = Instant::now() + self.wait_max;
        let late = |wait: Duration| EgressError::RateLimited {
            message: "the connection's own rate is used up for longer than `request_timeout`".into(),
            retry_after_ms: Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        };
        let waiting = match &self.gate {
            Gate::Own(_) => None,
            Gate::Shared(gate) => Some(gate.stand_in_line()),
        };
        let Ok(_turn) = tokio::time::timeout_at(deadline, self.turn.lock()).await else {
            return Err(late(self.wait_max));
        };
        drop(waiting);
        let limiter = match &self.gate {
            Gate::Own(limiter) => limiter,
            Gate::Shared(gate) => {
                let slot = gate.slot().await?.ok_or_else(|| late(self.wait_max))?;
                if slot > deadline {
                    return Err(late(slot.saturating_duration_since(Instant::now())));
                }
                tokio::time::sleep_until(slot).await;
                return Ok(());
            }
        };
        while let Err(not_until) = limiter.check() {
            let wait = not_until.wait_time_from(TokioClock.now());
            if Instant::now() + wait > deadline {
                return Err(late(wait));
            }
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
        Ok(())
    }
}

fn bad(wrong: &str) -> EgressError {
    EgressError::BadRequest(format!("rate: {wrong}"))
}

/// The time between two requests, and how many may go at once.
fn interval_of(rate: Rate) -> Result<(Duration, NonZeroU32), EgressError> {
    // Beyond the range the sums of the limiter would no longer fit their numbers.
    rate.fault().map_or(Ok(()), |wrong| Err(bad(&wrong.to_string())))?;
    let interval = Duration::from_millis(rate.per_ms) / rate.requests;
    Ok((interval, rate.burst.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)))
}

/// tokio's time, so that tests can stop it.
#[derive(Debug, Clone, Copy)]
struct TokioClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(Instant);

impl Clock for TokioClock {
    type Instant = Tick;
    fn now(&self) -> Tick {
        Tick(Instant::now())
    }
}

impl Add<Nanos> for Tick {
    type Output = Self;
    fn add(self, nanos: Nanos) -> Self {
        Self(self.0 + Duration::from(nanos))
    }
}

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }
    fn saturating_sub(&self, duration: Nanos) -> Self {
        self.0.checked_sub(duration.into()).map_or(*self, Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pace(requests: u32, per_ms: u64, burst: Option<u32>) -> Pace {
        Pace::new(Rate { requests, per_ms, burst }, Duration::from_secs(30)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_ever_holds_more_than_the_rate_f06() {
        let pace = pace(10, 1_000, None);
        let start = Instant::now();
        let mut at = Vec::new();
        for _ in 0..50 {
            pace.wait().await.unwrap();
            at.push(start.elapsed());
        }
        for window in at.windows(11) {
            assert!(window[10] - window[0] >= Duration::from_millis(1_000), "{window:?}");
        }
        assert!(at[49] < Duration::from_millis(5_100), "not slower than needed: {:?}", at[49]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_no_more() {
        let pace = pace(1, 1_000, Some(3));
        let start = Instant::now();
        for _ in 0..3 {
            pace.wait().await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.wait().await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(999));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_comes_too_late_is_refused_with_its_time() {
        let pace = pace(1, 60_000, None);
        pace.wait().await.unwrap();
        let error = pace.wait().await.unwrap_err();
        assert!(matches!(error, EgressError::RateLimited { retry_after_ms: Some(59_000..=60_000), .. }), "{error:?}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 2_000, failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_number_in_a_rate_is_a_panic(
            requests in proptest::prelude::any::<u32>(),
            per_ms in proptest::prelude::any::<u64>(),
            burst in proptest::prelude::any::<Option<u32>>(),
            halvings in (0_u32..32, 0_u32..64, 0_u32..32),
        ) {
            // Numbers of every size, not only large ones.
            let rate = Rate {
                requests: requests >> halvings.0,
                per_ms: per_ms >> halvings.1,
                burst: burst.map(|burst| burst >> halvings.2),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let first = runtime.block_on(async {
                match Pace::new(rate, Duration::from_secs(1)) {
                    Ok(pace) => {
                        let first = pace.wait().await;
                        let _in_time_or_not = pace.wait().await;
                        Some(first)
                    }
                    Err(_) => None,
                }
            });
            proptest::prop_assert_eq!(first.is_some(), rate.fault().is_none());
            proptest::prop_assert!(first.is_none_or(|first| first.is_ok()), "the first request does not wait");
        }
    }

    #[test]
    fn the_widest_rates_keep_a_pace() {
        for rate in [
            Rate { requests: 1, per_ms: Rate::PER_MS_MAX, burst: Some(366) },
            Rate { requests: Rate::REQUESTS_MAX, per_ms: 1, burst: Some(Rate::REQUESTS_MAX) },
        ] {
            assert!(Pace::new(rate, Duration::ZERO).is_ok(), "{rate:?}");
        }
        let days = Rate { requests: 1, per_ms: Rate::PER_MS_MAX, burst: Some(Rate::REQUESTS_MAX) };
        assert!(Pace::new(days, Duration::ZERO).is_err());
    }

    #[test]
    fn a_rate_of_nothing_is_refused() {
        for (requests, per_ms) in [(0, 1_000), (1, 0)] {
            assert!(Pace::new(Rate { requests, per_ms, burst: None }, Duration::ZERO).is_err());
        }
    }
}
