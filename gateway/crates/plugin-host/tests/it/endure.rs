//! Every hostile behaviour again and again while a healthy connector is running: each is stopped by the limit that is
//! named for it, the healthy one gives its page every time, and what was taken is given back.

use std::time::Duration;

use renmen_plugin_host::CallLimits;

use crate::harness::Bench;

/// What a stream does, and how its call must end.
const BEHAVIOURS: [(&str, &str); 12] = [
    ("loop", "limit:fuel_max"),
    ("memory", "limit:memory_bytes_max"),
    ("recursion", "crashed"),
    ("output_bytes", "limit:page_bytes_max"),
    ("output_huge", "limit:hostcall_bytes_max"),
    ("output_records", "limit:page_records_max"),
    ("log_flood", "limit:log_lines_max"),
    ("http_flood", "limit:http_calls_max"),
    ("http_burst", "limit:http_calls_max"),
    ("http_hoard", "limit:memory_bytes_max"),
    ("slow", "failure:upstream-unavailable"),
    ("panic", "crashed"),
];

fn tight(limits: &mut CallLimits) {
    *limits = CallLimits {
        fuel_max: 200_000_000,
        memory_bytes_max: 24 << 20,
        hostcall_bytes_max: 12 << 20,
        page_bytes_max: 1 << 20,
        page_records_max: 100,
        http_calls_max: 40,
        log_lines_max: 10,
        wall_clock: Duration::from_secs(60),
        ..CallLimits::default()
    };
}

async fn endure(bench: &Bench, runs: usize) {
    for (stream, end) in BEHAVIOURS {
        for run in 0..runs {
            let hostile = bench.pull(stream, |limits| {
                tight(limits);
                match stream {
                    "slow" => limits.wall_clock = Duration::from_millis(500),
                    // It must be able to make what it may not hand over.
                    "output_huge" => limits.memory_bytes_max = 256 << 20,
                    _ => {}
                }
            });
            let (ended, ()) = tokio::join!(hostile, bench.assert_healthy());
            let ended = ended.err().map_or_else(|| "a page".to_owned(), |error| error.outcome());
            assert_eq!(ended, end, "{stream}, run {run}");
        }
    }
    let memory = bench.call.egress.memory();
    assert_eq!(memory.held(), 0, "everything that was reserved was given back");
}

#[tokio::test]
async fn every_hostile_behaviour_ends_by_its_own_limit_beside_a_healthy_connector() {
    endure(&Bench::new().await, 1).await;
}

#[tokio::test]
#[ignore = "long: 100 runs of each hostile behaviour"]
async fn a_hundred_runs_of_every_hostile_behaviour_leave_the_host_as_it_was_f11() {
    let bench = Bench::new().await;
    endure(&bench, 2).await;
    #[cfg(target_os = "linux")]
    let before = crate::memory_returns::resident();
    endure(&bench, 100).await;
    #[cfg(target_os = "linux")]
    {
        let after = crate::memory_returns::resident();
        assert!(after < before + (48 << 20), "{before} bytes before, {after} after");
    }
}
