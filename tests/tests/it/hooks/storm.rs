//! A storm of deliveries: repeated, shuffled, forged, old, while the gateway is killed. The state at the end is that of the
//! events in their order, each once (F09; issue 4).
//!
//! The long form: `RENMEN_STORM_DELIVERIES=100000 RENMEN_STORM_KILLS=5 cargo nextest run --workspace -E 'test(storm)'`. With
//! `RENMEN_STORM_KILLS=0`, `RENMEN_BIN` of a release build and `--no-capture` it also measures: throughput, p50 and p99.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Gateway;
use super::vendor::{Employees, Sent, now_s, router, updated};
use crate::harness::serve;

/// Employees that events are about.
const PEOPLE: usize = 400;
/// Employees that events only announce.
const ANNOUNCED: usize = 20;
/// Senders side by side.
const SENDERS: usize = 16;
/// Attempts of a sender at one delivery: a gateway that is killed is back within seconds.
const ATTEMPTS_MAX: usize = 2_000;

/// What is sent, and what it must come to.
struct Plan {
    deliveries: Vec<(Sent, bool)>,
    /// Ids of the deliveries that must be taken in.
    good: BTreeSet<String>,
    /// Employees that are there at the end, by id.
    oracle: BTreeMap<String, String>,
}

fn plan(count: usize, dice: &mut impl rand::Rng) -> Plan {
    let (mut state, mut deliveries, mut good) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for n in 0..count {
        let (id, at_ms) = (format!("E{}", dice.random_range(0..PEOPLE)), 1_000_000 + n as i64);
        let name = format!("Person {n}");
        let gone = dice.random_bool(0.1);
        let event = if gone {
            json!({ "type": "employee.deleted", "data": { "id": id, "at_ms": at_ms } })
        } else {
            updated(&id, &name, at_ms)
        };
        let delivery = format!("m{n}");
        match dice.random_range(0..100) {
            0..5 => deliveries.push((Sent::new(&format!("forged{n}"), &event).forged(), false)),
            5..10 => deliveries.push((Sent::at(&format!("old{n}"), &event, now_s() - 3_600), false)),
            _ => {
                // Of equal states nothing is known; of these, the last by the vendor's time counts, whenever it comes.
                state.insert(id, (!gone).then_some(name));
                let sent = Sent::new(&delivery, &event);
                good.insert(delivery);
                deliveries.push((sent.clone(), true));
                if dice.random_bool(0.3) {
                    deliveries.push((sent, true));
                }
            }
        }
    }
    for n in 0..ANNOUNCED {
        let id = format!("announced{n}");
        deliveries
            .push((Sent::new(&id, &json!({ "type": "employee.changed", "data": { "id": format!("R{n}") } })), true));
        good.insert(id);
        state.insert(format!("R{n}"), Some(format!("Read {n}")));
    }
    deliveries.shuffle(dice);
    let oracle = state.into_iter().filter_map(|(id, name)| Some((id, name?))).collect();
    Plan { deliveries, good, oracle }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_with_kills_ends_in_the_state_of_its_events_in_order_f09() {
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (count, kills) = (number("RENMEN_STORM_DELIVERIES", 5_000), number("RENMEN_STORM_KILLS", 3));
    let seed = number("RENMEN_STORM_SEED", 20_261_122) as u64;
    let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
    let employees = Employees::default();
    for n in 0..ANNOUNCED {
        employees.lock().unwrap().insert(format!("R{n}"), (format!("Read {n}"), 1));
    }
    let url = serve(router(employees)).await;
    let limits = "webhooks_per_second = 1000000, webhook_deadline = \"30s\", webhook_window = \"30m\"";
    let mut gateway = Gateway::start(&url, limits).await;
    let plan = plan(count, &mut dice);
    let total = plan.deliveries.len();

    let storm = Arc::new(Storm::new(plan.deliveries, &gateway));
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(Arc::clone(&storm).send())).collect();
    for kill in 1..=kills {
        let at = total * kill / (kills + 1);
        while storm.answered.load(Ordering::SeqCst) < at && storm.next.load(Ordering::SeqCst) < total {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        gateway.kill_and_start().await;
    }
    for sender in senders {
        sender.await.unwrap();
    }
    storm.report(began.elapsed(), total).await;
    settled(&gateway, &plan.oracle, &format!("seed {seed}")).await;
    once_and_in_order(&gateway, &plan.good).await;
}

/// The senders' common work.
struct Storm {
    deliveries: Vec<(Sent, bool)>,
    url: String,
    client: reqwest::Client,
    next: AtomicUsize,
    answered: AtomicUsize,
    took: Mutex<Vec<Duration>>,
}

impl Storm {
    fn new(deliveries: Vec<(Sent, bool)>, gateway: &Gateway) -> Self {
        let (next, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (url, client) = (gateway.url.clone(), gateway.client.clone());
        Self { deliveries, url, client, next, answered, took: Mutex::default() }
    }

    /// As a vendor does it: until it hears yes (or, for what is not the vendor's, no).
    async fn send(self: Arc<Self>) {
        let mut took = Vec::new();
        while let Some((sent, good)) = self.deliveries.get(self.next.fetch_add(1, Ordering::SeqCst)) {
            let wanted = if *good { 200 } else { 401 };
            let mut heard = None;
            for _ in 0..ATTEMPTS_MAX {
                let began = Instant::now();
                match sent.request(&self.client, &self.url).send().await.map(|answer| answer.status().as_u16()) {
                    Ok(status) if status == wanted => {
                        took.push(began.elapsed());
                        heard = Some(status);
                        break;
                    }
                    // Killed, starting, or busy: a vendor tries again.
                    Err(_) | Ok(429 | 503) => tokio::time::sleep(Duration::from_millis(20)).await,
                    Ok(other) => panic!("{}: {other} instead of {wanted}", sent.id),
                }
            }
            assert_eq!(heard, Some(wanted), "{} was never answered", sent.id);
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
        self.took.lock().await.extend(took);
    }

    #[allow(clippy::print_stderr, clippy::cast_precision_loss, reason = "figures for whoever asked for them")]
    async fn report(&self, whole: Duration, total: usize) {
        let mut took = self.took.lock().await;
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
        let rate = total as f64 / whole.as_secs_f64();
        eprintln!("{total} deliveries in {whole:?}: {rate:.0} a second; p50 {:?}, p99 {:?}", at(0.5), at(0.99));
    }
}

/// Waits for what was announced, then compares the records with the oracle.
async fn settled(gateway: &Gateway, oracle: &BTreeMap<String, String>, what: &str) {
    let mut found = BTreeMap::new();
    for _ in 0..600 {
        found = live(gateway).await;
        if found.keys().filter(|id| id.starts_with('R')).count() == ANNOUNCED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let wrong: Vec<_> = oracle.iter().filter(|(id, name)| found.get(*id) != Some(*name)).take(5).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:?} are not as the last event left them");
    assert_eq!(found.len(), oracle.len(), "{what}: no one is there who should be gone");
}

async fn live(gateway: &Gateway) -> BTreeMap<String, String> {
    let page = gateway.api("/v1/employees?limit=1000").await;
    assert!(page["next_cursor"].is_null(), "all fit one page");
    let row = |row: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&row["external_ids"][0]["value"]), text(&row["body"]["person"]["names"]["formatted"]))
    };
    page["data"].as_array().unwrap().iter().map(row).collect()
}

/// Every delivery that is the vendor's once, none that is not; and a feed in which each record's revisions follow each other.
async fn once_and_in_order(gateway: &Gateway, good: &BTreeSet<String>) {
    let inbox = gateway.inbox().await;
    let taken: BTreeSet<String> = inbox.iter().map(|row| row["delivery_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(inbox.len(), taken.len(), "each once");
    assert_eq!(&taken, good);
    let (mut after, mut revisions, mut changes) = (String::new(), BTreeMap::<String, i64>::new(), 0);
    loop {
        let page = gateway.api(&format!("/v1/changes?limit=1000{after}")).await;
        let rows = page["data"].as_array().unwrap();
        // What the gateway found out by itself came by no event.
        for change in rows.iter().filter(|change| change["connection"] != "renmen") {
            changes += 1;
            let last = revisions.entry(change["record_id"].as_str().unwrap().to_owned()).or_default();
            *last += 1;
            assert_eq!(change["revision"].as_i64(), Some(*last), "{change}");
        }
        match page["next_cursor"].as_str().filter(|_| !rows.is_empty()) {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let announced: i64 = inbox.iter().map(|row| row["changes"].as_i64().unwrap()).sum::<i64>();
    assert_eq!(changes, announced + ANNOUNCED as i64, "a change for each event that changed something");
}
