//! Deliveries that people make: one for a key, under a flow that is never asked.

use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{
    BY_HAND, Claim, DeliveryQuery, DeliveryState, FeedEntry, FlowOrigin, FlowPut, HandMade, NewDelivery,
};
use renmen_store::{ChangeKind, ContentHash, Store, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, gone, key, rec, tenant};

fn made(entry: &FeedEntry, key: &str) -> HandMade {
    let hash = |text: &str| ContentHash::of(text.as_bytes()).0;
    HandMade {
        tenant: tenant(),
        flow: None,
        delivery: NewDelivery {
            seq: entry.change.seq,
            record: entry.change.id,
            connection: ConnectionName::new("vendor").unwrap(),
            action: "interview.cancel".into(),
            key: hash(key),
            lane: hash("lane"),
            not_before_ms: 1_000,
            deadline_ms: None,
            state: DeliveryState::Pending,
            input: b"{}".to_vec(),
            input_hash: hash("{}"),
            hops: 0,
            caused_by: None,
            error: None,
        },
        by_hand: r#"{"by":"Li Na","reason":"withdrew"}"#.into(),
        now_ms: 1_000,
    }
}

async fn all(store: &Arc<dyn Store>) -> Vec<renmen_store::outbox::DeliveryRow> {
    store.deliveries(&tenant(), &DeliveryQuery { limit: 9, ..DeliveryQuery::default() }).await.unwrap()
}

on_both! {
    async fn a_person_makes_one_delivery_for_a_key(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        puller.put(vec![rec("a", "2")]).await;
        let id = record_a(store).await;
        let entry = store.last_change(&tenant(), id).await.unwrap().unwrap();
        assert_eq!((entry.change.kind, entry.change.revision), (ChangeKind::Updated, 2));
        assert_eq!((entry.body.as_slice(), entry.before.as_deref()), (&b"2"[..], Some(&b"1"[..])));
        assert!(store.last_change(&TenantId::new("other").unwrap(), id).await.unwrap().is_none());

        let one = made(&entry, "k");
        assert_eq!(store.made_by_hand(one.delivery.key).await.unwrap(), None);
        let (first, second) = tokio::join!(store.make_by_hand(one.clone()), store.make_by_hand(one.clone()));
        let mut both = [first.unwrap(), second.unwrap()];
        both.sort_by_key(|(_, is_new)| *is_new);
        assert_eq!((both[0].0, both[0].1, both[1].1), (both[1].0, false, true), "a double click acts once");
        assert_eq!(store.made_by_hand(one.delivery.key).await.unwrap(), Some(both[0].0));
        assert!(store.make_by_hand(made(&entry, "other")).await.unwrap().1);

        let rows = all(store).await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.flow == BY_HAND && row.by_hand.as_deref().unwrap().contains("Li Na")));
        assert!(store.flows(&tenant()).await.unwrap().is_empty(), "it is not listed as a flow");
        let claim = Claim {
            tenant: tenant(),
            connection: ConnectionName::new("vendor").unwrap(),
            limit: 9,
            now_ms: 2_000,
            lease_ms: 1_000,
        };
        assert_eq!(store.claim(claim).await.unwrap().len(), 1, "in order, as their lane says");

        puller.put(vec![gone("a")]).await;
        assert_eq!(store.last_change(&tenant(), id).await.unwrap().unwrap().change.kind, ChangeKind::Deleted);
    }

    async fn under_a_flow_that_changed_meanwhile_nothing_is_made(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let put = |definition: &str| FlowPut {
            tenant: tenant(),
            name: "order".into(),
            origin: FlowOrigin::Api,
            definition: definition.into(),
            enabled: true,
            from_beginning: false,
            now_ms: 1_000,
        };
        let old = store.put_flow(put("{}")).await.unwrap();
        let new = store.put_flow(put("{\"a\":1}")).await.unwrap();
        let entry = store.last_change(&tenant(), record_a(store).await).await.unwrap().unwrap();
        let under = |version| HandMade { flow: Some((old.id, version)), ..made(&entry, "k") };
        assert!(matches!(store.make_by_hand(under(old.version)).await, Err(StoreError::Fenced(_))));
        assert!(store.make_by_hand(under(new.version)).await.unwrap().1);
        assert_eq!(all(store).await[0].flow, "order");
        store.retire_flow(&tenant(), "order", 2_000).await.unwrap();
        let gone = HandMade { flow: Some((old.id, new.version)), ..made(&entry, "k2") };
        assert!(matches!(store.make_by_hand(gone).await, Err(StoreError::Fenced(_))));
    }
}

/// The record `a`.
async fn record_a(store: &Arc<dyn Store>) -> renmen_schema::id::RecordId {
    let query = renmen_store::RecordQuery {
        entity: Some("employee".into()),
        external_id: Some("a".into()),
        connection: Some(crate::puller::connection()),
        limit: 1,
        ..renmen_store::RecordQuery::default()
    };
    store.records(&tenant(), &query).await.unwrap().items[0].id
}
