//! Of several gateways one at a time works: random schedules of kills, stops, clock steps, and a store that is slow or away, over a clock
//! that tests move.
#![allow(clippy::unwrap_used)]
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use renmen_schema::id::TenantId;
use renmen_store::{LeaseRow, StoreError};

use super::*;

const GATEWAYS: usize = 3;
const LEASE: Duration = Duration::from_secs(12);
/// Steps of one schedule.
const STEPS: usize = 40;
const SCHEDULES: u64 = 12;
/// A process that was stopped beyond its lease finds that it lost its seat when it goes on, and says goodbye to the vendor.
const WAKES_UP: Duration = Duration::from_secs(1);

/// One lease, behind a network that loses questions and answers.
struct Leases {
    row: Mutex<Option<LeaseRow>>,
    dice: Mutex<StdRng>,
    away: AtomicBool,
}

impl Leases {
    async fn network(&self) -> Result<(), StoreError> {
        let (ms, lost) = {
            let mut dice = self.dice.lock();
            (dice.random_range(0..400), dice.random_bool(0.05))
        };
        tokio::time::sleep(Duration::from_millis(ms)).await;
        match lost || self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl LeaseStore for Leases {
    async fn lease(&self, _: &TenantId, _: &str) -> Result<Option<LeaseRow>, StoreError> {
        self.network().await?;
        let row = self.row.lock().clone();
        self.network().await?;
        Ok(row)
    }

    async fn beat(
        &self,
        _: &TenantId,
        _: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        self.network().await?;
        let moved = {
            let mut row = self.row.lock();
            let fits = row.as_ref().map_or(0, |lease| lease.beat) == seen;
            if fits {
                *row = Some(LeaseRow { holder: holder.map(str::to_owned), beat: seen + 1, since_ms: now_ms });
            }
            fits.then_some(seen + 1)
        };
        self.network().await?;
        Ok(moved)
    }
}

/// The steady clock is tokio's; the time of day steps.
struct Stepping {
    began: Instant,
    off_ms: AtomicI64,
}

impl Clock for Stepping {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.off_ms.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The vendor: which gateways have a connection, and who may work on it.
#[derive(Default)]
struct Vendor {
    open: Mutex<Vec<usize>>,
    frozen: [AtomicBool; GATEWAYS],
    /// When each went on last.
    woken: Mutex<[Option<Instant>; GATEWAYS]>,
    events: AtomicU64,
    doubled: Mutex<Vec<String>>,
}

impl Vendor {
    fn is_excused(&self, own: usize) -> bool {
        self.frozen[own].load(Ordering::SeqCst) || self.woken.lock()[own].is_some_and(|at| at.elapsed() < WAKES_UP)
    }

    fn wake(&self, own: usize) {
        self.woken.lock()[own] = Some(Instant::now());
        self.frozen[own].store(false, Ordering::SeqCst);
    }
}

/// An open connection; closed when it is dropped, as by the end of its process.
struct Open(Arc<Vendor>, usize);

impl Open {
    fn new(vendor: &Arc<Vendor>, own: usize) -> Self {
        vendor.open.lock().push(own);
        Self(Arc::clone(vendor), own)
    }

    /// Works on an event. Another that is open must be of a process that is stopped, or that was until now.
    fn event(&self) {
        self.0.events.fetch_add(1, Ordering::SeqCst);
        let others = self.0.open.lock().clone();
        let working = |other: &&usize| **other != self.1 && !self.0.is_excused(**other);
        if let Some(other) = others.iter().find(working) {
            self.0.doubled.lock().push(format!("{} works while {other} is connected", self.1));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.0.open.lock();
        let at = open.iter().position(|own| *own == self.1).unwrap();
        open.remove(at);
    }
}

async fn listen(vendor: Arc<Vendor>, own: usize, leave: CancellationToken) {
    let open = Open::new(&vendor, own);
    loop {
        tokio::select! {
            biased;
            () = leave.cancelled() => break,
            () = tokio::time::sleep(Duration::from_millis(250)) => open.event(),
        }
    }
    // To say goodbye takes a while.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// A process that can be stopped: nothing of it is polled then.
struct Process<F> {
    vendor: Arc<Vendor>,
    own: usize,
    work: Pin<Box<F>>,
    nap: Pin<Box<tokio::time::Sleep>>,
}

impl<F: Future> Future for Process<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if !self.vendor.frozen[self.own].load(Ordering::SeqCst) {
            return self.work.as_mut().poll(cx);
        }
        // Looks again whether it goes on.
        self.nap.as_mut().reset(Instant::now() + Duration::from_millis(100));
        let _ = self.nap.as_mut().poll(cx);
        Poll::Pending
    }
}

fn start(own: usize, leases: &Arc<Leases>, clock: &Arc<Stepping>, vendor: &Arc<Vendor>) -> tokio::task::JoinHandle<()> {
    let seat = Seat::of(
        Arc::clone(leases) as Arc<dyn LeaseStore>,
        Arc::clone(clock) as Arc<dyn Clock>,
        (TenantId::new("acme").unwrap(), "events/people".into()),
        // A process that is started again is the same gateway.
        format!("gateway {own}"),
        LEASE,
    );
    let (cancel, vendor) = (CancellationToken::new(), Arc::clone(vendor));
    let (events, process) = (Arc::clone(&vendor), Arc::clone(&vendor));
    let work = async move {
        let own_work = |leave| listen(Arc::clone(&events), own, leave);
        tokio::join!(seat.run(cancel.clone()), while_seated(&seat, own_work, &cancel));
    };
    let nap = Box::pin(tokio::time::sleep(Duration::ZERO));
    tokio::spawn(Process { vendor: process, own, work: Box::pin(work), nap })
}

async fn schedule(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let leases = Arc::new(Leases {
        row: Mutex::default(),
        dice: Mutex::new(StdRng::seed_from_u64(!seed)),
        away: AtomicBool::new(false),
    });
    let clock = Arc::new(Stepping { began: Instant::now(), off_ms: AtomicI64::new(0) });
    let vendor = Arc::new(Vendor::default());
    let mut tasks: Vec<_> = (0..GATEWAYS).map(|own| start(own, &leases, &clock, &vendor)).collect();
    for _ in 0..STEPS {
        let own = dice.random_range(0..GATEWAYS);
        match dice.random_range(0..10) {
            0..3 => {
                tasks[own].abort();
                while !tasks[own].is_finished() {
                    tokio::task::yield_now().await;
                }
                vendor.frozen[own].store(false, Ordering::SeqCst);
                tasks[own] = start(own, &leases, &clock, &vendor);
            }
            3..5 => {
                vendor.frozen[own].store(true, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(dice.random_range(0..40_000))).await;
                vendor.wake(own);
            }
            5 => {
                leases.away.store(true, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(dice.random_range(0..30_000))).await;
                leases.away.store(false, Ordering::SeqCst);
            }
            6 => clock.off_ms.store(dice.random_range(-3_600_000..3_600_000), Ordering::SeqCst),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..20_000))).await;
    }
    // With all of them well, one works.
    let before = vendor.events.load(Ordering::SeqCst);
    tokio::time::sleep(LEASE * 3).await;
    assert!(vendor.events.load(Ordering::SeqCst) > before + 50, "seed {seed}: none of them works");
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(*vendor.doubled.lock(), Vec::<String>::new(), "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn one_gateway_at_a_time_holds_an_event_connection_whatever_is_killed_stopped_or_misdated_f19() {
    for seed in 0..SCHEDULES {
        schedule(seed).await;
    }
}
