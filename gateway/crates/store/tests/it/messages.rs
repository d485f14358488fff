//! A notification or an adjust instruction of the gateway's own is told of the ends of its deliveries, and nothing else is.

use renmen_schema::id::{ConnectionName, StreamName};
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, Claimed, DeliveryState, FlowOrigin, FlowPut, FlowRow, NewDelivery, ReceiptKept, Settle,
};
use renmen_store::{AuthoredCommit, AuthoredRecord, ContentHash, MESSAGES_STREAM, Store, TimerRow, TimerWrite};

use crate::bed::on_both;
use crate::puller::{Puller, key, rec, tenant};

fn channel() -> ConnectionName {
    ConnectionName::new("channel").unwrap()
}

fn commit(timers: Vec<TimerWrite>) -> AuthoredCommit {
    AuthoredCommit { timers, ..AuthoredCommit::of(tenant(), StreamName::new(MESSAGES_STREAM).unwrap(), 1_000) }
}

/// Records of the gateway's own.
async fn write(store: &dyn Store, entity: &str, ids: &[&str]) {
    let record = |id: &&str| AuthoredRecord {
        entity: entity.into(),
        external_id: (*id).into(),
        body: b"{}".to_vec(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    };
    let records = ids.iter().map(record).collect();
    store.author(AuthoredCommit { records, ..commit(Vec::new()) }).await.unwrap();
}

/// A flow that sends each record of an entity.
async fn flow(store: &dyn Store, entity: &str, state: DeliveryState) -> FlowRow {
    let put = FlowPut {
        tenant: tenant(),
        name: format!("{entity}-{state:?}"),
        origin: FlowOrigin::Api,
        definition: "{}".into(),
        enabled: true,
        from_beginning: true,
        now_ms: 1_000,
    };
    let flow = store.put_flow(put).await.unwrap();
    let piece = store.feed(&tenant(), 0, entity, 100).await.unwrap();
    let delivery = |entry: &renmen_store::outbox::FeedEntry| {
        let lane = ContentHash::of(format!("{} {:?}", entry.change.id, state).as_bytes()).0;
        NewDelivery {
            seq: entry.change.seq,
            record: entry.change.id,
            connection: channel(),
            action: "message.send".into(),
            key: lane,
            lane,
            not_before_ms: 1_000,
            deadline_ms: None,
            state,
            input: b"{}".to_vec(),
            input_hash: [0; 16],
            hops: 0,
            caused_by: None,
            error: None,
        }
    };
    let deliveries = piece.entries.iter().map(delivery).collect();
    let (from, version) = (flow.position, flow.version);
    let step = Advance { flow: flow.id, version, from, to: piece.up_to, deliveries, supersede: Vec::new() };
    store.advance(vec![step], 1_000).await.unwrap();
    flow
}

async fn claim(store: &dyn Store, now_ms: i64) -> Vec<Claimed> {
    let claim = Claim { tenant: tenant(), connection: channel(), limit: 10, now_ms, lease_ms: 60_000 };
    store.claim(claim).await.unwrap()
}

async fn settle(store: &dyn Store, claimed: &Claimed, end: AttemptEnd, now_ms: i64) {
    let end = Settle { delivery: claimed.delivery.id, token: claimed.token, end, notice: None, now_ms };
    assert_eq!(store.settle(vec![end]).await.unwrap(), [true]);
}

fn receipt() -> ReceiptKept {
    ReceiptKept { reference: None, detail: "{}".into() }
}

async fn due(store: &dyn Store) -> Vec<(String, i64)> {
    let due = store.due_timers(&tenant(), MESSAGES_STREAM, i64::MAX, 10).await.unwrap();
    due.into_iter().map(|TimerRow { name, due_ms }| (name, due_ms)).collect()
}

on_both! {
    async fn the_end_of_a_delivery_is_told_to_the_notification_that_it_was_made_for(bed: &Bed) {
        let store = &*bed.store;
        write(store, "notification", &["m-1"]).await;
        write(store, "decision", &["d-1"]).await;
        Puller::begin(&bed.store, key(), 1_000).await.put(vec![rec("a", "1")]).await;
        for entity in ["notification", "decision", "employee"] {
            flow(store, entity, DeliveryState::Pending).await;
        }
        assert_eq!(due(store).await, [], "nothing ended yet");
        for claimed in claim(store, 2_000).await {
            settle(store, &claimed, AttemptEnd::Retry { at_ms: 2_500, error: "x".into(), counted: true }, 2_000).await;
        }
        assert_eq!(due(store).await, [], "it is tried again");
        for claimed in claim(store, 3_000).await {
            settle(store, &claimed, AttemptEnd::Unconfirmed { receipt: receipt(), ask_at_ms: 3_500 }, 3_000).await;
        }
        assert_eq!(due(store).await, [("m-1".to_owned(), 3_000)], "of the notification alone");
        for claimed in claim(store, 3_500).await {
            settle(store, &claimed, AttemptEnd::Delivered(receipt()), 3_000).await;
        }
        assert_eq!(due(store).await, [("m-1".to_owned(), 3_001)], "another end is another time, also in the same millisecond");
        store.author(commit(vec![TimerWrite::Done { name: "m-1".into(), due_ms: 3_000 }])).await.unwrap();
        assert_eq!(due(store).await.len(), 1, "who worked on the end before takes nothing of this one away");
        store.author(commit(vec![TimerWrite::Done { name: "m-1".into(), due_ms: 3_001 }])).await.unwrap();
        assert_eq!(due(store).await, []);
    }

    async fn r49_it_is_told_to_an_adjust_instruction_too_and_to_none_of_a_vendors(bed: &Bed) {
        let store = &*bed.store;
        write(store, "model_adjustment", &["i-1"]).await;
        let theirs = renmen_store::RecordWrite {
            content: renmen_store::Content::of("model_adjustment", b"{}".to_vec()),
            ..rec("adj-1", "{}")
        };
        Puller::begin(&bed.store, key(), 1_000).await.put(vec![theirs]).await;
        flow(store, "model_adjustment", DeliveryState::Pending).await;
        let claimed = claim(store, 2_000).await;
        assert_eq!(claimed.len(), 2);
        for one in claimed {
            settle(store, &one, AttemptEnd::Dead { error: "invalid-input".into() }, 2_000).await;
        }
        assert_eq!(due(store).await, [("i-1".to_owned(), 2_000)]);
    }

    async fn what_was_never_sent_is_told_too(bed: &Bed) {
        let store = &*bed.store;
        write(store, "notification", &["m-1"]).await;
        flow(store, "notification", DeliveryState::Dead).await;
        assert_eq!(due(store).await, [("m-1".to_owned(), 1_000)], "dead from the beginning");
        store.author(commit(vec![TimerWrite::Done { name: "m-1".into(), due_ms: 1_000 }])).await.unwrap();
        let waiting = flow(store, "notification", DeliveryState::Pending).await;
        assert_eq!(due(store).await, []);
        store.retire_flow(&tenant(), &waiting.name, 5_000).await.unwrap();
        assert_eq!(due(store).await, [("m-1".to_owned(), 5_000)], "withheld because the flow was taken away");
    }
}
