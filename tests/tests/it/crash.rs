//! `kill -9` at any moment loses nothing, doubles nothing, and costs at most one page (F01).
//!
//! The long form: `RENMEN_CRASH_KILLS=50 cargo nextest run -p renmen-tests kill`.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

use crate::harness::Home;
use crate::staff::staff;

const RECORDS: usize = 50_000;
const PAGES: u64 = RECORDS as u64 / 1000;

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_killed_at_random_points_ends_with_exactly_the_sources_records_f01() {
    let kills: u64 = std::env::var("RENMEN_CRASH_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(4);
    let seed: u64 = std::env::var("RENMEN_CRASH_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_122);
    let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
    for kill in 0..kills {
        // Aimed at a page, then at a moment within it, so that a slow machine is hit as often as a fast one.
        let page = dice.random_range(1..PAGES - 1);
        let delay = Duration::from_micros(dice.random_range(0..30_000));
        one_kill(page, delay, &format!("seed {seed}, kill {kill}, page {page}, {delay:?} later")).await;
    }
}

async fn one_kill(page: u64, delay: Duration, what: &str) {
    let (source, home) = staff(RECORDS).await;
    let mut running = home.spawn(&["sync", "--dev"]);
    for _ in 0..60_000 {
        if source.lock().unwrap().requests >= page || running.0.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(delay).await;
    running.0.kill().unwrap();
    running.0.wait().unwrap();

    home.json(&["sync", "--dev"]).await;
    let requests = source.lock().unwrap().requests;
    // One page more for the end: the last page is asked for again by time, that time included.
    assert!(requests <= PAGES + 2, "{requests} requests for {PAGES} pages: {what}");
    exactly_once(&home, &source.lock().unwrap().oracle().into_iter().collect(), what);
}

/// Every record of the source once, with its values; every change once, in order, and none else.
fn exactly_once(home: &Home, oracle: &BTreeMap<String, String>, what: &str) {
    let records = all(home, &["records", "employees", "--dev", "--limit", "1000000"]);
    let stored: BTreeMap<&str, &Value> = records.iter().map(|r| (r["external_id"].as_str().unwrap(), r)).collect();
    assert_eq!((stored.len(), records.len()), (oracle.len(), oracle.len()), "records: {what}");
    for (id, vendor) in oracle {
        let vendor: Value = serde_json::from_str(vendor).unwrap();
        let body = &stored[id.as_str()]["body"];
        assert_eq!(body["number"], vendor["employeeNumber"], "{id}: {what}");
        assert_eq!(body["person"]["names"]["formatted"], vendor["displayName"], "{id}: {what}");
        assert_eq!(stored[id.as_str()]["revision"], 1, "{id}: {what}");
    }
    let changes = all(home, &["changes", "--dev", "--limit", "1000000"]);
    let seqs: Vec<i64> = changes.iter().map(|c| c["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "the feed is in order: {what}");
    assert_eq!(changes.len(), oracle.len(), "one change a record: {what}");
}

fn all(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let output = home.command(&[arguments, &["--json"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", crate::harness::said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}
