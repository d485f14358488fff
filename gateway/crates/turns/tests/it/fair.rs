//! Shares are counted in turns and in time on a core, never by the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use renmen_turns::{Account, Class, Options, Threads};

/// One turn at a time; `interrupt` is heard by [`Burner`].
fn threads(interrupted: &Arc<AtomicU64>) -> Threads {
    let heard = Arc::clone(interrupted);
    let interrupt: Box<dyn Fn() + Send + Sync> = Box::new(move || {
        heard.fetch_add(1, Ordering::SeqCst);
    });
    Threads::start(Options { name: "test", threads: 1, most_each: usize::MAX, interrupt: Some(interrupt) }).unwrap()
}

/// Spins as a guest does: for a slice, or until it is interrupted, then yields; until it is told to stop.
struct Burner {
    interrupted: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    slice: Duration,
}

impl Burner {
    async fn burn(self) {
        while !self.stop.load(Ordering::SeqCst) {
            let (began, before) = (Instant::now(), self.interrupted.load(Ordering::SeqCst));
            while began.elapsed() < self.slice && self.interrupted.load(Ordering::SeqCst) == before {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    }
}

struct Hostile {
    stop: Arc<AtomicBool>,
    burning: Vec<tokio::task::JoinHandle<()>>,
}

impl Hostile {
    fn start(
        threads: &Threads,
        account: &Arc<Account>,
        streams: usize,
        interrupted: &Arc<AtomicU64>,
        class: Class,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let burning = (0..streams).map(|_| {
            let slice = Duration::from_millis(10);
            let burner = Burner { interrupted: Arc::clone(interrupted), stop: Arc::clone(&stop), slice };
            let running = threads.run(account, class, burner.burn());
            tokio::spawn(async move { running.await.unwrap() })
        });
        let burning = burning.collect();
        Self { stop, burning }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for burning in self.burning {
            burning.await.unwrap();
        }
    }
}

/// A page of a healthy connector: a short while on a core, which its vendor's answer ends.
async fn page(threads: &Threads, account: &Arc<Account>) {
    let work = async {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1) {
            std::hint::spin_loop();
        }
    };
    threads.run(account, Class::Bulk, work).await.unwrap();
}

/// How many turns others get while a page of a healthy connection waits for its own: the median, because on a busy machine this
/// thread may itself be kept waiting before it asks, or before it looks.
async fn turns_between_pages(streams: usize, class: Class) -> u64 {
    let interrupted = Arc::new(AtomicU64::new(0));
    let threads = threads(&interrupted);
    let hostile = Account::of(&format!("fair-hostile-{streams}-{class:?}"));
    let healthy = Account::of(&format!("fair-healthy-{streams}-{class:?}"));
    let burning = Hostile::start(&threads, &hostile, streams, &interrupted, class);
    while hostile.figures().turns < 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut turns = Vec::new();
    for _ in 0..50 {
        let before = hostile.figures().turns;
        let seen = Arc::clone(&hostile);
        turns.push(threads.run(&healthy, Class::Bulk, async move { seen.figures().turns - before }).await.unwrap());
        page(&threads, &healthy).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    burning.stop().await;
    turns.sort_unstable();
    turns[turns.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_waits_for_no_more_than_the_turn_that_it_interrupts_beside_1_2_and_16_burning_streams() {
    for streams in [1, 2, 16] {
        let most = turns_between_pages(streams, Class::Bulk).await;
        // The turn that is cut short.
        assert!(most <= 2, "{most} turns next to {streams} streams");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_work_of_one_connection_is_no_way_past_another_connection() {
    let most = turns_between_pages(16, Class::Urgent).await;
    assert!(most <= 2, "{most} turns");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_burn_share_the_time_whatever_their_streams() {
    let interrupted = Arc::new(AtomicU64::new(0));
    let threads = threads(&interrupted);
    let (many, one) = (Account::of("fair-many"), Account::of("fair-one"));
    let burning = [
        Hostile::start(&threads, &many, 16, &interrupted, Class::Bulk),
        Hostile::start(&threads, &one, 1, &interrupted, Class::Bulk),
    ];
    while one.figures().turns < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (many, one) = (many.figures().used, one.figures().used);
    for burning in burning {
        burning.stop().await;
    }
    // One may have begun before the other was there.
    assert!(many.abs_diff(one) <= Duration::from_millis(150), "{many:?} and {one:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_cannot_be_interrupted_is_not_waited_for() {
    let threads = threads(&Arc::default());
    let (stuck, healthy) = (Account::of("fair-stuck"), Account::of("fair-beside-stuck"));
    let (begun, free) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (begins, until) = (Arc::clone(&begun), Arc::clone(&free));
    let running = tokio::spawn(threads.run(&stuck, Class::Bulk, async move {
        begins.store(true, Ordering::SeqCst);
        while !until.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }));
    while !begun.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..20 {
        page(&threads, &healthy).await;
    }
    assert!(!running.is_finished(), "it is still at it");
    free.store(true, Ordering::SeqCst);
    running.await.unwrap().unwrap();
}
