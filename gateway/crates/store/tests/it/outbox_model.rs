//! Random schedules of the outbox against a model: deliveries of a few lanes are made, claimed by the batch by callers whose clocks are
//! wrong, settled or forgotten, while time passes and gateways start again.
//!
//! For every schedule: a claim gives only what is due and whose lane is free, as much of it as was asked for, and never what another
//! claim holds within its lease; an end is taken from the newest claim alone, and once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, prop_oneof};
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_store::ContentHash;
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, DeliveryState, FlowOrigin, FlowPut, FlowRow, NewDelivery, ReceiptKept, Settle,
};

use crate::bed::Bed;
use crate::puller::{Puller, key, rec, tenant};
use crate::schedules;

/// Real time goes on while the test runs: every step of the schedule's time is far from a lease's end.
const LEASE_MS: i64 = 50_000;

#[derive(Debug, Clone)]
enum Step {
    /// One delivery on each of these lanes, due so long from now.
    Make(Vec<u8>, i64),
    /// By a caller whose clock is so wrong.
    Claim {
        limit: u32,
        wrong_ms: i64,
    },
    /// Ends of some of what was ever claimed, old claims among them.
    Settle(Vec<(u8, End)>),
    Time(i64),
    /// The gateway ends without a word and starts again.
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Delivered,
    Unconfirmed,
    Retry,
    Dead,
    Released,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        4 => proptest::strategy::Just(End::Delivered),
        1 => proptest::strategy::Just(End::Unconfirmed),
        2 => proptest::strategy::Just(End::Retry),
        1 => proptest::strategy::Just(End::Dead),
        1 => proptest::strategy::Just(End::Released),
    ];
    let time = prop_oneof![4 => 20_000..20_001_i64, 2 => 70_000..70_001_i64];
    let wrong = prop_oneof![3 => 0..1_i64, 1 => 3_600_000..3_600_001_i64, 1 => -3_600_000..-3_599_999_i64];
    let step = prop_oneof![
        3 => (proptest::collection::vec(0..6_u8, 1..8), 0..2_i64).prop_map(|(lanes, late)| Step::Make(lanes, late * 30_000)),
        4 => (1..6_u32, wrong).prop_map(|(limit, wrong_ms)| Step::Claim { limit, wrong_ms }),
        4 => proptest::collection::vec((proptest::num::u8::ANY, end), 1..6).prop_map(Step::Settle),
        2 => time.prop_map(Step::Time),
        1 => proptest::strategy::Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..40)
}

struct Known {
    lane: u8,
    state: DeliveryState,
    /// By the callers' clock: when it is due. Of a claimed one: when its lease ends, by the leases' clock.
    next_at_ms: i64,
    token: i64,
    confirming: bool,
    attempts: u32,
    updated_ms: i64,
}

impl Known {
    fn is_claimed(&self) -> bool {
        self.state == DeliveryState::InFlight || self.confirming
    }

    fn holds_lane(&self) -> bool {
        matches!(self.state, DeliveryState::Pending | DeliveryState::InFlight)
    }
}

struct Play {
    bed: Bed,
    is_sqlite: bool,
    flow: FlowRow,
    record: RecordId,
    now_ms: i64,
    known: BTreeMap<i64, Known>,
    /// Every claim that was ever given: delivery, token.
    claims: Vec<(i64, i64)>,
}

impl Play {
    async fn begin(bed: Bed) -> Self {
        let is_sqlite = bed.store.backend() == "sqlite";
        let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        Puller::begin(&bed.store, key(), now_ms).await.put(vec![rec("a", "1")]).await;
        let put = FlowPut {
            tenant: tenant(),
            name: "f".into(),
            origin: FlowOrigin::Api,
            definition: "{}".into(),
            enabled: true,
            from_beginning: true,
            now_ms,
        };
        let flow = bed.store.put_flow(put).await.unwrap();
        let record = bed.store.feed(&tenant(), 0, "employee", 1).await.unwrap().entries[0].change.id;
        Self { bed, is_sqlite, flow, record, now_ms, known: BTreeMap::new(), claims: Vec::new() }
    }

    async fn make(&mut self, lanes: &[u8], late_ms: i64) {
        let from = i64::try_from(self.known.len()).unwrap();
        let due_ms = self.now_ms + late_ms;
        let new = |(lane, n): (&u8, i64)| NewDelivery {
            seq: 1,
            record: self.record,
            connection: ConnectionName::new("vendor").unwrap(),
            action: "send".into(),
            key: ContentHash::of(&n.to_le_bytes()).0,
            lane: [*lane; 16],
            not_before_ms: due_ms,
            deadline_ms: None,
            state: DeliveryState::Pending,
            input: b"{}".to_vec(),
            input_hash: [0; 16],
            hops: 0,
            caused_by: None,
            error: None,
        };
        let deliveries = lanes.iter().zip(from..).map(new).collect();
        let FlowRow { id: flow, version, position, .. } = self.flow;
        let step = Advance { flow, version, from: position, to: position, deliveries, supersede: Vec::new() };
        self.bed.store.advance(vec![step], self.now_ms).await.unwrap();
        for (lane, n) in lanes.iter().zip(from..) {
            let (state, next_at_ms) = (DeliveryState::Pending, due_ms);
            let (token, confirming, attempts, updated_ms) = (0, false, 0, self.now_ms);
            let known = Known { lane: *lane, state, next_at_ms, token, confirming, attempts, updated_ms };
            self.known.insert(n + 1, known);
        }
    }

    fn claimable(&self, caller_ms: i64) -> BTreeSet<i64> {
        // Where one process has the store, its clock is that of the leases.
        let lease_ms = if self.is_sqlite { caller_ms } else { self.now_ms };
        let is_free = |id: i64, lane: u8| !self.known.range(..id).any(|(_, one)| one.lane == lane && one.holds_lane());
        let fits = |(id, one): (&i64, &Known)| {
            let is_due = one.next_at_ms <= if one.is_claimed() { lease_ms } else { caller_ms };
            let waits = one.holds_lane() && is_free(*id, one.lane);
            (is_due && (waits || one.state == DeliveryState::Unconfirmed)).then_some(*id)
        };
        self.known.iter().filter_map(fits).collect()
    }

    async fn claim(&mut self, limit: u32, wrong_ms: i64) {
        let caller_ms = self.now_ms + wrong_ms;
        let claimable = self.claimable(caller_ms);
        let connection = ConnectionName::new("vendor").unwrap();
        let claim = Claim { tenant: tenant(), connection, limit, now_ms: caller_ms, lease_ms: LEASE_MS };
        let claimed = self.bed.store.claim(claim).await.unwrap();
        let ids: Vec<i64> = claimed.iter().map(|one| one.delivery.id).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| claimable.contains(id)), "{ids:?} of {claimable:?}");
        assert_eq!(ids.len(), claimable.len().min(limit as usize), "{ids:?} of {claimable:?}");
        let lease_from_ms = if self.is_sqlite { caller_ms } else { self.now_ms };
        for one in claimed {
            let known = self.known.get_mut(&one.delivery.id).unwrap();
            assert_ne!(known.token, one.token);
            known.confirming = known.state == DeliveryState::Unconfirmed;
            assert_eq!(one.confirm, known.confirming);
            if !known.confirming {
                (known.state, known.attempts) = (DeliveryState::InFlight, known.attempts + 1);
            }
            assert_eq!((one.delivery.attempts, one.delivery.state), (known.attempts, known.state));
            (known.token, known.next_at_ms, known.updated_ms) = (one.token, lease_from_ms + LEASE_MS, caller_ms);
            self.claims.push((one.delivery.id, one.token));
        }
    }

    async fn settle(&mut self, ends: &[(u8, End)]) {
        if self.claims.is_empty() {
            return;
        }
        let now_ms = self.now_ms;
        let mut settles = Vec::new();
        let mut wanted = Vec::new();
        for (which, end) in ends {
            let (delivery, token) = self.claims[usize::from(*which) % self.claims.len()];
            let receipt = || ReceiptKept { reference: None, detail: "{}".into() };
            let known = self.known.get_mut(&delivery).unwrap();
            let is_newest = known.is_claimed() && known.token == token;
            let (end, state, next_at_ms) = match end {
                End::Delivered => (AttemptEnd::Delivered(receipt()), DeliveryState::Delivered, now_ms),
                End::Unconfirmed => {
                    let ask_at_ms = now_ms + 10_000;
                    (AttemptEnd::Unconfirmed { receipt: receipt(), ask_at_ms }, DeliveryState::Unconfirmed, ask_at_ms)
                }
                // What is being confirmed was sent: it is not tried again.
                End::Retry | End::Released if known.confirming => {
                    (AttemptEnd::AskAgain { at_ms: now_ms, error: None }, DeliveryState::Unconfirmed, now_ms)
                }
                End::Retry => {
                    let at_ms = now_ms + 10_000;
                    (AttemptEnd::Retry { at_ms, error: "x".into(), counted: true }, DeliveryState::Pending, at_ms)
                }
                End::Dead => (AttemptEnd::Dead { error: "x".into() }, DeliveryState::Dead, now_ms),
                End::Released => (AttemptEnd::Released, DeliveryState::Pending, now_ms),
            };
            if is_newest {
                known.attempts -= u32::from(end == AttemptEnd::Released);
                (known.state, known.next_at_ms, known.confirming, known.updated_ms) =
                    (state, next_at_ms, false, now_ms);
            }
            wanted.push(is_newest);
            settles.push(Settle { delivery, token, end, notice: None, now_ms });
        }
        assert_eq!(self.bed.store.settle(settles).await.unwrap(), wanted);
    }

    async fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.bed.time_passes(ms).await;
    }

    async fn restart(self) -> Self {
        let Self { bed, mut known, is_sqlite, .. } = self;
        let bed = bed.reopened("", "").await;
        // The only process is back. Of several without a name none knows what was its own: the leases run out.
        for one in known.values_mut().filter(|one| is_sqlite && one.is_claimed()) {
            one.state = if one.confirming { DeliveryState::Unconfirmed } else { DeliveryState::Pending };
            (one.confirming, one.next_at_ms, one.token) = (false, one.updated_ms, 0);
        }
        Self { bed, known, ..self }
    }

    async fn agrees(&self) {
        for (id, known) in &self.known {
            let row = self.bed.store.delivery(&tenant(), *id).await.unwrap().unwrap();
            assert_eq!((row.state, row.attempts), (known.state, known.attempts), "delivery {id}");
        }
    }
}

async fn play(bed: Bed, steps: Vec<Step>) {
    let mut play = Play::begin(bed).await;
    for step in steps {
        match step {
            Step::Make(lanes, late_ms) => play.make(&lanes, late_ms).await,
            Step::Claim { limit, wrong_ms } => play.claim(limit, wrong_ms).await,
            Step::Settle(ends) => play.settle(&ends).await,
            Step::Time(ms) => play.pass(ms).await,
            Step::Restart => play = play.restart().await,
        }
    }
    play.agrees().await;
    play.bed.end().await;
}

#[test]
fn f01_random_schedules_of_the_outbox_agree_with_the_model_on_sqlite() {
    schedules::on_sqlite(60, steps(), play);
}

#[test]
fn f01_random_schedules_of_the_outbox_agree_with_the_model_on_postgres() {
    schedules::on_postgres(12, steps(), play);
}
