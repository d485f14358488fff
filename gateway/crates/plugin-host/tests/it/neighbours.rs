//! What runs next to a hostile connection: shares are counted in turns, never by the wall clock.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use renmen_plugin_host::{Account, Call, CallLimits, CpuShare, Delivery, Door};
use renmen_schema::id::ConnectionName;

use crate::harness::{Bench, call, first};

/// A call of a connection of this name, with a way out of its own.
fn of(bench: &Bench, connection: &str, change: impl FnOnce(&mut CallLimits)) -> Call {
    let mut limits = (*bench.call.limits).clone();
    // One burns for as long as the test lasts.
    (limits.fuel_max, limits.wall_clock) = (u64::MAX, Duration::from_secs(600));
    change(&mut limits);
    Call { connection: ConnectionName::new(connection).unwrap(), limits: Arc::new(limits), ..call(&bench.server.url) }
}

fn pulls<'a>(bench: &'a Bench, connection: &str, stream: &'a str, streams: usize) -> Vec<BoxFuture<'a, ()>> {
    let call = of(bench, connection, |_| ());
    (0..streams).map(|_| bench.plugin.pull(call.clone(), first(stream)).map(drop).boxed()).collect()
}

fn deliveries<'a>(bench: &'a Bench, connection: &str, path: &str, count: usize) -> Vec<BoxFuture<'a, ()>> {
    let call = of(bench, connection, |_| ());
    let delivery = Delivery {
        method: "POST".to_owned(),
        path_and_query: path.to_owned(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        received_at_ms: 0,
        window: Duration::from_secs(300),
        door: Door::Request,
    };
    (0..count).map(|_| bench.plugin.receive(call.clone(), delivery.clone()).map(drop).boxed()).collect()
}

/// Healthy pages that are pulled while hostile work is running.
const PAGES: usize = 30;

/// Pulls them while work that does not end is running; gives the turns that the hostile connection had during a page:
/// the median, because on a busy machine this thread may itself be kept waiting.
async fn turns_beside(bench: &Bench, hostile: &str, work: Vec<BoxFuture<'_, ()>>, stream: &str) -> u64 {
    let account = Account::of(hostile);
    let healthy = async {
        let call = of(bench, &format!("{hostile}-beside"), |_| ());
        while account.figures().turns < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut turns = Vec::new();
        for _ in 0..PAGES {
            let before = account.figures().turns;
            bench.plugin.pull(call.clone(), first(stream)).await.unwrap();
            turns.push(account.figures().turns - before);
        }
        turns.sort_unstable();
        turns[turns.len() / 2]
    };
    tokio::select! {
        _ended = join_all(work) => panic!("the hostile work ended"),
        turns = healthy => turns,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_waits_for_one_turn_of_a_burning_connection_whether_it_has_1_2_or_16_streams_f11() {
    let bench = Bench::new().await;
    for streams in [1, 2, 16] {
        let name = format!("burns-{streams}");
        let turns = turns_beside(&bench, &name, pulls(&bench, &name, "loop", streams), "idle").await;
        assert!(turns <= 4, "{turns} turns for a page next to {streams} streams");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_waits_for_one_turn_of_a_connection_whose_deliveries_spin() {
    let bench = Bench::new().await;
    for count in [16, 64] {
        let name = format!("spins-{count}");
        let turns = turns_beside(&bench, &name, deliveries(&bench, &name, "/loop", count), "idle").await;
        assert!(turns <= 4, "{turns} turns for a page next to {count} deliveries");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_a_healthy_page_are_not_held_up_beside_a_burning_connection() {
    let bench = Bench::new().await;
    let turns = turns_beside(&bench, "burns-http", pulls(&bench, "burns-http", "loop", 16), "healthy").await;
    // The page waits for its vendor a few times, and the other has the thread meanwhile: that is all that it gets.
    assert!(turns <= 40, "{turns} turns for a page");
}

#[tokio::test]
async fn a_connection_that_waits_for_its_vendor_everywhere_leaves_the_others_their_places() {
    let bench = Bench::new().await;
    let (waits, healthy) = (pulls(&bench, "waits", "slow", 200), of(&bench, "waits-beside", |_| ()));
    let pages = async {
        // 12 of the 200 calls have a place, and 8 requests may be under way at once.
        while bench.server.requests() < 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..10 {
            bench.plugin.pull(healthy.clone(), first("healthy")).await.unwrap();
        }
        bench.server.requests()
    };
    tokio::select! {
        _ended = join_all(waits) => panic!("the server never answers"),
        requests = pages => assert_eq!(requests, 8 + 10),
    }
}

#[tokio::test]
async fn a_connections_waiting_pulls_leave_its_own_deliveries_a_place() {
    let bench = Bench::new().await;
    let mut both = pulls(&bench, "own-places", "slow", 200);
    let taken = deliveries(&bench, "own-places", "/echo", 1).remove(0);
    both.push(std::future::pending().boxed());
    tokio::select! {
        _ended = join_all(both) => panic!("the server never answers"),
        () = taken => {}
    }
}

#[tokio::test]
async fn calls_max_bounds_the_calls_of_one_connection_and_more_wait() {
    let bench = Bench::new().await;
    let call = of(&bench, "bounded", |limits| limits.calls_max = 2);
    let waits = join_all((0..10).map(|_| bench.plugin.pull(call.clone(), first("slow"))));
    let seen = async {
        bench.server.waiting.notified().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.server.requests()
    };
    tokio::select! {
        _ended = waits => panic!("the server never answers"),
        // Of two places one is kept for what is urgent.
        requests = seen => assert_eq!(requests, 1),
    }
}

#[tokio::test]
async fn a_call_held_back_by_cpu_share_ends_at_its_wall_clock_and_says_why() {
    let bench = Bench::new().await;
    let call = of(&bench, "held-back", |limits| {
        limits.cpu = CpuShare { share: 0.01, window: Duration::from_secs(2) };
        limits.wall_clock = Duration::from_millis(300);
    });
    let error = bench.plugin.pull(call, first("loop")).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:wall_clock");
    assert!(error.to_string().contains("cpu_share"), "{error}");
    assert!(Account::of("held-back").held_back_since().is_some());
    // Its neighbour is not.
    bench.assert_healthy().await;
    assert_eq!(Account::of("test").figures().held, 0);
}

#[tokio::test]
async fn a_guest_runs_on_no_thread_of_the_reactor() {
    let bench = Bench::new().await;
    let burning = join_all(pulls(&bench, "off-reactor", "loop", 4));
    // One thread is all that this reactor has: it would hardly turn if a guest were on it.
    let turns = async {
        let began = Account::of("off-reactor").figures().turns;
        let mut polled = 0_u32;
        while Account::of("off-reactor").figures().turns < began + 10 {
            polled += 1;
            tokio::task::yield_now().await;
        }
        polled
    };
    tokio::select! {
        _ended = burning => panic!("it burns for ever"),
        polled = turns => assert!(polled > 100, "the reactor turned {polled} times in ten turns of the guests"),
    }
}

/// Every way to use up what there is, with the limit that ends it.
const EXCESSES: [(&str, &str); 10] = [
    ("loop", "limit:fuel_max"),
    ("memory", "limit:memory_bytes_max"),
    ("recursion", "crashed"),
    ("output_bytes", "limit:page_bytes_max"),
    ("output_huge", "limit:hostcall_bytes_max"),
    ("output_records", "limit:page_records_max"),
    ("log_flood", "limit:log_lines_max"),
    ("http_flood", "limit:http_calls_max"),
    ("http_hoard", "limit:memory_bytes_max"),
    ("seal_flood", "limit:"),
];

/// Makes this many calls of each kind, two at a time, while a healthy connection keeps running.
async fn excesses(times: usize) {
    let bench = Bench::new().await;
    for (stream, wanted) in EXCESSES {
        let within = |limits: &mut CallLimits| {
            *limits =
                CallLimits { page_bytes_max: 1 << 20, http_calls_max: 20, log_lines_max: 10, ..CallLimits::default() };
            limits.hostcall_bytes_max = 8 << 20;
            match stream {
                "loop" => limits.fuel_max = 50_000_000,
                "output_huge" => limits.memory_bytes_max = 256 << 20,
                "http_hoard" => limits.memory_bytes_max = 6 << 20,
                _ => limits.memory_bytes_max = 32 << 20,
            }
        };
        let call = of(&bench, &format!("excess-{}", stream.replace('_', "-")), within);
        let hostile = async {
            for _ in 0..times.div_ceil(2) {
                let pull = || bench.plugin.pull(call.clone(), first(stream));
                let (one, other) = tokio::join!(pull(), pull());
                for ended in [one, other] {
                    let outcome = ended.err().map_or_else(|| "a page".to_owned(), |error| error.outcome());
                    assert!(outcome.starts_with(wanted), "{stream}: {outcome}");
                }
            }
        };
        let healthy = of(&bench, "excess-beside", |_| ());
        let pages = async {
            loop {
                let page = bench.plugin.pull(healthy.clone(), first("healthy")).await.unwrap();
                assert_eq!(page.records.len(), 10);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            () = hostile => {}
            () = pages => {}
        }
    }
    bench.assert_healthy().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_excess_ends_by_its_limit_beside_a_healthy_connection_f11() {
    excesses(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: a hundred calls of each kind of excess"]
async fn a_hundred_of_every_excess_end_by_their_limit_beside_a_healthy_connection_f11() {
    excesses(100).await;
}
