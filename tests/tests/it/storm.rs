//! A gateway that is killed again and again while it sends: every action at least once with one key, per record in order.
//!
//! The long form: `RENMEN_STORM_RECORDS=10000 cargo nextest run --workspace -E 'test(storm)'` makes 20,000 actions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use renmen_tests::desk::{self, Notes};
use renmen_tests::staff_api;
use serde_json::Value;

use crate::harness::{Home, plugin, serve};

const KILLS: u64 = 5;

/// A source of employees, a desk, and a flow from one to the other.
pub async fn between(records: usize, flow: &str) -> (staff_api::Source, Notes, Home) {
    let source = staff_api::source(records);
    let staff = serve(staff_api::router(source.clone())).await;
    let notes = Notes::default();
    let desk = serve(desk::router(notes.clone())).await;
    let config = format!(
        r#"
[connections.staff]
plugin = "{}"
config = {{ base_url = "{staff}/v1" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
streams.employees = {{ every = "1s" }}
limits = {{ page_records_max = 1000 }}

[connections.desk]
plugin = "{}"
config = {{ base_url = "{desk}" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
limits = {{ parallel_max = 8, retries_max = 0 }}

{flow}
"#,
        plugin("staff-api").display(),
        plugin("desk").display()
    );
    (source, notes, Home::new(&config))
}

pub const FLOW: &str = r#"
[flows.notes]
start = "beginning"
when = { entity = "employee" }
fields = ["/work/title"]
to = { connection = "desk", action = "note.put" }
map = { id = "change.external_id", revision = "change.revision", title = "record.work.title" }
backoff = { base = "50ms", max = "500ms" }
"#;

/// Waits until so many different notes have arrived.
pub async fn arrived(notes: &Notes, count: usize, patience: Duration) {
    let begun = std::time::Instant::now();
    loop {
        let keys = notes.lock().unwrap().notes.iter().map(|(key, _)| key.clone()).collect::<BTreeSet<_>>().len();
        if keys >= count {
            return;
        }
        assert!(begun.elapsed() < patience, "{keys} of {count} notes arrived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_with_a_gateway_killed_five_times_sends_everything_in_order_with_one_key_each() {
    let records: usize = std::env::var("RENMEN_STORM_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let seed: u64 = std::env::var("RENMEN_STORM_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(20_261_122);
    let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
    let (source, notes, home) = between(records, FLOW).await;
    notes.lock().unwrap().lose_every = 17;
    let patience = Duration::from_secs(120 + records as u64 / 20);
    let mut expected = records;
    for kill in 0..KILLS {
        let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
        gateway.document().await;
        // Killed once a share of what is under way has arrived, then at a moment within it.
        let begun = expected * (kill as usize) / (KILLS as usize * 2) + dice.random_range(1..20);
        arrived(&notes, begun.min(expected), patience).await;
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..40_000))).await;
        gateway.0.kill().unwrap();
        gateway.0.wait().unwrap();
        let touched = records / KILLS as usize;
        source.lock().unwrap().touch(touched);
    }
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    gateway.document().await;
    // The feed says how much there is to send; it grows until the source is read to its end.
    let mut stable = 0;
    while stable < 3 {
        let changes = home.json(&["changes", "--dev", "--limit", "1000000"]).await.as_array().unwrap().len();
        stable = if changes == expected && changes > records { stable + 1 } else { 0 };
        expected = changes;
        arrived(&notes, expected, patience).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    gateway.0.kill().unwrap();
    let arrived = notes.lock().unwrap().notes.clone();
    check(&home, &arrived, &format!("seed {seed}")).await;
}

async fn check(home: &Home, notes: &[(String, Value)], what: &str) {
    let changes = home.json(&["changes", "--dev", "--limit", "1000000"]).await;
    let wanted: BTreeSet<(String, i64)> = changes
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["external_id"].as_str().unwrap().to_owned(), change["revision"].as_i64().unwrap()))
        .collect();
    let mut by_key: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sent = BTreeSet::new();
    for (key, note) in notes {
        assert_eq!(*by_key.entry(key).or_insert(note), note, "one key, one note: {what}");
        let (id, revision) = (note["id"].as_str().unwrap(), note["revision"].as_i64().unwrap());
        let before = last.insert(id, revision).unwrap_or(0);
        assert!(revision >= before, "{id}: revision {revision} after {before}: {what}");
        sent.insert((id.to_owned(), revision));
    }
    assert_eq!(sent, wanted, "every change, and nothing else: {what}");
    assert_eq!(by_key.len(), wanted.len(), "one key a change: {what}");
}
