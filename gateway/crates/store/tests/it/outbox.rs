//! Flows and deliveries: a change makes each delivery once, a lane keeps its order, a late answer changes nothing.

use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, Claimed, DeliveryQuery, DeliveryState, EchoAsk, FeedEntry, FlowOrigin, FlowPut,
    FlowRow, NewDelivery, ReceiptKept, Repeats, Settle,
};
use renmen_store::{ContentHash, Store, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, connection, key, rec, tenant};

pub(crate) fn put(name: &str, definition: &str) -> FlowPut {
    FlowPut {
        tenant: tenant(),
        name: name.into(),
        origin: FlowOrigin::Api,
        definition: definition.into(),
        enabled: true,
        from_beginning: true,
        now_ms: 1_000,
    }
}

fn vendor() -> ConnectionName {
    ConnectionName::new("vendor").unwrap()
}

fn hash(text: &str) -> [u8; 16] {
    ContentHash::of(text.as_bytes()).0
}

/// A delivery of a change's body, on the lane of its record.
fn new(entry: &FeedEntry) -> NewDelivery {
    let id = entry.change.id.to_string();
    NewDelivery {
        seq: entry.change.seq,
        record: entry.change.id,
        connection: vendor(),
        action: "employee.upsert".into(),
        key: hash(&format!("{id} {}", entry.change.revision)),
        lane: hash(&id),
        not_before_ms: 1_000,
        deadline_ms: None,
        state: DeliveryState::Pending,
        input: entry.body.clone(),
        input_hash: ContentHash::of(&entry.body).0,
        hops: 0,
        caused_by: None,
        error: None,
    }
}

/// Steps a flow over everything that is there.
pub(crate) async fn step(store: &Arc<dyn Store>, flow: &FlowRow) -> Result<u64, StoreError> {
    let flow = store.flow(&flow.tenant, &flow.name).await.unwrap().unwrap();
    let piece = store.feed(&flow.tenant, flow.position, "employee", 100).await.unwrap();
    let deliveries = piece.entries.iter().map(new).collect();
    let step = Advance {
        flow: flow.id,
        version: flow.version,
        from: flow.position,
        to: piece.up_to,
        deliveries,
        supersede: Vec::new(),
    };
    store.advance(vec![step], 1_000).await
}

pub(crate) async fn claim(store: &Arc<dyn Store>, limit: u32, now_ms: i64) -> Vec<Claimed> {
    let claim = Claim { tenant: tenant(), connection: vendor(), limit, now_ms, lease_ms: 60_000 };
    store.claim(claim).await.unwrap()
}

pub(crate) async fn settle(store: &Arc<dyn Store>, claimed: &Claimed, end: AttemptEnd, now_ms: i64) -> bool {
    let end = Settle { delivery: claimed.delivery.id, token: claimed.token, end, notice: None, now_ms };
    store.settle(vec![end]).await.unwrap()[0]
}

pub(crate) fn arrived(reference: &str) -> AttemptEnd {
    AttemptEnd::Delivered(ReceiptKept { reference: Some(reference.into()), detail: "{}".into() })
}

async fn state(store: &Arc<dyn Store>, id: i64) -> DeliveryState {
    store.delivery(&tenant(), id).await.unwrap().unwrap().state
}

fn inputs(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|one| std::str::from_utf8(&one.delivery.input).unwrap()).collect()
}

on_both! {
    async fn another_policy_takes_the_inputs_of_what_did_not_arrive_away(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1"), rec("d", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let claimed = claim(store, 2, 2_000).await;
        let arrived = AttemptEnd::Delivered(ReceiptKept { reference: None, detail: "{}".into() });
        settle(store, &claimed[0], arrived, 2_000).await;
        settle(store, &claimed[1], AttemptEnd::Dead { error: "x".into() }, 2_000).await;
        let all = store.deliveries(&tenant(), &DeliveryQuery { limit: 9, ..DeliveryQuery::default() }).await.unwrap();
        let ids: Vec<i64> = all.iter().map(|row| row.id).rev().collect();
        assert_eq!(store.policy(&tenant(), &vendor()).await.unwrap(), None);
        // One delivery is not named, and a named one that does not belong to the destination is ignored.
        let forget = vec![ids[0], ids[1], ids[2], 99];
        assert_eq!(store.put_policy(&tenant(), &vendor(), [1; 16], forget.clone()).await.unwrap(), 2);
        assert_eq!(store.put_policy(&tenant(), &connection(), [2; 16], forget).await.unwrap(), 0);
        assert_eq!(store.policy(&tenant(), &vendor()).await.unwrap(), Some([1; 16]));
        let other = TenantId::new("globex").unwrap();
        assert_eq!(store.policy(&other, &vendor()).await.unwrap(), None);
        let mut empty = Vec::new();
        for id in &ids {
            empty.push(store.delivery(&tenant(), *id).await.unwrap().unwrap().input.is_empty());
        }
        assert_eq!(empty, [false, true, true, false], "what arrived is kept as it was sent");
        let again = claim(store, 9, 3_000).await;
        let waiting = again.iter().find(|claimed| claimed.delivery.id == ids[2]).unwrap();
        assert!(store.fill_delivery(ids[2], waiting.token, b"{}".to_vec()).await.unwrap());
    }

    async fn another_definition_is_another_version_and_a_flow_that_was_away_begins_with_the_next_change(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let late = store.put_flow(FlowPut { from_beginning: false, ..put("late", "{}") }).await.unwrap();
        assert_eq!((late.version, late.position), (1, 1));
        let first = store.put_flow(put("first", "{}")).await.unwrap();
        assert_eq!((first.version, first.position), (1, 0));
        assert_eq!(store.put_flow(put("first", "{}")).await.unwrap().version, 1);
        assert_eq!(store.put_flow(put("first", "{ }")).await.unwrap().version, 2);
        let versions = store.flow_versions(&tenant(), "first", 10).await.unwrap();
        assert_eq!(versions.iter().map(|v| v.definition.as_str()).collect::<Vec<_>>(), ["{ }", "{}"]);

        step(store, &first).await.unwrap();
        assert!(store.retire_flow(&tenant(), "first", 2_000).await.unwrap());
        assert!(!store.retire_flow(&tenant(), "never", 2_000).await.unwrap());
        assert_eq!(store.flows(&tenant()).await.unwrap().len(), 1);
        let waiting = store.deliveries(&tenant(), &DeliveryQuery { limit: 9, ..DeliveryQuery::default() }).await.unwrap();
        assert_eq!(waiting[0].state, DeliveryState::Withheld, "nothing is sent for a flow that is gone");
        puller.put(vec![rec("b", "1")]).await;
        assert_eq!(store.put_flow(put("first", "{ }")).await.unwrap().position, 2, "what it missed passed it by");
    }

    async fn a_change_comes_with_what_the_record_said_after_and_before_it(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        for body in ["1", "2", "3"] {
            puller.put(vec![rec("a", body)]).await;
        }
        let piece = bed.store.feed(&tenant(), 0, "employee", 2).await.unwrap();
        assert_eq!(piece.up_to, 2, "a piece that was cut ends where it was cut");
        let piece = bed.store.feed(&tenant(), 0, "employee", 10).await.unwrap();
        let bodies: Vec<_> =
            piece.entries.iter().map(|entry| (entry.body.as_slice(), entry.before.as_deref())).collect();
        assert_eq!(bodies, [(&b"1"[..], None), (b"2", Some(&b"1"[..])), (b"3", Some(b"2"))]);
        assert_eq!(piece.up_to, 3);
        let other = bed.store.feed(&tenant(), 0, "candidate", 10).await.unwrap();
        assert_eq!((other.entries.len(), other.up_to), (0, 3), "entries of other entities are passed at once");
        let tail = bed.store.feed_tail(&tenant(), "employee", 2).await.unwrap();
        assert_eq!(tail.iter().map(|entry| entry.change.seq).collect::<Vec<_>>(), [2, 3]);
    }

    async fn a_flow_passes_each_change_once_whoever_asks(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        let stale = Advance { flow: flow.id, version: 1, from: 0, to: 2, deliveries: Vec::new(), supersede: Vec::new() };
        assert_eq!(step(store, &flow).await.unwrap(), 2);
        assert_eq!(step(store, &flow).await.unwrap(), 0);
        let doubled = store.advance(vec![stale.clone()], 1_000).await;
        assert!(matches!(doubled, Err(StoreError::Fenced(_))), "another gateway was quicker");
        store.put_flow(put("f", "{ }")).await.unwrap();
        let old = store.advance(vec![Advance { from: 2, to: 3, ..stale }], 1_000).await;
        assert!(matches!(old, Err(StoreError::Fenced(_))), "the version that was asked is no longer the flow's");
        let all = store.deliveries(&tenant(), &DeliveryQuery { limit: 9, ..DeliveryQuery::default() }).await.unwrap();
        assert_eq!(all.len(), 2);
    }

    async fn of_a_lane_one_goes_at_a_time_and_in_order_while_other_lanes_go_on(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        for body in ["1", "2", "3"] {
            puller.put(vec![rec("a", body)]).await;
        }
        puller.put(vec![rec("b", "b1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        assert!(claim(store, 9, 999).await.is_empty(), "its time has not come");
        let first = claim(store, 9, 1_000).await;
        assert_eq!(inputs(&first), ["1", "b1"]);
        assert_eq!((first[0].delivery.attempts, first[0].delivery.state), (1, DeliveryState::InFlight));
        assert!(claim(store, 9, 1_000).await.is_empty());
        // The first fails: its lane waits with it.
        let again = AttemptEnd::Retry { at_ms: 5_000, error: "busy".into(), counted: true };
        assert!(settle(store, &first[0], again, 1_001).await);
        assert!(claim(store, 9, 4_999).await.is_empty());
        let second = claim(store, 9, 5_000).await;
        assert_eq!(inputs(&second), ["1"]);
        assert_eq!((second[0].delivery.attempts, second[0].delivery.failures), (2, 1));
        assert_eq!(second[0].delivery.key, first[0].delivery.key);
        assert!(settle(store, &second[0], arrived("v1"), 5_001).await);
        let third = claim(store, 9, 5_001).await;
        assert_eq!(inputs(&third), ["2"]);
        assert!(settle(store, &third[0], AttemptEnd::Dead { error: "refused".into() }, 5_002).await);
        assert_eq!(inputs(&claim(store, 9, 5_002).await), ["3"], "the dead do not hold up the living");
    }

    async fn a_delivery_that_waits_for_its_input_gets_it_from_whoever_claimed_it_and_once(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        let piece = store.feed(&tenant(), flow.position, "employee", 9).await.unwrap();
        let mut made = new(&piece.entries[0]);
        made.input = Vec::new();
        let step = Advance {
            flow: flow.id,
            version: flow.version,
            from: flow.position,
            to: piece.up_to,
            deliveries: vec![made],
            supersede: Vec::new(),
        };
        store.advance(vec![step], 1_000).await.unwrap();
        assert!(!store.fill_delivery(1, 1, b"{}".to_vec()).await.unwrap(), "it is not claimed");
        let taken = claim(store, 1, 1_000).await.remove(0);
        let (id, token) = (taken.delivery.id, taken.token);
        assert!(!store.fill_delivery(id, token + 1, b"{}".to_vec()).await.unwrap(), "it is another's");
        assert!(store.fill_delivery(id, token, b"{}".to_vec()).await.unwrap());
        assert!(!store.fill_delivery(id, token, b"[]".to_vec()).await.unwrap(), "it has one");
        let row = store.delivery(&tenant(), id).await.unwrap().unwrap();
        assert_eq!((row.input.as_slice(), row.input_hash), (&b"{}"[..], ContentHash::of(b"{}").0));
    }

    async fn an_attempt_that_is_given_up_is_made_again_and_its_late_answer_changes_nothing(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let slow = claim(store, 1, 1_000).await.remove(0);
        bed.time_passes(59_000).await;
        assert!(claim(store, 1, 60_000).await.is_empty());
        bed.time_passes(1_000).await;
        let next = claim(store, 1, 61_000).await.remove(0);
        assert_eq!((next.delivery.id, next.delivery.attempts), (slow.delivery.id, 2));
        assert!(!settle(store, &slow, AttemptEnd::Dead { error: "late".into() }, 61_001).await);
        assert!(settle(store, &next, arrived("v1"), 61_002).await);
        assert!(!settle(store, &next, arrived("v2"), 61_003).await, "an end comes once");
        let kept = store.delivery(&tenant(), next.delivery.id).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.receipt.unwrap().reference.unwrap().as_str()), (DeliveryState::Delivered, "v1"));
    }

    async fn what_was_given_back_was_never_attempted(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let taken = claim(store, 1, 1_000).await.remove(0);
        assert!(settle(store, &taken, AttemptEnd::Released, 1_001).await);
        assert_eq!(claim(store, 1, 1_001).await[0].delivery.attempts, 1);
    }

    async fn an_unconfirmed_delivery_is_asked_about_and_holds_up_nobody(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        puller.put(vec![rec("a", "2")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let sent = claim(store, 1, 1_000).await.remove(0);
        let receipt = ReceiptKept { reference: Some("task-7".into()), detail: "{\"n\":1}".into() };
        let end = AttemptEnd::Unconfirmed { receipt, ask_at_ms: 9_000 };
        assert!(settle(store, &sent, end, 1_001).await);
        assert_eq!(inputs(&claim(store, 9, 1_002).await), ["2"]);
        let asked = claim(store, 9, 9_000).await.remove(0);
        assert!(asked.confirm && asked.delivery.id == sent.delivery.id);
        assert_eq!((asked.delivery.state, asked.delivery.attempts), (DeliveryState::Unconfirmed, 1));
        assert!(settle(store, &asked, AttemptEnd::AskAgain { at_ms: 10_000, error: None }, 9_001).await);
        let asked = claim(store, 9, 10_000).await.remove(0);
        assert_eq!(asked.delivery.receipt.as_ref().unwrap().reference.as_deref(), Some("task-7"));
        assert!(settle(store, &asked, AttemptEnd::Dead { error: "over the limit".into() }, 10_001).await);
        assert_eq!(state(store, sent.delivery.id).await, DeliveryState::Dead);
    }

    async fn a_newer_change_takes_the_place_of_what_nobody_attempted_yet(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let entry = store.feed(&tenant(), 0, "employee", 1).await.unwrap().entries.remove(0);
        puller.put(vec![rec("a", "2")]).await;
        let to = Advance {
            flow: flow.id, version: 1, from: 1, to: 2, deliveries: Vec::new(), supersede: vec![(new(&entry).lane, 2)],
        };
        store.advance(vec![to], 2_000).await.unwrap();
        assert!(claim(store, 9, 9_000).await.is_empty());
        assert_eq!(state(store, 1).await, DeliveryState::Withheld);
    }

    async fn a_change_that_a_delivery_caused_is_known_by_its_receipt_or_by_its_record(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let taken = claim(store, 1, 1_000).await.remove(0);
        assert!(settle(store, &taken, arrived("v-7"), 2_000).await);
        let record = taken.delivery.change.id;
        let other = store.feed(&tenant(), 0, "employee", 1).await.unwrap().entries[0].change.id;
        let ask = |connection: ConnectionName, external: &str, since_ms| {
            EchoAsk { connection, external_id: external.into(), record, since_ms }
        };
        let mut asked = vec![ask(vendor(), "v-7", 2_000), ask(vendor(), "v-8", 2_000), ask(connection(), "v-7", 2_000)];
        asked.push(ask(vendor(), "v-7", 2_001));
        let found = store.echoes(&tenant(), &asked).await.unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false], "the last is too long ago");
        assert_eq!(other, record);
        let of = Repeats { record, lane: new_lane(&taken), input_hash: hash("1"), since_ms: 0 };
        let asked = vec![of, Repeats { input_hash: hash("2"), ..of }, Repeats { since_ms: 1_001, ..of }];
        assert_eq!(store.repeats(asked).await.unwrap(), [1, 0, 0]);
    }

    async fn the_dead_are_sent_again_when_asked_and_forgotten_when_old(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        for taken in claim(store, 9, 1_000).await {
            let mut notice = new(&store.feed(&tenant(), 0, "employee", 1).await.unwrap().entries[0]);
            notice.connection = connection();
            let end = AttemptEnd::Dead { error: "refused".into() };
            let notice = (taken.delivery.id == 1).then_some(notice);
            let end = Settle { delivery: taken.delivery.id, token: taken.token, end, notice, now_ms: 2_000 };
            store.settle(vec![end]).await.unwrap();
        }
        let dead = DeliveryQuery { state: Some(DeliveryState::Dead), limit: 9, ..DeliveryQuery::default() };
        assert_eq!(store.deliveries(&tenant(), &dead).await.unwrap().len(), 3);
        let notices = DeliveryQuery { connection: Some(connection()), limit: 9, ..DeliveryQuery::default() };
        assert_eq!(store.deliveries(&tenant(), &notices).await.unwrap().len(), 1, "its end made one elsewhere");

        let stranger = TenantId::new("globex").unwrap();
        assert!(!store.replay_delivery(&stranger, 1, None, 3_000).await.unwrap());
        assert!(store.delivery(&stranger, 1).await.unwrap().is_none());
        assert_eq!(store.replay_dead(&stranger, "f", 3_000).await.unwrap(), 0);
        assert!(store.replay_delivery(&tenant(), 1, None, 3_000).await.unwrap());
        assert!(!store.replay_delivery(&tenant(), 1, None, 3_000).await.unwrap(), "it is pending");
        assert_eq!(store.replay_dead(&tenant(), "f", 3_000).await.unwrap(), 2);
        let again = claim(store, 2, 3_000).await;
        assert_eq!((again.len(), again[0].delivery.attempts, again[0].delivery.failures), (2, 1, 0));
        assert!(settle(store, &again[0], arrived("v"), 4_000).await);
        assert_eq!(store.prune_deliveries(4_000, 5_000).await.unwrap(), 0);
        assert_eq!(store.prune_deliveries(4_001, 5_000).await.unwrap(), 1);
    }

    async fn lists_are_filtered_and_say_who_has_work(bed: &Bed) {
        let store = &bed.store;
        assert!(store.due(1_000).await.unwrap().is_empty());
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        for name in ["f", "g"] {
            let flow = store.put_flow(put(name, "{}")).await.unwrap();
            step(store, &flow).await.unwrap();
        }
        let due = store.due(1_000).await.unwrap();
        assert_eq!((due.len(), &due[0].connection), (1, &vendor()));
        assert!(due[0].next_at_ms <= 1_000, "never too late: {}", due[0].next_at_ms);
        let counts = store.delivery_counts(&tenant()).await.unwrap();
        assert_eq!(counts.iter().map(|c| (c.flow.as_str(), c.count)).collect::<Vec<_>>(), [("f", 2), ("g", 2)]);
        let base = DeliveryQuery { limit: 9, ..DeliveryQuery::default() };
        let all = store.deliveries(&tenant(), &base).await.unwrap();
        assert_eq!(all.iter().map(|row| row.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
        assert!(all.iter().all(|row| row.input.is_empty()));
        let record = all[0].change.id;
        for (query, wanted) in [
            (DeliveryQuery { flow: Some("f".into()), ..base.clone() }, 2),
            (DeliveryQuery { flow: Some("h".into()), ..base.clone() }, 0),
            (DeliveryQuery { record: Some(record), ..base.clone() }, 2),
            (DeliveryQuery { state: Some(DeliveryState::Pending), ..base.clone() }, 4),
            (DeliveryQuery { state: Some(DeliveryState::Dead), ..base.clone() }, 0),
            (DeliveryQuery { before: Some(3), ..base.clone() }, 2),
            (DeliveryQuery { connection: Some(connection()), ..base.clone() }, 0),
            (DeliveryQuery { flow: Some("f".into()), record: Some(record), before: Some(4), ..base.clone() }, 1),
        ] {
            assert_eq!(store.deliveries(&tenant(), &query).await.unwrap().len(), wanted, "{query:?}");
        }
    }
}

fn new_lane(claimed: &Claimed) -> [u8; 16] {
    hash(&claimed.delivery.change.id.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_between_claim_and_answer_leaves_the_delivery_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let options = renmen_store::StoreOptions::at(format!("sqlite:{}", folder.path().join("r.db").display()));
    let store = renmen_store::open(options.clone()).await.unwrap();
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    let flow = store.put_flow(put("f", "{}")).await.unwrap();
    step(&store, &flow).await.unwrap();
    let before = claim(&store, 1, 1_000).await.remove(0);
    drop((puller, store));
    let store = renmen_store::open(options).await.unwrap();
    let after = claim(&store, 1, 1_001).await.remove(0);
    assert_eq!((after.delivery.key, after.delivery.attempts), (before.delivery.key, 2));
    assert!(!settle(&store, &before, arrived("x"), 1_002).await, "the claim of the ended process is void");
}
