//! A rate that several gateways keep together: each reserves the times at which its next requests may leave, as many as wait now, so
//! that a busy connection asks once for many and none reserves what it does not use.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use tokio::time::Instant;

use crate::EgressError;
use crate::parallel::{AGAIN, PATIENCE};

/// Requests that are reserved at once.
const RESERVED_MAX: u32 = 64;

/// What a gateway asks of those that it shares a vendor with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateReservation {
    /// Requests.
    pub count: u32,
    /// The time between two of them.
    pub interval: Duration,
    /// So many may go at once after a pause.
    pub burst: u32,
    /// The first may have to wait so long.
    pub wait_max: Duration,
}

/// Where gateways keep the rates of vendors together.
#[async_trait]
pub trait SharedRate: Send + Sync {
    /// Reserves requests: after how many microseconds the first may leave, below zero where it might have left before; the others follow
    /// one interval after the other. None when the first would have to wait for too long.
    ///
    /// # Errors
    /// Why it is not known.
    async fn reserve(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        wanted: RateReservation,
    ) -> Result<Option<i64>, String>;
}

/// One connection's share.
pub(super) struct SharedGate {
    with: Arc<dyn SharedRate>,
    whose: (TenantId, ConnectionName),
    interval: Duration,
    burst: u32,
    wait_max: Duration,
    waiting: AtomicU32,
    /// Times that were reserved and not used yet, the next one first.
    slots: Mutex<VecDeque<Instant>>,
}

/// Counts one that waits for as long as it lives.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SharedGate {
    pub(super) fn new(
        with: Arc<dyn SharedRate>,
        whose: (TenantId, ConnectionName),
        (interval, burst): (Duration, u32),
        wait_max: Duration,
    ) -> Self {
        let (waiting, slots) = (AtomicU32::new(0), Mutex::default());
        Self { with, whose, interval, burst, wait_max, waiting, slots }
    }

    pub(super) fn stand_in_line(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    /// When the next request may leave; none when it would have to wait for too long. Asked by one at a time.
    pub(super) async fn slot(&self) -> Result<Option<Instant>, EgressError> {
        if let Some(slot) = self.next_slot() {
            return Ok(Some(slot));
        }
        let count = self.waiting.load(Ordering::Relaxed).saturating_add(1).min(RESERVED_MAX);
        let wanted = RateReservation { count, interval: self.interval, burst: self.burst, wait_max: self.wait_max };
        let (tenant, connection) = (&self.whose.0, &self.whose.1);
        let begun = Instant::now();
        let reserved = loop {
            match self.with.reserve(tenant, connection, wanted).await {
                Ok(reserved) => break reserved,
                Err(why) if begun.elapsed() >= PATIENCE => {
                    let text = format!("the rate that gateways keep together is not known now: {why}");
                    return Err(EgressError::Unavailable(text));
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        };
        let Some(first_us) = reserved else { return Ok(None) };
        let now = Instant::now();
        let mut slots = self.slots.lock();
        for number in 0..count {
            let after = i128::from(first_us) + self.interval.as_micros() as i128 * i128::from(number);
            let after = u64::try_from(after.max(0)).unwrap_or(u64::MAX);
            slots.push_back(now + Duration::from_micros(after));
        }
        Ok(slots.pop_front())
    }

    /// One of those that were reserved, unless its time is long over: unused times do not add up to a burst.
    fn next_slot(&self) -> Option<Instant> {
        let mut slots = self.slots.lock();
        let now = Instant::now();
        while slots.front().is_some_and(|slot| *slot + self.interval < now) {
            slots.pop_front();
        }
        slots.pop_front()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{prop_assert, proptest};
    use renmen_schema::manifest::Rate;

    use super::super::Pace;
    use super::*;

    /// As the store does it.
    struct Together {
        next: Mutex<Instant>,
        asked: AtomicU32,
    }

    impl Together {
        fn new() -> Arc<Self> {
            Arc::new(Self { next: Mutex::new(Instant::now()), asked: AtomicU32::new(0) })
        }
    }

    #[async_trait]
    impl SharedRate for Together {
        async fn reserve(
            &self,
            _: &TenantId,
            _: &ConnectionName,
            wanted: RateReservation,
        ) -> Result<Option<i64>, String> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let (now, credit) = (Instant::now(), wanted.interval * (wanted.burst - 1));
            let mut next = self.next.lock();
            let first = (*next).max(now);
            if first - now > wanted.wait_max + credit {
                return Ok(None);
            }
            *next = first + wanted.interval * wanted.count;
            Ok(Some(((first - now).as_micros() as i64) - credit.as_micros() as i64))
        }
    }

    /// A store that is away.
    struct Away;

    #[async_trait]
    impl SharedRate for Away {
        async fn reserve(&self, _: &TenantId, _: &ConnectionName, _: RateReservation) -> Result<Option<i64>, String> {
            Err("it is away".to_owned())
        }
    }

    fn pace(with: &Arc<Together>, rate: Rate, wait_max: Duration) -> Arc<Pace> {
        let whose = (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
        Arc::new(Pace::shared(rate, wait_max, Arc::clone(with) as Arc<dyn SharedRate>, whose).unwrap())
    }

    /// When requests left that several gateways sent at once, in their order.
    async fn sent(paces: &[Arc<Pace>], each: usize) -> Vec<Duration> {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for pace in paces.iter().flat_map(|pace| std::iter::repeat_n(pace, each)) {
            let pace = Arc::clone(pace);
            tasks.spawn(async move {
                pace.wait().await.unwrap();
                begun.elapsed()
            });
        }
        let mut at = tasks.join_all().await;
        at.sort();
        at
    }

    #[tokio::test(start_paused = true)]
    async fn three_gateways_together_send_no_more_than_the_vendor_allows_and_no_less() {
        let with = Together::new();
        let rate = Rate { requests: 10, per_ms: 1_000, burst: None };
        let paces: Vec<_> = (0..3).map(|_| pace(&with, rate, Duration::from_secs(60))).collect();
        let at = sent(&paces, 20).await;
        for window in at.windows(11) {
            assert!(window[10] - window[0] >= Duration::from_millis(999), "{window:?}");
        }
        assert!(at[59] <= Duration::from_millis(5_950), "no time is lost: {:?}", at[59]);
        assert!(with.asked.load(Ordering::Relaxed) <= 9, "one question for many that wait");
    }

    #[tokio::test(start_paused = true)]
    async fn times_that_were_reserved_and_not_used_do_not_add_up_to_a_burst() {
        let with = Together::new();
        let rate = Rate { requests: 10, per_ms: 1_000, burst: None };
        let one = pace(&with, rate, Duration::from_secs(60));
        // Ten wait, and all but the first go away.
        let waits: Vec<_> = (0..10)
            .map(|_| {
                tokio::spawn({
                    let one = Arc::clone(&one);
                    async move { one.wait().await }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        waits.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::time::sleep(Duration::from_secs(30)).await;
        let at = sent(&[one], 11).await;
        assert!(at[10] >= Duration::from_millis(900), "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_would_wait_for_too_long_is_refused_and_takes_nothing_from_the_others() {
        let with = Together::new();
        let rate = Rate { requests: 1, per_ms: 60_000, burst: None };
        let (patient, hasty) = (pace(&with, rate, Duration::from_secs(300)), pace(&with, rate, Duration::from_secs(1)));
        patient.wait().await.unwrap();
        for _ in 0..5 {
            assert!(matches!(hasty.wait().await, Err(EgressError::RateLimited { .. })));
        }
        let begun = Instant::now();
        patient.wait().await.unwrap();
        assert!(begun.elapsed() <= Duration::from_secs(60), "{:?}", begun.elapsed());
        let whose = (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
        let away = Pace::shared(rate, Duration::from_secs(1), Arc::new(Away), whose).unwrap();
        assert!(matches!(away.wait().await, Err(EgressError::Unavailable(_))), "what is not known is not sent");
    }

    proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 60, failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_window_of_any_schedule_holds_more_than_the_rate_and_its_burst(
            requests in 1_u32..50,
            burst in 1_u32..8,
            pauses in proptest::collection::vec((0_usize..3, 0_u64..700, 1_usize..6), 1..20),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let mut at = runtime.block_on(async {
                let with = Together::new();
                let rate = Rate { requests, per_ms: 1_000, burst: Some(burst) };
                let paces: Vec<_> = (0..3).map(|_| pace(&with, rate, Duration::from_secs(600))).collect();
                let begun = Instant::now();
                let mut tasks = tokio::task::JoinSet::new();
                for (gateway, pause_ms, count) in pauses {
                    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                    for _ in 0..count {
                        let pace = Arc::clone(&paces[gateway]);
                        tasks.spawn(async move {
                            pace.wait().await.unwrap();
                            begun.elapsed()
                        });
                    }
                }
                tasks.join_all().await
            });
            at.sort();
            // One more than may go at once, and one interval of a time that was reserved and came late.
            let interval = Duration::from_millis(1_000) / requests;
            for (n, first) in at.iter().enumerate() {
                for (m, last) in at.iter().enumerate().skip(n + 1) {
                    let sent = u32::try_from(m - n + 1).unwrap();
                    let allowed = burst + 2 + u32::try_from((*last - *first).as_micros() / interval.as_micros().max(1)).unwrap();
                    prop_assert!(sent <= allowed, "{sent} in {:?}, {allowed} allowed", *last - *first);
                }
            }
        }
    }
}
