#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::{prop_assert, proptest};

use super::*;

const LEASE: Duration = Duration::from_secs(15);

/// As the store does it, in small: what others hold is not given out, and who wants more than there is gets an equal part.
#[derive(Default)]
struct Together {
    held: Mutex<BTreeMap<usize, (u32, u32, Instant)>>,
    asked: AtomicU32,
    away: Mutex<bool>,
}

/// One gateway's way to the others.
struct Way {
    number: usize,
    together: Arc<Together>,
}

#[async_trait]
impl SharedPlaces for Way {
    async fn share(&self, _: &TenantId, _: &ConnectionName, wanted: PlacesWanted) -> Result<PlacesGrant, String> {
        self.together.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(3)).await;
        let grant = {
            let (now, mut held) = (Instant::now(), self.together.held.lock());
            held.retain(|_, (_, _, until)| *until > now);
            let others = || held.iter().filter(|(number, _)| **number != self.number).map(|(_, one)| one);
            let free = wanted.most.saturating_sub(others().map(|(held, ..)| held).sum());
            let all: u32 = others().map(|(_, wanted, _)| wanted).sum::<u32>() + wanted.wanted;
            let contended = all > wanted.most;
            let sharers = others().filter(|(_, wanted, _)| *wanted > 0).count() as u32 + 1;
            let part = match (contended, others().next().is_some()) {
                (true, _) => (wanted.most / sharers).max(1).min(wanted.wanted),
                (false, true) => wanted.wanted,
                (false, false) => {
                    if wanted.wanted > 0 {
                        wanted.most
                    } else {
                        0
                    }
                }
            };
            let may_use = part.min(free);
            held.insert(self.number, (may_use.max(wanted.in_use), wanted.wanted, now + LEASE));
            PlacesGrant { may_use, contended, lease: LEASE }
        };
        tokio::time::sleep(Duration::from_millis(3)).await;
        // It was done, and the answer is lost.
        if *self.together.away.lock() { Err("it is away".to_owned()) } else { Ok(grant) }
    }
}

fn whose() -> (TenantId, ConnectionName) {
    (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap())
}

fn gates(together: &Arc<Together>, count: usize, most: u32) -> Vec<Arc<SharedGate>> {
    let way = |number| Arc::new(Way { number, together: Arc::clone(together) }) as Arc<dyn SharedPlaces>;
    (0..count).map(|number| SharedGate::new(way(number), whose(), most)).collect()
}

/// The most that was under way at once.
#[derive(Default)]
struct Vendor {
    now: AtomicU32,
    most: AtomicU32,
    served: AtomicU32,
}

async fn request(gate: Arc<SharedGate>, vendor: Arc<Vendor>, takes: Duration) {
    let _place = gate.enter().await.unwrap();
    let now = vendor.now.fetch_add(1, Ordering::Relaxed) + 1;
    vendor.most.fetch_max(now, Ordering::Relaxed);
    tokio::time::sleep(takes).await;
    vendor.now.fetch_sub(1, Ordering::Relaxed);
    vendor.served.fetch_add(1, Ordering::Relaxed);
}

#[tokio::test(start_paused = true)]
async fn one_alone_has_all_places_and_asks_seldom() {
    let together = Arc::new(Together::default());
    let (gate, vendor) = (gates(&together, 1, 4).remove(0), Arc::new(Vendor::default()));
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..400 {
        tasks.spawn(request(Arc::clone(&gate), Arc::clone(&vendor), Duration::from_millis(100)));
    }
    tasks.join_all().await;
    assert_eq!(vendor.most.load(Ordering::Relaxed), 4);
    assert!(begun.elapsed() < Duration::from_millis(10_100), "{:?} for ten seconds of requests", begun.elapsed());
    assert!(together.asked.load(Ordering::Relaxed) < 15, "who has all has nothing to ask for: {:?}", together.asked);
    tokio::time::sleep(IDLE * 3).await;
    assert_eq!(together.held.lock().values().map(|(held, ..)| held).sum::<u32>(), 0, "they are given back");
    let asked = together.asked.load(Ordering::Relaxed);
    tokio::time::sleep(LEASE).await;
    assert_eq!(together.asked.load(Ordering::Relaxed), asked, "one that rests asks nothing");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_gone_leaves_its_places_when_its_answer_is_over() {
    let together = Arc::new(Together::default());
    let other = gates(&together, 1, 2).remove(0);
    // It was killed: nothing is given back, and nothing asked again.
    let killed = Instant::now();
    together.held.lock().insert(1, (2, 2, killed + LEASE));
    let _place = other.enter().await.unwrap();
    let took = killed.elapsed();
    assert!(took >= LEASE && took <= LEASE + Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_not_sent_once_the_last_answer_is_over() {
    let together = Arc::new(Together::default());
    let gate = gates(&together, 1, 2).remove(0);
    let first = gate.enter().await.unwrap();
    *together.away.lock() = true;
    assert!(gate.enter().await.is_ok(), "the last answer counts");
    tokio::time::sleep(LEASE * 2).await;
    assert!(matches!(gate.enter().await, Err(EgressError::Unavailable(_))));
    *together.away.lock() = false;
    drop(first);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(gate.enter().await.is_ok());

    // One that is back in time costs nothing but the time.
    *together.away.lock() = true;
    tokio::time::sleep(LEASE * 2).await;
    let back = async {
        tokio::time::sleep(PATIENCE / 2).await;
        *together.away.lock() = false;
    };
    let (entered, ()) = tokio::join!(gate.enter(), back);
    assert!(entered.is_ok());
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 60, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_schedule_of_gateways_has_more_under_way_than_the_vendor_allows_and_all_are_served(
        most in 1_u32..6,
        steps in proptest::collection::vec((0_usize..3, 0_u64..400, 1_u64..300, 1_usize..6), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (vendor, wanted) = runtime.block_on(async {
            let together = Arc::new(Together::default());
            let gates = gates(&together, 3, most);
            let (vendor, mut tasks, mut wanted) = (Arc::new(Vendor::default()), tokio::task::JoinSet::new(), 0);
            for (gateway, pause_ms, takes_ms, count) in steps {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                for _ in 0..count {
                    wanted += 1;
                    let takes = Duration::from_millis(takes_ms);
                    tasks.spawn(request(Arc::clone(&gates[gateway]), Arc::clone(&vendor), takes));
                }
            }
            let all = tokio::time::timeout(Duration::from_secs(600), tasks.join_all()).await;
            assert!(all.is_ok(), "all are served");
            (vendor, wanted)
        });
        prop_assert!(vendor.most.load(Ordering::Relaxed) <= most);
        prop_assert!(vendor.served.load(Ordering::Relaxed) == wanted);
    }
}
