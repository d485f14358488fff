//! Random schedules of changes, failures, kills and leaping clocks: every change is sent, in the order of its record, with the key that
//! it has always had, by one attempt at a time; a kill repeats no more than what was sent and not yet written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_flow::{ActionInfo, Destination, DestinationEntry, Failure, FlowOptions, Identity, Push, Receipt};
use renmen_schema::FailureKind;
use renmen_schema::id::RecordId;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{World, flow, taken, tenant};

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What a destination saw of one push.
struct Seen {
    delivery: i64,
    record: RecordId,
    seq: i64,
    key: String,
    input: Vec<u8>,
    taken: bool,
}

/// A destination that fails by chance until it heals, and minds what it is sent.
struct Moody {
    identity: Identity,
    chance: Mutex<Chance>,
    healed: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    /// The records that are being pushed for.
    busy: Mutex<BTreeSet<RecordId>>,
}

/// Of a push that ends, or that its process ends.
struct Busy<'m>(&'m Moody, RecordId);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().remove(&self.1);
    }
}

#[async_trait]
impl Destination for Moody {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        BTreeMap::from([("send".to_owned(), ActionInfo { identity: self.identity, ..ActionInfo::default() })])
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        let record = push.cause.record;
        assert!(self.busy.lock().insert(record), "two attempts for one record at once");
        let _busy = Busy(self, record);
        let (takes, mood) = {
            let mut chance = self.chance.lock();
            (chance.below(40), chance.below(100))
        };
        tokio::time::sleep(Duration::from_millis(takes)).await;
        let fails = |kind| Err(Failure::new(kind, "not today"));
        let answer = match mood {
            _ if self.healed.load(Ordering::SeqCst) => Ok(taken("v")),
            0..=7 => fails(FailureKind::UpstreamUnavailable),
            8..=11 => Err(Failure { retry_after_ms: Some(2_000), ..Failure::new(FailureKind::RateLimited, "slower") }),
            12..=14 => fails(FailureKind::UpstreamChanged),
            _ => Ok(taken("v")),
        };
        self.seen.lock().push(Seen {
            delivery: push.delivery,
            record,
            seq: push.cause.seq,
            key: push.idempotency_key.clone(),
            input: push.input.to_vec(),
            taken: answer.is_ok(),
        });
        answer
    }
}

/// Plays one schedule; how often it killed the process, and how many pushes were taken more than once.
async fn play(seed: u64, identity: Identity, parallel_max: u32) -> (usize, usize) {
    let mut chance = Chance(seed | 1);
    let moody = Arc::new(Moody {
        identity,
        chance: Mutex::new(Chance(seed.rotate_left(17) | 1)),
        healed: AtomicBool::new(false),
        seen: Mutex::default(),
        busy: Mutex::default(),
    });
    let place =
        || DestinationEntry { parallel_max, ..DestinationEntry::new(Arc::clone(&moody) as Arc<dyn Destination>) };
    let flows = json!({ "staff": flow("vendor") });
    let mut world = World::new(vec![("vendor", place())], flows.clone(), FlowOptions::default()).await;
    let (mut kills, mut made) = (0, 0);
    for step in 0..30 {
        // Now and then more than one claim holds.
        let people = if chance.below(8) == 0 { 300 } else { 1 + chance.below(12) };
        let records: Vec<(String, Value)> =
            (0..people).map(|n| (format!("e{n}"), json!({ "number": format!("{step}-{n}") }))).collect();
        let records: Vec<(&str, Value)> = records.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
        world.put("staff", &records).await;
        made += records.len();
        tokio::time::sleep(Duration::from_millis(chance.below(400))).await;
        match chance.below(6) {
            0 => {
                kills += 1;
                let folder = world.kill().await;
                world = World::over(folder, vec![("vendor", place())], flows.clone(), FlowOptions::default()).await;
            }
            1 => world.clock.leap(3_600_000),
            2 => world.clock.leap(-1_800_000),
            _ => {}
        }
    }
    moody.healed.store(true, Ordering::SeqCst);
    // All that a clock that went back and forth has put off is due.
    world.clock.leap(86_400_000);
    arrived(&world, made).await;
    world.end().await;
    (kills, check(&moody.seen.lock(), made))
}

async fn arrived(world: &World, made: usize) {
    let mut counts = Vec::new();
    for _ in 0..5_000 {
        counts = world.store.delivery_counts(&tenant()).await.unwrap();
        let arrived: i64 = counts.iter().filter(|one| one.state == DeliveryState::Delivered).map(|one| one.count).sum();
        if usize::try_from(arrived).unwrap() == made {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never {made} delivered: {counts:?}");
}

/// Holds what was seen against what must be; how many were taken more than once.
fn check(seen: &[Seen], made: usize) -> usize {
    let mut last: BTreeMap<RecordId, i64> = BTreeMap::new();
    let mut first: BTreeMap<i64, &Seen> = BTreeMap::new();
    let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
    for one in seen {
        let before = last.insert(one.record, one.seq).unwrap_or(0);
        assert!(before <= one.seq, "change {} after {before} of one record", one.seq);
        let known = first.entry(one.delivery).or_insert(one);
        assert_eq!((&known.key, &known.input), (&one.key, &one.input), "each attempt is the same");
        *taken.entry(one.delivery).or_default() += usize::from(one.taken);
    }
    assert_eq!((first.len(), taken.values().filter(|times| **times > 0).count()), (made, made));
    taken.values().map(|times| times - 1).sum()
}

#[tokio::test(start_paused = true)]
async fn f01_random_schedules_send_everything_in_order_and_repeat_only_what_a_kill_left_open() {
    for seed in [3, 1_415, 92_653, 589_793] {
        let (kills, repeated) = play(seed, Identity::Key, 16).await;
        eprintln!("seed {seed}: {kills} kills, {repeated} sent again");
        // What waits to be written and what is being written, at each kill.
        assert!(repeated <= kills * (2 * 256 + 16), "{repeated} repeats after {kills} kills");
    }
}

#[tokio::test(start_paused = true)]
async fn f01_where_a_repeat_cannot_be_recognised_a_kill_leaves_no_more_open_than_run_side_by_side() {
    for seed in [2_718, 28_182, 845_904] {
        let (kills, repeated) = play(seed, Identity::None, 4).await;
        eprintln!("seed {seed}: {kills} kills, {repeated} sent again");
        assert!(repeated <= kills * 4, "{repeated} repeats after {kills} kills");
    }
}
