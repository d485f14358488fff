//! What the store alone allows the inbox and the outbox:
//! `cargo bench -p renmen-store --bench queues [-- COUNT [URL [TENANTS [CALLERS]]]]`; with several tenants the inbox alone.
//!
//! Inbox: deliveries of one record each, taken in one by one by as many callers as the storm has, about as many people. Outbox:
//! these changes become deliveries, which are claimed and settled as a courier does that is never kept waiting. SQLite with FULL on
//! a new file, or the store that the URL names.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::inbox::{DeliveryWrite, Intake, IntakePage};
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, DeliveryState, FeedEntry, FlowOrigin, FlowPut, NewDelivery, ReceiptKept, Settle,
};
use renmen_store::{Content, ContentHash, ExchangeWrite, PluginRef, RecordWrite, Store, StoreOptions, open};

/// The people that the deliveries are about.
const PEOPLE: usize = 400;
/// Changes that a flow reads at once, and deliveries that a courier claims and settles at once.
const BATCH: u32 = 256;

fn tenant(at: usize) -> TenantId {
    TenantId::new(&format!("tenant-{at}")).unwrap()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let count = arguments.first().map_or(20_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let number = |at: usize, default| arguments.get(at).map_or(default, |number| number.parse().unwrap());
    let (tenants, callers) = (number(2, 1), number(3, 16));
    let options = match arguments.get(1).filter(|url| *url != "sqlite") {
        Some(url) => StoreOptions::at(url.as_str()),
        None => StoreOptions::at(format!("sqlite:{}", folder.path().join("bench.db").display())),
    };
    let store = open(options).await.unwrap();
    inbox(&store, count, (tenants, callers)).await;
    if tenants == 1 {
        outbox(&store, count).await;
    }
}

fn intake(n: usize, tenants: usize) -> Intake {
    let body = format!(r#"{{"number":"{n}","note":"{}"}}"#, "x".repeat(60));
    let record = RecordWrite {
        external_id: format!("e{}", n / tenants % PEOPLE),
        content: Content::of("employee", body.clone().into_bytes()),
        updated_at_ms: Some(i64::try_from(n).unwrap()),
        exchange_no: 0,
        pointer: "/data".into(),
        deleted: None,
    };
    let exchange = ExchangeWrite {
        no: 0,
        method: "POST".into(),
        url: "/hooks/people".into(),
        status: 200,
        key: [1; 16],
        body_hash: *blake3::hash(body.as_bytes()).as_bytes(),
        packed: body.into_bytes(),
        body_at: None,
        at_ms: 1,
    };
    let pages = vec![IntakePage {
        stream: "users".parse().unwrap(),
        records: vec![record],
        quarantine: vec![],
        exchanges: vec![exchange],
    }];
    Intake {
        tenant: tenant(n % tenants),
        connection: ConnectionName::new("people").unwrap(),
        plugin: PluginRef { name: "p".into(), version: "0.1.0".into(), digest: "sha256:1".into() },
        delivery: Some(DeliveryWrite {
            identity: *blake3::hash(&n.to_le_bytes()).as_bytes(),
            delivery_id: Some(format!("d{n}")),
            repeats_after_ms: None,
            received_at_ms: 1,
        }),
        pages,
        refreshes: Vec::new(),
        held: Vec::new(),
        done: Vec::new(),
        clock_ms: 1,
        now_ms: 1,
    }
}

async fn inbox(store: &Arc<dyn Store>, count: usize, (tenants, in_parallel): (usize, usize)) {
    let begun = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..in_parallel {
        let store = Arc::clone(store);
        callers.spawn(async move {
            let mut took = Vec::new();
            for n in (caller..count).step_by(in_parallel) {
                let asked = Instant::now();
                store.take_in(intake(n, tenants)).await.unwrap();
                took.push(asked.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = callers.join_all().await.into_iter().flatten().collect();
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: f64| took[((count - 1) as f64 * share) as usize];
    println!(
        "{} inbox: {rate:.0} deliveries/s of {tenants} tenants from {in_parallel} callers; p50 {:?}, p99 {:?}",
        store.backend(),
        at(0.5),
        at(0.99)
    );
}

fn delivery(entry: &FeedEntry) -> NewDelivery {
    let id = entry.change.id.to_string();
    NewDelivery {
        seq: entry.change.seq,
        record: entry.change.id,
        connection: ConnectionName::new("vendor").unwrap(),
        action: "send".into(),
        key: ContentHash::of(format!("key {id}").as_bytes()).0,
        lane: ContentHash::of(id.as_bytes()).0,
        not_before_ms: 1,
        deadline_ms: None,
        state: DeliveryState::Pending,
        input: entry.body.clone(),
        input_hash: ContentHash::of(&entry.body).0,
        hops: 0,
        caused_by: None,
        error: None,
    }
}

async fn outbox(store: &Arc<dyn Store>, count: usize) {
    let put = FlowPut {
        tenant: tenant(0),
        name: "all".into(),
        origin: FlowOrigin::Api,
        definition: "{}".into(),
        enabled: true,
        from_beginning: true,
        now_ms: 1,
    };
    let flow = store.put_flow(put).await.unwrap();
    let begun = Instant::now();
    let mut from = flow.position;
    loop {
        let piece = store.feed(&tenant(0), from, "employee", BATCH).await.unwrap();
        if piece.up_to <= from {
            break;
        }
        let deliveries = piece.entries.iter().map(delivery).collect();
        let step =
            Advance { flow: flow.id, version: flow.version, from, to: piece.up_to, deliveries, supersede: Vec::new() };
        store.advance(vec![step], 1).await.unwrap();
        from = piece.up_to;
    }
    let made = begun.elapsed();
    let mut sent = 0;
    while sent < count {
        let connection = ConnectionName::new("vendor").unwrap();
        let claim = Claim { tenant: tenant(0), connection, limit: BATCH, now_ms: 1, lease_ms: 60_000 };
        let claimed = store.claim(claim).await.unwrap();
        assert!(!claimed.is_empty(), "{sent} of {count}");
        sent += claimed.len();
        let end = || AttemptEnd::Delivered(ReceiptKept { reference: Some("v".into()), detail: "{}".into() });
        let ends = claimed.iter().map(|one| Settle {
            delivery: one.delivery.id,
            token: one.token,
            end: end(),
            notice: None,
            now_ms: 1,
        });
        store.settle(ends.collect()).await.unwrap();
    }
    let rate = |took: Duration| count as f64 / took.as_secs_f64();
    println!(
        "{} outbox: made {:.0}/s, made and sent {:.0}/s, {BATCH} at once",
        store.backend(),
        rate(made),
        rate(begun.elapsed())
    );
}
