//! A call whose future is dropped at any moment does no harm; the next call gets a fresh instance.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::harness::Bench;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_dropped_at_random_moments_leave_the_host_well_f12() {
    drop_calls(300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: drops 10,000 calls at random moments"]
async fn calls_dropped_ten_thousand_times_leave_the_host_well_f12() {
    drop_calls(10_000).await;
}

async fn drop_calls(drops: u32) {
    let bench = Bench::new().await;
    let mut random = StdRng::seed_from_u64(12);
    let streams = ["healthy", "loop", "bulk", "slow", "parallel", "http_hoard", "log_flood"];
    let mut dropped = 0_u32;
    for round in 0..drops {
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
        _ended = bench.pull("slow", |_| ()) => panic!("the server never answers"),
        () = bench.server.waiting.notified() => {}
    }
    bench.assert_healthy().await;
}

/// Ends a call by its fuel at another point each time: in the start of the instance, in the connector's code, in the copying
/// of its answer.
async fn trap_at(points: u64) {
    let bench = Bench::new().await;
    let whole = bench.pull("bulk", |_| ()).await.unwrap();
    let (mut trapped, mut given) = (0, 0);
    for point in 0..=points {
        let fuel = 1 + (whole.usage.fuel + 1_000) * point / points;
        match bench.pull("bulk", |limits| limits.fuel_max = fuel).await {
            Ok(page) => {
                assert_eq!(page.records.len(), whole.records.len(), "all of a page or nothing");
                given += 1;
            }
            Err(error) => {
                assert_eq!(error.outcome(), "limit:fuel_max");
                trapped += 1;
            }
        }
    }
    assert!(trapped > 0 && given > 0, "{trapped} calls trapped, {given} gave a page");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_call_that_traps_at_any_point_gives_all_of_its_page_or_nothing_f12() {
    trap_at(60).await;
}

#[tokio::test]
#[ignore = "long: traps at 10,000 points"]
async fn a_call_that_traps_at_ten_thousand_points_gives_all_of_its_page_or_nothing_f12() {
    trap_at(10_000).await;
}
