//! A vendor's time that lies in the future: the record comes in, by either door, and freezes nothing.

use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use renmen_plugin_host::{Answer, Delivery, Door, Envelope, ReceivedDelivery, Usage};
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::RecordQuery;
use renmen_sync::{IngestLimits, Schedule, Sender};
use serde_json::json;

use crate::vendor::{Script, Vendor, unit};
use crate::world::{World, connection, tenant, units};

const IN_2062_MS: i64 = 2_929_507_200_000;

/// What the store says of when the vendor changed each record, in the order of their ids.
async fn times(world: &World) -> Vec<Option<i64>> {
    let query = RecordQuery { limit: 10, ..RecordQuery::default() };
    let mut records = world.store.records(&tenant(), &query).await.unwrap().items;
    records.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    records.iter().map(|record| record.source_updated_at_ms).collect()
}

fn dated_ahead(world: &World) -> u64 {
    world.engine.health().into_iter().find(|(key, _)| *key == units()).unwrap().1.dated_ahead
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_a_record_from_the_future_in_without_its_time_and_counts_it() {
    let limits = || IngestLimits { dated_ahead_max: Duration::from_secs(60), ..IngestLimits::default() };
    // The clock of the first run, and the farthest time that is believed then.
    let believed_ms = 1_001_000 + 60_000;
    let script = |vendor| {
        Script::new(vendor, StreamMode::Incremental, Deletes::None).mutating(move |page, _| {
            for (record, at_ms) in page.records.iter_mut().zip([IN_2062_MS, believed_ms + 1, believed_ms]) {
                record.updated_at_ms = Some(at_ms);
            }
        })
    };
    let vendor = Vendor::with(4, 10);
    let world = World::with(script(&vendor), limits(), Schedule::Manual).await;
    let report = world.run().await;
    assert!(report.completed());
    assert_eq!((report.outcome.created, report.dated_ahead), (4, 2));
    assert_eq!(times(&world).await, [None, None, Some(believed_ms), Some(4)]);
    assert_eq!(dated_ahead(&world), 2);
    // Nothing came in the next run, so nothing is dated ahead any more.
    assert_eq!((world.run().await.dated_ahead, dated_ahead(&world)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_from_the_future_does_not_keep_later_changes_out() {
    let told =
        |name: &str, at_ms: i64| Envelope { exchange: 0, ..unit(&json!({ "id": "u1", "name": name, "at": at_ms })) };
    let events = Mutex::new(vec![
        told("of a time before the last", 1_000_100),
        told("as it really is now", 1_000_200),
        told("from the future", IN_2062_MS),
        told("as it was first", 1_000_000),
    ]);
    let outcome = move || ReceivedDelivery {
        answer: Answer { status: 204, headers: Vec::new(), body: Bytes::new() },
        delivery_id: None,
        records: events.lock().pop().into_iter().collect(),
        rejects: Vec::new(),
        refresh: Vec::new(),
        question: false,
        exchanges: Vec::new(),
        memory: None,
        usage: Usage::default(),
    };
    let vendor = Vendor::with(0, 10);
    let world = World::new(Script::new(&vendor, StreamMode::Incremental, Deletes::None).taking(outcome)).await;
    let mut names = Vec::new();
    for number in 0..4 {
        let delivery = Delivery {
            method: "POST".to_owned(),
            path_and_query: String::new(),
            headers: Vec::new(),
            body: Bytes::from(number.to_string()),
            received_at_ms: 1_000_300,
            window: Duration::from_secs(300),
            door: Door::Request,
        };
        world.engine.deliveries().take_in(&tenant(), &connection(), Sender::Unknown, delivery).await.unwrap();
        names.push(world.live().await["u1"].clone());
    }
    assert_eq!(names, ["as it was first", "from the future", "as it really is now", "as it really is now"]);
    assert_eq!(times(&world).await, [Some(1_000_200)]);
    assert_eq!(dated_ahead(&world), 1);
}
