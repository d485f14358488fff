//! F12: what is given up is dropped on the threads, wherever it stood, and nothing panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use renmen_turns::{Account, Class, Options, Threads};

fn threads() -> Threads {
    Threads::start(Options { name: "given-up", threads: 2, most_each: usize::MAX, interrupt: None }).unwrap()
}

#[derive(Default)]
struct Seen {
    made: AtomicUsize,
    dropped: AtomicUsize,
    elsewhere: AtomicUsize,
}

/// Notes on which thread it is dropped.
struct Mark(Arc<Seen>);

impl Mark {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.made.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(seen))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        if !std::thread::current().name().is_some_and(|name| name.starts_with("given-up")) {
            self.0.elsewhere.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// So many pieces of work, each with waits and turns in it, each given up at another moment.
async fn give_up(rounds: u64) {
    let (threads, seen) = (threads(), Arc::new(Seen::default()));
    let account = Account::of("given-up");
    // A little generator: the schedule is the same each time, the threads are not.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..rounds {
        let (steps, naps) = (next(6), next(3));
        let mark = Mark::new(&seen);
        let work = async move {
            let _mark = mark;
            for _ in 0..steps {
                tokio::task::yield_now().await;
                if naps > 0 {
                    tokio::time::sleep(Duration::from_micros(50 * naps)).await;
                }
            }
        };
        let running = threads.run(&account, Class::Bulk, work);
        match next(4) {
            0 => drop(running),
            1 => running.await.unwrap(),
            _ => {
                let _late = tokio::time::timeout(Duration::from_micros(next(300)), running).await;
            }
        }
    }
    while seen.dropped.load(Ordering::SeqCst) < seen.made.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(seen.elsewhere.load(Ordering::SeqCst), 0, "dropped on another thread");
    threads.run(&account, Class::Bulk, async {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_given_up_at_any_moment_is_dropped_on_the_threads_f12() {
    give_up(300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: 10,000 pieces of work given up at random moments"]
async fn work_given_up_ten_thousand_times_is_dropped_on_the_threads_f12() {
    give_up(10_000).await;
}

#[tokio::test]
async fn a_panic_reaches_who_asked_and_the_threads_go_on() {
    let (threads, account) = (threads(), Account::of("panics"));
    let running = threads.run(&account, Class::Bulk, async { panic!("as it should") });
    let ended: Result<Result<(), _>, _> = tokio::spawn(running).await;
    assert!(ended.unwrap_err().is_panic());
    assert_eq!(threads.run(&account, Class::Bulk, async { 7 }).await.unwrap(), 7);
}

#[tokio::test]
async fn a_panic_while_something_given_up_is_dropped_ends_no_thread() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("as it should");
        }
    }
    let (threads, account) = (threads(), Account::of("panics-late"));
    for _ in 0..8 {
        let bad = Bad;
        drop(threads.run(&account, Class::Bulk, async move {
            let _bad = bad;
            std::future::pending::<()>().await;
        }));
    }
    assert_eq!(threads.run(&account, Class::Bulk, async { 7 }).await.unwrap(), 7);
}

#[tokio::test]
async fn what_waits_when_the_threads_are_let_go_is_told() {
    let (threads, account) = (threads(), Account::of("let-go"));
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let mut running = Box::pin(threads.run(&account, Class::Bulk, async move {
        let _asked_for = told.await;
    }));
    let begun = tokio::time::timeout(Duration::from_millis(50), running.as_mut()).await;
    assert!(begun.is_err());
    drop(threads);
    drop(tell);
    assert!(running.await.is_err());
}
