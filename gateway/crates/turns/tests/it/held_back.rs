//! The CPU budget, by counts of turns and time on a core.

use std::time::{Duration, Instant};

use renmen_turns::{Account, Class, CpuShare, Options, Threads};

fn threads() -> Threads {
    Threads::start(Options { name: "held", threads: 1, most_each: usize::MAX, interrupt: None }).unwrap()
}

async fn burn(threads: &Threads, account: &std::sync::Arc<Account>, turns: usize) {
    let work = async move {
        for _ in 0..turns {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(5) {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    };
    threads.run(account, Class::Bulk, work).await.unwrap();
}

#[tokio::test]
async fn one_that_burns_without_end_is_slowed_to_its_share() {
    let (threads, account) = (threads(), Account::of("held-burns"));
    account.allow(CpuShare { share: 0.01, window: Duration::from_millis(100) }, threads.turns());
    let began = Instant::now();
    burn(&threads, &account, 4).await;
    let figures = account.figures();
    assert!(figures.held > 0, "{figures:?}");
    // It had 1 ms at once, and nothing waits after the last turn; for the rest it had to wait a hundred times as long
    // as it ran. A busy machine only makes that longer.
    let rest = figures.used.saturating_sub(Duration::from_millis(1 + 8));
    assert!(began.elapsed() >= rest * 80, "{:?} for {:?}", began.elapsed(), figures.used);
}

#[tokio::test]
async fn one_that_is_held_back_is_told_since_when() {
    let (threads, account) = (threads(), Account::of("held-told"));
    // What it owes after its first turn takes seconds: time enough to look.
    account.allow(CpuShare { share: 0.001, window: Duration::from_secs(1) }, threads.turns());
    let looks = async {
        while account.figures().held == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        account.held_back_since()
    };
    tokio::select! {
        () = burn(&threads, &account, usize::MAX) => panic!("it burns without end"),
        since = looks => assert!(since.is_some()),
    }
}

#[tokio::test]
async fn one_within_its_budget_and_one_without_a_budget_are_never_held_back() {
    let threads = threads();
    for (name, share) in [("held-within", 0.5), ("held-never", 1.0)] {
        let account = Account::of(name);
        account.allow(CpuShare { share, window: Duration::from_secs(60) }, threads.turns());
        burn(&threads, &account, 20).await;
        assert_eq!((account.figures().held, account.held_back_since()), (0, None), "{name}");
    }
}

#[tokio::test]
async fn one_that_is_held_back_stops_nobody_else() {
    let (threads, burns, other) = (threads(), Account::of("held-beside"), Account::of("held-other"));
    burns.allow(CpuShare { share: 0.01, window: Duration::from_millis(10) }, threads.turns());
    let running = tokio::spawn({
        let running = threads.run(&burns, Class::Urgent, async {
            for _ in 0..1_000 {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(5) {
                    std::hint::spin_loop();
                }
                tokio::task::yield_now().await;
            }
        });
        async move { running.await.unwrap() }
    });
    for _ in 0..50 {
        burn(&threads, &other, 1).await;
    }
    let (held, free) = (burns.figures().turns, other.figures().turns);
    assert!(held < free, "{held} turns of the one that is held back, {free} of the other");
    running.abort();
}
