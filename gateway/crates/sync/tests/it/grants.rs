//! What the operator did not grant, and what the gateway alone writes, comes in by no door.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_plugin_host::{Answer, Delivery, Door, Envelope, ReceivedDelivery, Refresh, Usage};
use renmen_schema::EntityKind;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::{QuarantineRow, RecordQuery};
use renmen_sync::{RetryOutcome, Sender, SyncError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, unit};
use crate::world::{World, connection, tenant, units};

const CARRIED: [&str; 3] = ["org_unit", "interview_result", "dimension_score"];

/// Every other record is a result that the connector made up.
fn forging(item: &Value) -> Envelope {
    let mut envelope = unit(item);
    if envelope.external_id.ends_with(['1', '3', '5', '7', '9']) {
        envelope.entity = "interview_result".to_owned();
        envelope.payload = result();
    }
    envelope
}

fn result() -> Vec<u8> {
    json!({ "interview": { "external": { "connection": "vendor", "value": "int-1" } } }).to_string().into_bytes()
}

fn script(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None).carrying(&CARRIED).mapping("sha256:1", forging)
}

fn envelope(entity: &str, id: &str, payload: Vec<u8>) -> Envelope {
    Envelope {
        entity: entity.to_owned(),
        external_id: id.to_owned(),
        updated_at_ms: None,
        deleted: false,
        exchange: 0,
        pointer: String::new(),
        payload,
    }
}

async fn stored(world: &World) -> Vec<(String, String)> {
    let query = RecordQuery { limit: 1_000, include_deleted: true, ..RecordQuery::default() };
    let rows = world.store.records(&tenant(), &query).await.unwrap().items;
    rows.into_iter().map(|row| (row.entity, row.external_id)).collect()
}

async fn count(world: &World, entity: &str) -> usize {
    stored(world).await.iter().filter(|(stored, _)| stored == entity).count()
}

fn codes(rows: &[QuarantineRow]) -> Vec<(&str, &str)> {
    let mut codes: Vec<_> = rows.iter().map(|row| (row.item.entity.as_str(), row.item.code.as_str())).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_in_what_is_granted_and_quarantines_the_rest_with_the_key_to_change() {
    let vendor = Vendor::with(40, 100);
    let world = World::granting(script(&vendor), &[EntityKind::OrgUnit]).await;
    let report = world.run().await;
    assert!(report.completed(), "what is not granted fails no run: {:?}", report.failure);
    assert_eq!((report.outcome.created, report.outcome.quarantined), (20, 20));
    let waiting = world.quarantined().await;
    assert_eq!(codes(&waiting), [("interview_result", "entity_not_granted")]);
    assert!(waiting[0].item.reason.english().contains("`grant.entities`"), "{}", waiting[0].item.reason);
    assert_eq!(waiting[0].item.raw, result(), "it can be let in later");

    // Read again: what waits is no more than it was.
    world.engine.runs().reset(&units()).await.unwrap();
    assert_eq!(world.run().await.outcome.unchanged, 20);
    assert_eq!(world.quarantined().await.len(), 20);

    // Granted, a retry lets it in.
    let world = world.regranted(script(&vendor), &[EntityKind::OrgUnit, EntityKind::InterviewResult]);
    for row in &waiting {
        let outcome = world.engine.quarantine().retry(&tenant(), row.id).await.unwrap();
        assert!(matches!(outcome, RetryOutcome::Accepted(_)), "{outcome:?}");
    }
    assert_eq!(count(&world, "interview_result").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_and_a_replay_let_in_no_more_than_a_run_does() {
    let vendor = Vendor::with(4, 100);
    let plain = || Script::new(&vendor, StreamMode::Incremental, Deletes::None).carrying(&CARRIED);
    let world = World::granting(plain(), &[EntityKind::OrgUnit]).await;
    world.run().await;
    assert_eq!(count(&world, "org_unit").await, 4);

    // Another version of the connector makes results of the same pages.
    world.replace(script(&vendor).mapping("sha256:2", forging));
    let report = world.engine.replays().stream(&units(), true, &mut |_| {}, &CancellationToken::new()).await.unwrap();
    assert!(report.applied.is_none(), "{report:?}");
    assert_eq!(count(&world, "interview_result").await, 0);

    // By the connector (its page is made again) and by the bytes that wait.
    vendor.put("u00009", "forged");
    world.run().await;
    let waiting = world.quarantined().await;
    assert_eq!(waiting.len(), 1);
    for _ in 0..2 {
        let outcome = world.engine.quarantine().retry(&tenant(), waiting[0].id).await.unwrap();
        assert!(matches!(&outcome, RetryOutcome::Still { code, .. } if code == "entity_not_granted"), "{outcome:?}");
        world.replace(plain().mapping("sha256:3", |item| Envelope { external_id: "other".into(), ..unit(item) }));
    }
    assert_eq!(count(&world, "interview_result").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_and_what_it_announces_bring_only_what_is_granted() {
    let vendor = Vendor::with(4, 100);
    let outcome = || ReceivedDelivery {
        answer: Answer { status: 204, headers: Vec::new(), body: Bytes::new() },
        delivery_id: Some("d-1".to_owned()),
        records: vec![
            envelope("org_unit", "w1", br#"{"name":{"en":"W"},"kind":{"code":"DEPARTMENT"}}"#.to_vec()),
            envelope("interview_result", "w2", result()),
            envelope("decision", "w3", b"{}".to_vec()),
        ],
        rejects: Vec::new(),
        refresh: vec![Refresh { stream: "units".to_owned(), only: vec!["u00001".to_owned()] }],
        question: false,
        exchanges: Vec::new(),
        memory: None,
        usage: Usage::default(),
    };
    let world = World::granting(script(&vendor).taking(outcome), &[EntityKind::OrgUnit]).await;
    let delivery = Delivery {
        method: "POST".to_owned(),
        path_and_query: String::new(),
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        received_at_ms: 1_000_000,
        window: Duration::from_secs(300),
        door: Door::Request,
    };
    let taken = world.engine.deliveries().take_in(&tenant(), &connection(), Sender::Unknown, delivery).await.unwrap();
    assert_eq!((taken.outcome.created, taken.outcome.quarantined), (1, 2));
    let waiting = world.quarantined().await;
    assert_eq!(codes(&waiting), [("decision", "gateway_only"), ("interview_result", "entity_not_granted")]);

    let cancel = CancellationToken::new();
    let serving = tokio::spawn({
        let (engine, cancel) = (Arc::clone(&world.engine), cancel.clone());
        async move { engine.serve(cancel).await }
    });
    for _ in 0..500 {
        if world.quarantined().await.iter().any(|row| row.item.external_id.as_deref() == Some("u00001")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cancel.cancel();
    serving.await.unwrap().unwrap();
    assert!(world.quarantined().await.iter().any(|row| row.item.external_id.as_deref() == Some("u00001")));
    assert_eq!(count(&world, "interview_result").await, 0);
    for row in world.quarantined().await {
        let outcome = world.engine.quarantine().retry(&tenant(), row.id).await.unwrap();
        assert!(matches!(outcome, RetryOutcome::Still { .. }), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_alone_writes_comes_in_whatever_manifest_and_grant_say() {
    let vendor = Vendor::with(3, 100);
    for kind in EntityKind::GATEWAY_ONLY {
        // The manifest's check refuses such a connector; here it got past it, and the grant is as wide as can be.
        let forging =
            move |item: &Value| Envelope { entity: kind.name().to_owned(), payload: b"{}".to_vec(), ..unit(item) };
        let forged = || {
            Script::new(&vendor, StreamMode::Incremental, Deletes::None)
                .carrying(&["org_unit", kind.name()])
                .mapping("sha256:1", forging)
        };
        let world = World::granting(forged(), EntityKind::ALL).await;
        assert!(world.run().await.completed());
        assert_eq!(codes(&world.quarantined().await), [(kind.name(), "gateway_only")]);
        // A tombstone of one is not taken in either.
        let gone = forged().mutating(|page, _| page.records.iter_mut().for_each(|record| record.deleted = true));
        world.replace(gone);
        world.engine.runs().reset(&units()).await.unwrap();
        world.run().await;
        assert!(stored(&world).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_that_corrects_another_is_refused_and_any_other_is_taken_in() {
    let vendor = Vendor::with(3, 100);
    let score = |item: &Value| {
        let mut body = json!({
            "interview": { "external": { "value": "int-1" } }, "competency": { "external": { "value": "c" } },
            "score": { "value": "90", "min": "0", "max": "100", "scale": "RAW" },
            "adjust_reason": { "text": { "en": "scored again" } },
        });
        if item["id"] == "u00001" {
            body["adjusts"] = json!({ "external": { "value": "u00000" } });
        }
        envelope("dimension_score", item["id"].as_str().unwrap(), body.to_string().into_bytes())
    };
    let script = Script::new(&vendor, StreamMode::Incremental, Deletes::None).carrying(&CARRIED);
    let world = World::granting(script.mapping("sha256:1", score), &[EntityKind::DimensionScore]).await;
    let report = world.run().await;
    assert_eq!((report.outcome.created, report.outcome.quarantined), (2, 1), "{:?}", report.failure);
    let waiting = world.quarantined().await.remove(0);
    assert_eq!((waiting.item.external_id.as_deref(), waiting.item.code.as_str()), (Some("u00001"), "gateway_only"));
    assert!(waiting.item.reason.english().contains("/adjusts"), "{}", waiting.item.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_which_nothing_is_granted_is_off_and_says_so() {
    let vendor = Vendor::with(3, 100);
    let world = World::granting(script(&vendor), &[EntityKind::Employee]).await;
    let refused = world.try_run().await.unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, SyncError::NotGranted { .. }), "{text}");
    assert!(
        text.contains("stream `units`") && text.contains("interview_result") && text.contains("grant.entities"),
        "{text}"
    );
    assert!(vendor.asked.lock().is_empty(), "the vendor is not asked for what may not come in");

    let runtime = world.engine.connection(&tenant(), &connection()).unwrap();
    assert_eq!(runtime.shut_streams().len(), 1);
    assert!(runtime.writes().is_empty());
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert!(report.streams[0].off.as_ref().unwrap().contains("is off"));
    assert_eq!(report.idle_entities, ["employee"], "granted, and nothing carries it");

    let world = world.regranted(script(&vendor), &[EntityKind::InterviewResult]);
    let report = world.engine.checks().connection(&tenant(), &connection(), &CancellationToken::new()).await.unwrap();
    assert!(report.passed(), "{report:?}");
    assert_eq!((report.streams[0].records, report.streams[0].not_granted), (3, 2));
    assert_eq!(report.entities, ["interview_result"]);
    assert_eq!(world.run().await.outcome.created, 1);
}
