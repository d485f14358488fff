//! A healthy connection and the API while a hostile connection is running, with the real binary: what each kind of
//! hostility costs them.
//!
//! The usual run checks with a wide margin, because the machine may be busy; that shares are fair is proved by counts
//! in the crates. The long form measures ratios within one process, on a quiet machine and with a release build:
//!
//! `RENMEN_BIN=target/release/renmen cargo nextest run --workspace --run-ignored only -E 'test(felt_next_door)' --no-capture`
//!
//! `RENMEN_BESIDE=flood` measures that kind alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use renmen_tests::staff_api::{self, Source};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::harness::{Home, Running, plugin, serve};
use crate::staff;

/// Records that each healthy run reads.
const RECORDS: usize = 5_000;

struct Street {
    source: Source,
    api: Arc<Api>,
    _home: Home,
    _running: Running,
}

/// A vendor that gives what it is asked for, and to some questions no answer at all.
fn vendor() -> Router {
    Router::new()
        .route("/never", get(std::future::pending::<&'static str>))
        .route("/mebibyte", get(async || "m".repeat(1 << 20)))
}

impl Street {
    async fn new(kind: &str) -> Self {
        let source = staff_api::source(RECORDS);
        let healthy = staff::config(&serve(staff_api::router(Arc::clone(&source))).await, "staff-api");
        let hostile = serve(vendor()).await;
        let config = format!(
            r#"{healthy}
[connections.hostile]
plugin = "{}"
config = {{ base_url = "{hostile}", beside = "{kind}" }}
grant = {{ hosts = ["{{base_url}}"], methods = ["GET"], plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.key = {{ env = "HOSTILE_KEY" }}
slots.signing = {{ env = "HOSTILE_SIGNING" }}
"#,
            plugin("hostile").display()
        );
        let home = Home::new(&config).env("HOSTILE_KEY", "key-of-the-hostile-one").env("HOSTILE_SIGNING", "signs-here");
        let mut running = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
        let api = Arc::new(Api::of(&mut running).await);
        Self { source, api, _home: home, _running: running }
    }

    /// Begins pulls that never end.
    async fn begin(&self, streams: usize) {
        for stream in 0..streams {
            let (status, body) =
                self.api.post(&format!("/v1/connections/hostile/streams/beside_{stream}/runs"), &json!({})).await;
            assert_eq!(status, 202, "{body}");
        }
    }

    /// Sends deliveries on which the connector spins, so many at a time, until it is dropped.
    fn knock(&self, senders: usize) -> Vec<JoinHandle<()>> {
        let knock = || {
            let api = Arc::clone(&self.api);
            tokio::spawn(async move {
                loop {
                    let _late = api.status("/hooks/hostile/loop", None).await;
                }
            })
        };
        (0..senders).map(|_| knock()).collect()
    }

    /// One healthy run over everything.
    async fn run(&self) -> Duration {
        self.source.lock().unwrap().touch(RECORDS);
        let began = Instant::now();
        let (status, body) = self.api.post("/v1/connections/staff/streams/employees/runs", &json!({})).await;
        assert_eq!(status, 202, "{body}");
        let run = body["run"].as_i64().unwrap();
        loop {
            let row = self.api.get(&format!("/v1/runs/{run}")).await;
            match row["state"].as_str() {
                Some("completed") => return began.elapsed(),
                Some("running") => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => panic!("{row}"),
            }
        }
    }

    /// So many runs while a reader is reading: the shortest and the median run, and the 99th percentile of the reads.
    async fn measure(&self, runs: usize) -> Seen {
        let (stop, api) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.api));
        let stopped = Arc::clone(&stop);
        let reader = tokio::spawn(async move {
            let mut took = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                let began = Instant::now();
                let page: Value = api.get("/v1/employees?limit=10").await;
                took.push(began.elapsed());
                assert!(page["data"].is_array());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            took
        });
        let mut took = Vec::new();
        for _ in 0..runs {
            took.push(self.run().await);
        }
        stop.store(true, Ordering::SeqCst);
        let mut reads = reader.await.unwrap();
        reads.sort_unstable();
        took.sort_unstable();
        Seen { least: took[0], median: took[took.len() / 2], read: reads[reads.len() * 99 / 100] }
    }
}

struct Seen {
    least: Duration,
    median: Duration,
    read: Duration,
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_connection_goes_on_beside_sixteen_burning_streams_and_sixteen_spinning_deliveries() {
    let street = Street::new("burn").await;
    street.run().await;
    let alone = street.measure(3).await;
    street.begin(16).await;
    let knocking = street.knock(16);
    let beside = street.measure(3).await;
    knocking.iter().for_each(JoinHandle::abort);
    // It used to take twelve to thirty times as long, or never ended.
    let most = alone.least * 4 + Duration::from_millis(500);
    assert!(beside.least < most, "{:?} alone, {:?} with the hostile one", alone.least, beside.least);
    let health = street.api.get("/v1/health").await;
    let of = |name: &str| health["connections"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("staff")["held_back"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_connection_goes_on_beside_sixteen_streams_that_wait_for_their_vendor() {
    let street = Street::new("wait").await;
    street.run().await;
    street.begin(16).await;
    for _ in 0..3 {
        street.run().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: measures, and means something on a quiet machine only"]
#[allow(clippy::print_stdout, reason = "a table for docs/benchmarks.md")]
async fn how_much_of_a_hostile_connection_is_felt_next_door() {
    println!("| hostile | run alone | beside | ratio | read p99 alone | beside |\n|---|---|---|---|---|---|");
    let only = std::env::var("RENMEN_BESIDE").ok();
    let kinds = ["burn", "wait", "hash", "flood", "deliveries"];
    for kind in kinds.into_iter().filter(|kind| only.as_ref().is_none_or(|only| only == kind)) {
        for streams in [1, 2, 16] {
            let street = Street::new(kind).await;
            street.run().await;
            let alone = street.measure(7).await;
            let knocking = if kind == "deliveries" {
                street.knock(streams)
            } else {
                street.begin(streams).await;
                Vec::new()
            };
            tokio::time::sleep(Duration::from_millis(500)).await;
            let beside = street.measure(7).await;
            knocking.iter().for_each(JoinHandle::abort);
            println!(
                "| {kind} x {streams} | {:.0} ms | {:.0} ms | {:.2} | {:.1} ms | {:.1} ms |",
                ms(alone.median),
                ms(beside.median),
                beside.median.as_secs_f64() / alone.median.as_secs_f64(),
                ms(alone.read),
                ms(beside.read),
            );
        }
    }
}
