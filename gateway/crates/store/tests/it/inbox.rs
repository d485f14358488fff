//! Deliveries: once, all or nothing, in any order; and what they only announce.

use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::inbox::{DeliveryWrite, Intake, IntakePage, RefreshAsk, RefreshFailed, RefreshRow, Taken};
use renmen_store::{
    Content, DeletedBy, ExchangeWrite, PluginRef, RecordQuery, RecordRow, RecordWrite, RunTrigger, Store, StoreError,
};

use crate::bed::on_both;

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn record(id: &str, body: &str, at_ms: i64) -> RecordWrite {
    RecordWrite {
        external_id: id.into(),
        content: Content::of("employee", body.into()),
        updated_at_ms: Some(at_ms),
        exchange_no: 0,
        pointer: "/data".into(),
        deleted: None,
    }
}

fn gone(id: &str, at_ms: i64) -> RecordWrite {
    let deleted = Some(DeletedBy::SourceEvent);
    RecordWrite { content: Content::gone("employee"), deleted, ..record(id, "", at_ms) }
}

fn exchange() -> ExchangeWrite {
    ExchangeWrite {
        no: 0,
        method: "POST".into(),
        url: "/hooks/people".into(),
        status: 200,
        key: [1; 16],
        body_hash: [2; 32],
        packed: b"packed".to_vec(),
        body_at: None,
        at_ms: 5,
    }
}

pub(crate) fn intake(id: &str, records: Vec<RecordWrite>) -> Intake {
    Intake {
        tenant: tenant(),
        connection: ConnectionName::new("people").unwrap(),
        plugin: PluginRef { name: "p".into(), version: "0.1.0".into(), digest: "sha256:1".into() },
        delivery: Some(DeliveryWrite {
            identity: *blake3::hash(id.as_bytes()).as_bytes(),
            delivery_id: Some(id.into()),
            repeats_after_ms: None,
            received_at_ms: 1_000,
        }),
        pages: vec![IntakePage {
            stream: "users".parse().unwrap(),
            records,
            quarantine: Vec::new(),
            exchanges: vec![exchange()],
        }],
        refreshes: Vec::new(),
        held: Vec::new(),
        done: Vec::new(),
        clock_ms: 1_000,
        now_ms: 1_000,
    }
}

async fn take(store: &dyn Store, id: &str, records: Vec<RecordWrite>) -> Taken {
    store.take_in(intake(id, records)).await.unwrap()
}

async fn one(store: &dyn Store, id: &str) -> Option<RecordRow> {
    let query = RecordQuery { external_id: Some(id.into()), include_deleted: true, limit: 1, ..RecordQuery::default() };
    store.records(&tenant(), &query).await.unwrap().items.pop()
}

async fn body(store: &dyn Store, id: &str) -> String {
    let row = one(store, id).await.unwrap();
    if row.deleted.is_some() { "gone".into() } else { String::from_utf8(row.body).unwrap() }
}

fn ask(id: Option<&str>) -> RefreshAsk {
    RefreshAsk { stream: "users".parse().unwrap(), external_id: id.map(str::to_owned) }
}

on_both! {
    async fn a_delivery_is_taken_in_once_with_its_exchange(bed: &Bed) {
        let store = bed.store.as_ref();
        let first = take(store, "d1", vec![record("1", "{}", 10)]).await;
        assert_eq!((first.repeated, first.outcome.created), (false, 1));
        let again = take(store, "d1", vec![record("1", "{\"a\":1}", 20)]).await;
        assert!(again.repeated);
        assert_eq!(store.changes(&tenant(), 0, None, 10).await.unwrap().len(), 1);
        let row = one(store, "1").await.unwrap();
        assert_eq!((row.body.as_slice(), row.origin.stream.as_str()), (&b"{}"[..], "users"));
        let kept = store.exchange(&tenant(), row.origin.exchange.unwrap()).await.unwrap().unwrap();
        assert_eq!(kept.exchange.url, "/hooks/people");
        let inbox = store.inbox(&tenant(), None, None, 10).await.unwrap();
        assert_eq!((inbox.len(), inbox[0].repeats, inbox[0].records, inbox[0].changes), (1, 1, 1, 1));
        assert_eq!(inbox[0].delivery_id.as_deref(), Some("d1"));
        let run = store.run(&tenant(), row.origin.run).await.unwrap().unwrap();
        assert_eq!((run.trigger, run.pages, run.records), (RunTrigger::Webhook, 1, 1));
        assert!(store.inbox(&TenantId::new("other").unwrap(), None, None, 10).await.unwrap().is_empty());
    }

    async fn a_time_that_is_still_to_come_keeps_no_later_state_out(bed: &Bed) {
        // As stores hold it from before such times were left out at the door.
        let store = bed.store.as_ref();
        let (day_ms, now_ms) = (86_400_000, 1_000);
        take(store, "d1", vec![record("1", "{\"v\":1}", now_ms + day_ms), record("2", "{\"v\":1}", now_ms + day_ms + 1)]).await;
        take(store, "d2", vec![gone("3", now_ms + day_ms), gone("4", now_ms + day_ms + 1)]).await;
        let later = ["1", "2", "3", "4"].map(|id| record(id, "{\"v\":2}", 900)).to_vec();
        take(store, "d3", later).await;
        assert_eq!(body(store, "1").await, "{\"v\":1}", "within a day it is believed");
        assert_eq!(body(store, "2").await, "{\"v\":2}");
        assert!(one(store, "3").await.is_none(), "deleted later than this state");
        assert_eq!(body(store, "4").await, "{\"v\":2}");
    }

    async fn the_same_deliveries_at_once_are_taken_in_once(bed: &Bed) {
        let takes = (0..200).map(|n| {
            let store = Arc::clone(&bed.store);
            tokio::spawn(async move { take(store.as_ref(), &format!("d{}", n % 20), vec![record("1", &n.to_string(), n)]).await })
        });
        let mut repeated = 0;
        for taken in takes.collect::<Vec<_>>() {
            repeated += usize::from(taken.await.unwrap().repeated);
        }
        assert_eq!(repeated, 180);
        assert_eq!(bed.store.inbox(&tenant(), None, None, 100).await.unwrap().len(), 20);
    }

    async fn a_bad_one_leaves_those_beside_it(bed: &Bed) {
        let bad = intake("bad", vec![record("x\0y", "{}", 1)]);
        let (bad, good) = tokio::join!(bed.store.take_in(bad), bed.store.take_in(intake("good", vec![record("1", "{}", 1)])));
        assert!(matches!(bad, Err(StoreError::BadInput(_))));
        assert_eq!(good.unwrap().outcome.created, 1);
        assert_eq!(bed.store.inbox(&tenant(), None, None, 10).await.unwrap().len(), 1);
    }

    async fn an_older_state_never_takes_the_place_of_a_newer_one(bed: &Bed) {
        let store = bed.store.as_ref();
        take(store, "1", vec![record("a", "new", 200)]).await;
        take(store, "2", vec![record("a", "old", 100)]).await;
        assert_eq!(body(store, "a").await, "new");
        // The same state at a later time makes what lies between late.
        take(store, "3", vec![record("a", "new", 300)]).await;
        take(store, "4", vec![record("a", "between", 250)]).await;
        assert_eq!(body(store, "a").await, "new");
        take(store, "5", vec![record("a", "newest", 400)]).await;
        assert_eq!(body(store, "a").await, "newest");
    }

    async fn a_deletion_stays_whatever_comes_late(bed: &Bed) {
        let store = bed.store.as_ref();
        take(store, "1", vec![record("a", "one", 100)]).await;
        take(store, "2", vec![gone("a", 200)]).await;
        take(store, "3", vec![record("a", "late", 150)]).await;
        assert_eq!(body(store, "a").await, "gone");
        assert_eq!(one(store, "a").await.unwrap().deleted, Some(DeletedBy::SourceEvent));
        take(store, "4", vec![record("a", "back", 300)]).await;
        take(store, "5", vec![gone("a", 250)]).await;
        assert_eq!(body(store, "a").await, "back");
    }

    async fn the_deletion_of_what_was_never_seen_is_remembered_for_its_time(bed: &Bed) {
        let store = bed.store.as_ref();
        take(store, "1", vec![gone("a", 200)]).await;
        take(store, "2", vec![record("a", "late", 100)]).await;
        assert!(one(store, "a").await.is_none());
        take(store, "3", vec![record("a", "back", 300)]).await;
        assert_eq!(body(store, "a").await, "back");
        take(store, "4", vec![gone("b", 200)]).await;
        assert!(store.purge_inbox(2_000, 100, 3_000).await.unwrap() > 4);
        assert!(store.inbox(&tenant(), None, None, 10).await.unwrap().is_empty());
        take(store, "5", vec![record("b", "nobody knows any more", 100)]).await;
        assert_eq!(body(store, "b").await, "nobody knows any more");
    }

    async fn an_equal_body_may_come_again_after_its_time(bed: &Bed) {
        let at = |received_at_ms| {
            let mut intake = intake("body", vec![]);
            let delivery = intake.delivery.as_mut().unwrap();
            (delivery.repeats_after_ms, delivery.received_at_ms) = (Some(300), received_at_ms);
            intake.refreshes = vec![ask(Some("1"))];
            intake
        };
        assert!(!bed.store.take_in(at(1_000)).await.unwrap().repeated);
        assert!(bed.store.take_in(at(1_300)).await.unwrap().repeated);
        assert!(!bed.store.take_in(at(1_301)).await.unwrap().repeated);
    }

    async fn a_refresh_is_there_until_it_is_done_and_again_when_it_was_asked_for_meanwhile(bed: &Bed) {
        let store = bed.store.as_ref();
        let with = |id: &str, asks: Vec<RefreshAsk>| Intake { refreshes: asks, ..intake(id, vec![]) };
        assert_eq!(store.next_refresh_ms().await.unwrap(), None);
        store.take_in(with("1", vec![ask(Some("a")), ask(None)])).await.unwrap();
        store.take_in(with("2", vec![ask(Some("a"))])).await.unwrap();
        assert_eq!(store.next_refresh_ms().await.unwrap(), Some(1_000));
        let claimed = store.claim_refreshes(1_000, 500, &[], 10).await.unwrap();
        assert_eq!(claimed.len(), 2);
        assert!(store.claim_refreshes(1_400, 500, &[], 10).await.unwrap().is_empty(), "they are claimed");
        let (a, whole) = (&claimed[0], &claimed[1]);
        assert_eq!((a.ask.clone(), a.asked, a.attempts, whole.ask.clone()), (ask(Some("a")), 2, 1, ask(None)));
        store.take_in(with("3", vec![ask(Some("a"))])).await.unwrap();
        let done = RefreshRow::done;
        let failed = RefreshFailed { id: whole.id, token: whole.token, error: "vendor is down".into(), due_at_ms: 9_000 };
        store.settle_refreshes(vec![done(a)], vec![failed], 1_500).await.unwrap();
        let again = store.claim_refreshes(1_500, 500, &[], 10).await.unwrap();
        assert_eq!((again.len(), again[0].ask.clone(), again[0].asked), (1, ask(Some("a")), 3));
        // What a targeted read brings and what it was for become durable together.
        let read = Intake { delivery: None, done: vec![done(&again[0])], ..intake("", vec![record("a", "{}", 1)]) };
        assert_eq!(store.take_in(read).await.unwrap().outcome.created, 1);
        assert_eq!(store.next_refresh_ms().await.unwrap(), Some(9_000));
        assert_eq!(store.inbox(&tenant(), None, None, 10).await.unwrap().len(), 3);
        let run = one(store, "a").await.unwrap().origin.run;
        assert_eq!(store.run(&tenant(), run).await.unwrap().unwrap().trigger, RunTrigger::Refresh);
    }

    async fn refreshes_of_a_connection_that_has_enough_to_do_are_passed_over(bed: &Bed) {
        let store = bed.store.as_ref();
        let name = |text: &str| ConnectionName::new(text).unwrap();
        for (connection, id) in [("loud", "1"), ("loud", "2"), ("people", "3")] {
            let asks = vec![ask(Some(id))];
            let of = Intake { connection: name(connection), refreshes: asks, ..intake(&format!("{connection}-{id}"), vec![]) };
            store.take_in(of).await.unwrap();
        }
        let busy = [(tenant(), name("loud")), (TenantId::new("other").unwrap(), name("people"))];
        let claimed = store.claim_refreshes(1_000, 500, &busy, 10).await.unwrap();
        assert_eq!(claimed.iter().map(|row| row.connection.as_str()).collect::<Vec<_>>(), ["people"]);
        let rest = store.claim_refreshes(1_000, 500, &[], 10).await.unwrap();
        assert_eq!(rest.iter().map(|row| row.connection.as_str()).collect::<Vec<_>>(), ["loud", "loud"]);
    }
}
