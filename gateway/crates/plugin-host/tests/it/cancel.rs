//! F12: a call whose future is dropped at any moment harms nobody; the next call gets a fresh instance.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::harness::Bench;

/// Drops in the usual run; the long form asks for 10,000.
fn drops() -> u32 {
    std::env::var("RENMEN_TEST_DROPS").ok().and_then(|drops| drops.parse().ok()).unwrap_or(300)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_dropped_at_random_moments_leave_the_host_well() {
    let bench = Bench::new().await;
    let mut random = StdRng::seed_from_u64(12);
    let streams = ["healthy", "loop", "bulk", "slow", "parallel", "http_hoard", "log_flood"];
    let mut dropped = 0_u32;
    for round in 0..drops() {
        let stream = streams[random.random_range(0..streams.len())];
        let patience = Duration::from_micros(random.random_range(0..5_000));
        let call = bench.pull(stream, |limits| limits.fuel_max = 200_000_000);
        dropped += u32::from(tokio::time::timeout(patience, call).await.is_err());
        if round % 50 == 0 {
            bench.assert_healthy().await;
        }
    }
    bench.assert_healthy().await;
    assert!(dropped > 0, "no call was dropped: this proves nothing");
}

#[tokio::test]
async fn a_call_dropped_while_it_waits_for_an_answer_is_gone() {
    let bench = Bench::new().await;
    tokio::select! {
        _ended = bench.pull("slow", |_| ()) => panic!("nobody answered"),
        () = bench.server.waiting.notified() => {}
    }
    bench.assert_healthy().await;
}
