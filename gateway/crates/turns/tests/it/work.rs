//! Work of the gateway for a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use renmen_turns::{Account, Class, work};

#[tokio::test]
async fn work_is_done_on_other_threads_and_counts_as_the_connections() {
    let account = Account::of("work-counts");
    let thread = work(&account, Class::Bulk, || std::thread::current().name().unwrap_or_default().to_owned()).await;
    assert!(thread.starts_with("renmen-work"), "{thread}");
    // The turn is counted when it ends, a moment after its answer is there.
    for _ in 0..1_000 {
        if account.figures().turns == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{:?}", account.figures());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_has_no_more_than_half_of_the_threads_whatever_it_brings() {
    let (greedy, healthy) = (Account::of("work-greedy"), Account::of("work-healthy"));
    let (open, gate) = tokio::sync::watch::channel(false);
    let begun = Arc::new(AtomicUsize::new(0));
    let brought: Vec<_> = (0..64)
        .map(|_| {
            let (account, begun, gate) = (Arc::clone(&greedy), Arc::clone(&begun), gate.clone());
            tokio::spawn(async move {
                work(&account, Class::Urgent, move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    while !*gate.borrow() {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                })
                .await;
            })
        })
        .collect();
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..50 {
        work(&healthy, Class::Bulk, || ()).await;
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).max(4);
    assert!(begun.load(Ordering::SeqCst) <= threads / 2);
    open.send(true).unwrap();
    for piece in brought {
        piece.await.unwrap();
    }
    assert_eq!(begun.load(Ordering::SeqCst), 64, "all of it is done in the end");
}

#[tokio::test]
async fn a_panic_in_work_is_a_panic_of_who_asked() {
    let account = Account::of("work-panics");
    let ended = tokio::spawn(async move { work(&account, Class::Bulk, || panic!("as it should")).await });
    assert!(ended.await.unwrap_err().is_panic());
}
