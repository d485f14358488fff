//! How long after a commit of one gateway a reader at another has the change: `cargo bench -p renmen-store --bench wakeup -- URL [COUNT]`.
//!
//! Two stores on one PostgreSQL database; one commits a record every few milliseconds, the other waits for the feed and reads it, as
//! the shared reader of event streams does. From the end of the commit to the end of the read.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{
    Content, NewRun, PageCommit, PageNotes, PluginRef, RecordWrite, RunTrigger, Store, StoreOptions, StreamKey, Wakeup,
    open,
};

/// Between two commits.
const PAUSE: Duration = Duration::from_millis(7);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let Some(url) = arguments.first() else {
        println!("name a PostgreSQL database: -- URL [COUNT]");
        return;
    };
    let count: i64 = arguments.get(1).map_or(1_000, |count| count.parse().unwrap());
    let (one, other) =
        (open(StoreOptions::at(url.as_str())).await.unwrap(), open(StoreOptions::at(url.as_str())).await.unwrap());
    for store in [&one, &other] {
        while store.wakeup() == Wakeup::Connecting {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let tenant = TenantId::new(&format!("wakeup-{}", std::process::id())).unwrap();
    let committed: Arc<Mutex<HashMap<i64, Instant>>> = Arc::default();
    let reader = tokio::spawn(read(Arc::clone(&other), tenant.clone(), Arc::clone(&committed), count));
    commit(&*one, tenant, &committed, count).await;
    let mut took = reader.await.unwrap();
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("{count} commits, {:?}: p50 {:?}, p99 {:?}, worst {:?}", other.wakeup(), at(0.5), at(0.99), at(1.0));
}

async fn commit(store: &dyn Store, tenant: TenantId, committed: &Mutex<HashMap<i64, Instant>>, count: i64) {
    let key = StreamKey {
        tenant,
        connection: ConnectionName::new("people").unwrap(),
        stream: StreamName::new("users").unwrap(),
    };
    let plugin = PluginRef { name: "p".into(), version: "0.1.0".into(), digest: "sha256:1".into() };
    let new = NewRun { key: key.clone(), plugin, trigger: RunTrigger::Manual, now_ms: 1, lease_ms: 3_600_000 };
    let run = store.begin_run(new).await.unwrap();
    for n in 1..=count {
        let body = format!(r#"{{"number":"{n}"}}"#).into_bytes();
        let record = RecordWrite {
            external_id: format!("e{n}"),
            content: Content::of("employee", body),
            updated_at_ms: None,
            exchange_no: 0,
            pointer: "/".into(),
            deleted: None,
        };
        let page = PageCommit {
            key: key.clone(),
            run,
            cursor_before: None,
            cursor_after: None,
            has_more: true,
            sweep: None,
            records: vec![record],
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: 1,
            now_ms: 1,
        };
        let outcome = store.commit_page(page).await.unwrap();
        committed.lock().insert(outcome.last_seq, Instant::now());
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(
    store: Arc<dyn Store>,
    tenant: TenantId,
    committed: Arc<Mutex<HashMap<i64, Instant>>>,
    count: i64,
) -> Vec<Duration> {
    let (mut feed, mut after, mut took) = (store.watch(&tenant), 0, Vec::new());
    while (took.len() as i64) < count {
        feed.mark_unchanged();
        let changes = store.changes(&tenant, after, None, 100).await.unwrap();
        let now = Instant::now();
        for change in &changes {
            // One that was read before the committer noted its time took no time.
            let since = committed.lock().get(&change.seq).copied().unwrap_or(now);
            took.push(now.duration_since(since));
            after = change.seq;
        }
        if changes.is_empty() {
            feed.changed().await.unwrap();
        }
    }
    took
}
