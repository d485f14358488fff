//! A payslip adds up, or it waits in quarantine, or it comes in because the operator says so: through every door.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_plugin_host::{Answer, Delivery, Door, Envelope, ReceivedDelivery, Usage};
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::{RecordQuery, RunTrigger};
use renmen_sync::{
    Clock, ConnectionRuntime, Engine, IngestLimits, NoProgress, PayslipRule, RetryOutcome, Schedule, Sender,
    StreamPlan, SyncOptions,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor};
use crate::world::{World, connection, tenant, units};

/// Of 12,000 gross with 1,000 of pension, or without any line.
fn slip(id: &str, net: &str, lines: bool) -> Envelope {
    let cny = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    let line = json!({ "kind": "DEDUCTION", "code": { "code": "PENSION" }, "name": { "en": "pension" }, "amount": cny("1000") });
    let mut body = json!({
        "run": { "external": { "value": "2025-03" } }, "employee": { "external": { "value": id } },
        "gross": cny("12000"), "net": cny(net),
    });
    if lines {
        body["lines"] = json!([line]);
    }
    Envelope {
        entity: "payroll_record".to_owned(),
        external_id: id.to_owned(),
        updated_at_ms: None,
        deleted: false,
        exchange: 0,
        pointer: String::new(),
        payload: body.to_string().into_bytes(),
    }
}

fn slips() -> Vec<Envelope> {
    [
        ("exact", "11000", true),
        ("cent", "11000.01", true),
        ("cents", "10999.98", true),
        ("zero", "0", true),
        ("bare", "1", false),
    ]
    .map(|(id, net, lines)| slip(id, net, lines))
    .into()
}

fn script() -> Script {
    let vendor = Vendor::with(5, 100);
    let mapped = |item: &Value| {
        let at: usize = item["id"].as_str().unwrap().trim_start_matches('u').parse().unwrap();
        slips().swap_remove(at)
    };
    Script::new(&vendor, StreamMode::Incremental, Deletes::None)
        .carrying(&["payroll_record"])
        .mapping("sha256:1", mapped)
        .taking(|| ReceivedDelivery {
            answer: Answer { status: 204, headers: Vec::new(), body: Bytes::new() },
            delivery_id: Some("d-1".to_owned()),
            records: slips(),
            rejects: Vec::new(),
            refresh: Vec::new(),
            question: false,
            exchanges: Vec::new(),
            memory: None,
            usage: Usage::default(),
        })
}

/// The gateway with another rule.
fn ruled(world: World, tolerance: &str, accept: bool) -> World {
    let plans = [("units".parse().unwrap(), StreamPlan { schedule: Schedule::Manual, enabled: true })].into();
    let runtime =
        ConnectionRuntime::new(tenant(), connection(), Arc::new(script()), plans, IngestLimits::default()).unwrap();
    let rule = PayslipRule { tolerance: renmen_schema::types::Decimal::parse(tolerance).unwrap(), accept };
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let options = SyncOptions { clock, ..SyncOptions::in_dir(world.dir.path().to_owned()) };
    let engine = Engine::new(Arc::clone(&world.store), vec![runtime.with_payslips(rule)], options);
    World { engine, ..world }
}

async fn stored(world: &World) -> Vec<String> {
    let query = RecordQuery { limit: 100, ..RecordQuery::default() };
    let rows = world.store.records(&tenant(), &query).await.unwrap().items;
    let mut ids: Vec<String> = rows.into_iter().map(|row| row.external_id).collect();
    ids.sort();
    ids
}

async fn waiting(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for row in world.quarantined().await {
        assert_eq!(row.item.code, "payslip_difference");
        assert!(row.item.reason.english().contains("payslips.tolerance"), "{}", row.item.reason);
        assert!(
            !row.item.reason.english().contains("999") && !row.item.reason.english().contains("12000"),
            "{}",
            row.item.reason
        );
        ids.extend(row.item.external_id);
    }
    ids.sort();
    ids
}

async fn world() -> World {
    World::with(script(), IngestLimits::default(), Schedule::Manual).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_payslip_that_does_not_add_up_waits_and_what_cannot_be_verified_comes_in() {
    let world = ruled(world().await, "0.01", false);
    let report =
        world.engine.runs().run(&units(), RunTrigger::Manual, CancellationToken::new(), &NoProgress).await.unwrap();
    assert_eq!(
        (report.outcome.created, report.outcome.quarantined, report.findings),
        (3, 2, 0),
        "{:?}",
        report.failure
    );
    assert_eq!(stored(&world).await, ["bare", "cent", "exact"]);
    assert_eq!(waiting(&world).await, ["cents", "zero"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_payslip_that_does_not_add_up_waits_until_the_operator_takes_it_in() {
    let world = ruled(world().await, "0", false);
    let delivery = Delivery {
        method: "POST".to_owned(),
        path_and_query: String::new(),
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        received_at_ms: world.clock.now_ms(),
        window: Duration::from_secs(300),
        door: Door::Request,
    };
    world.engine.deliveries().take_in(&tenant(), &connection(), Sender::Unknown, delivery).await.unwrap();
    assert_eq!((stored(&world).await, waiting(&world).await.len()), (vec!["bare".to_owned(), "exact".to_owned()], 3));
    let world = ruled(world, "0.02", false);
    for row in world.quarantined().await {
        let outcome = world.engine.quarantine().retry(&tenant(), row.id).await.unwrap();
        let zero = row.item.external_id.as_deref() == Some("zero");
        assert_eq!(matches!(outcome, RetryOutcome::Still { .. }), zero, "{outcome:?}");
    }
    let world = ruled(world, "0.02", true);
    for row in world.quarantined().await {
        world.engine.quarantine().retry(&tenant(), row.id).await.unwrap();
    }
    assert_eq!((stored(&world).await.len(), waiting(&world).await.len()), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn payslips_that_do_not_add_up_come_in_where_the_operator_accepts_them_and_the_run_tells_of_them() {
    let world = ruled(world().await, "0", true);
    let report =
        world.engine.runs().run(&units(), RunTrigger::Manual, CancellationToken::new(), &NoProgress).await.unwrap();
    assert_eq!((report.outcome.created, report.outcome.quarantined, report.findings), (5, 0, 1));
}
