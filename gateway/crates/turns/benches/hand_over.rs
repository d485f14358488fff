//! What it costs to have something done on the threads: there and back, and the same while a connection burns processor
//! time.
//!
//! `cargo bench -p renmen-turns`
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_turns::{Account, Class, Options, Threads};

fn threads(interrupted: &Arc<AtomicU64>) -> Threads {
    let heard = Arc::clone(interrupted);
    let interrupt: Box<dyn Fn() + Send + Sync> = Box::new(move || {
        heard.fetch_add(1, Ordering::Relaxed);
    });
    Threads::start(Options { name: "bench", threads: 1, most_each: usize::MAX, interrupt: Some(interrupt) }).unwrap()
}

/// Runs as a guest does: until its slice is over or another job wants to go first.
async fn burn(interrupted: Arc<AtomicU64>) {
    loop {
        let (began, before) = (Instant::now(), interrupted.load(Ordering::Relaxed));
        while began.elapsed() < Duration::from_millis(10) && interrupted.load(Ordering::Relaxed) == before {
            std::hint::spin_loop();
        }
        tokio::task::yield_now().await;
    }
}

fn hand_over(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for streams in [0, 1, 16] {
        let interrupted = Arc::default();
        let (threads, own) = (threads(&interrupted), Account::of(&format!("own-{streams}")));
        let hostile = Account::of(&format!("hostile-{streams}"));
        let burning: Vec<_> = (0..streams)
            .map(|_| runtime.spawn(threads.run(&hostile, Class::Bulk, burn(Arc::clone(&interrupted)))))
            .collect();
        criterion.bench_function(&format!("there and back next to {streams} that burn"), |bencher| {
            bencher.iter(|| runtime.block_on(threads.run(&own, Class::Bulk, async {})).unwrap());
        });
        burning.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

criterion_group!(benches, hand_over);
criterion_main!(benches);
