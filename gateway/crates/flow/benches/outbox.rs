//! How fast changes become deliveries, and how long one takes: from the commit of a change to its push, and to its receipt.
//!
//! `cargo bench -p renmen-flow --bench outbox` on a quiet machine; `RENMEN_OUTBOX_RECORDS` says how many (20,000). The destination
//! answers at once, so that what is measured is the gateway's own part: feed, expressions, outbox, couriers.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_flow::{
    ActionInfo, Catalogue, Clock as _, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Identity, Push,
    Receipt, SystemClock,
};
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::{Content, NewRun, PageCommit, PluginRef, RecordWrite, Store, StoreOptions, StreamKey, open};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Takes everything, and notes how old its change was.
#[derive(Default)]
struct Instantly {
    ages_ms: Mutex<Vec<i64>>,
    taken: AtomicUsize,
}

#[async_trait]
impl Destination for Instantly {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        // As events and most connectors have it: a repeat is recognised.
        let send = ActionInfo { identity: Identity::Key, ..ActionInfo::default() };
        BTreeMap::from([("send".to_owned(), send)])
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        self.ages_ms.lock().push(SystemClock.now_ms() - push.cause.at_ms);
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(Receipt { reference: Some(push.cause.record.to_string()), confirmed: true, ..Receipt::default() })
    }
}

fn tenant() -> TenantId {
    TenantId::new("bench").unwrap()
}

struct Source {
    store: Arc<dyn Store>,
    key: StreamKey,
    run: RunId,
}

impl Source {
    async fn begin(store: &Arc<dyn Store>) -> Self {
        let key = StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new("staff").unwrap(),
            stream: StreamName::new("employees").unwrap(),
        };
        let plugin = PluginRef { name: "staff".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
        let now_ms = SystemClock.now_ms();
        let new =
            NewRun { key: key.clone(), plugin, trigger: renmen_store::RunTrigger::Manual, now_ms, lease_ms: 3_600_000 };
        let run = store.begin_run(new).await.unwrap();
        Self { store: Arc::clone(store), key, run }
    }

    async fn commit(&self, from: usize, count: usize) {
        let record = |n: usize| {
            let body = json!({ "number": n.to_string(), "work": { "title": "Engineer" } });
            let body = body.to_string().into_bytes();
            RecordWrite {
                external_id: format!("e{n:08}"),
                content: Content::of("employee", body),
                updated_at_ms: None,
                exchange_no: 0,
                pointer: String::new(),
                deleted: None,
            }
        };
        let now_ms = SystemClock.now_ms();
        let page = PageCommit {
            key: self.key.clone(),
            run: self.run,
            cursor_before: None,
            cursor_after: None,
            has_more: true,
            sweep: None,
            records: (from..from + count).map(record).collect(),
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: now_ms,
            now_ms,
        };
        self.store.commit_page(page).await.unwrap();
    }
}

async fn until(desk: &Instantly, count: usize) {
    while desk.taken.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn percentiles(desk: &Instantly) -> (i64, i64) {
    let mut ages = std::mem::take(&mut *desk.ages_ms.lock());
    ages.sort_unstable();
    let at = |share: f64| ages.get(((ages.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0);
    (at(0.50), at(0.99))
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let records: usize = std::env::var("RENMEN_OUTBOX_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let store = open(StoreOptions::at(url)).await.unwrap();
    let desk = Arc::new(Instantly::default());
    let mut catalogue = Catalogue::default();
    let place =
        DestinationEntry { parallel_max: 16, ..DestinationEntry::new(Arc::clone(&desk) as Arc<dyn Destination>) };
    catalogue.add(ConnectionName::new("desk").unwrap(), place);
    let catalogues = BTreeMap::from([(tenant(), catalogue)]);
    let engine = FlowEngine::new(Arc::clone(&store), catalogues, FlowOptions::default(), Arc::new(SystemClock));
    let flow = json!({
        "when": { "entity": "employee", "if": "record.number != ''" },
        "fields": ["/number", "/work/title"],
        "to": { "connection": "desk", "action": "send" },
        "map": { "number": "record.number", "title": "record.work.title" },
    });
    engine.register(&tenant(), &BTreeMap::from([("all".to_owned(), flow)])).await.unwrap();
    let cancel = CancellationToken::new();
    let serving = tokio::spawn(Arc::clone(&engine).serve(cancel.clone()));
    let source = Source::begin(&store).await;

    let begun = Instant::now();
    for page in 0..records.div_ceil(1_000) {
        source.commit(page * 1_000, 1_000.min(records - page * 1_000)).await;
    }
    let committed = begun.elapsed();
    until(&desk, records).await;
    let sent = begun.elapsed();
    let rate = |took: Duration| records as f64 / took.as_secs_f64();
    println!("burst of {records}: records in at {:.0}/s, deliveries out at {:.0}/s", rate(committed), rate(sent));
    let (p50, p99) = percentiles(&desk);
    println!("  a change's age at its push: p50 {p50} ms, p99 {p99} ms (most of it is the queue)");

    let steady = 2_000.min(records);
    for n in 0..steady {
        source.commit(records + n, 1).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    until(&desk, records + steady).await;
    let (p50, p99) = percentiles(&desk);
    println!("one change every 5 ms: its age at its push: p50 {p50} ms, p99 {p99} ms");
    cancel.cancel();
    serving.await.unwrap();
}
