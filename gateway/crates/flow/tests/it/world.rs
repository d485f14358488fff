//! A store with records, destinations that do as told, and flows between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_flow::{
    ActionInfo, Catalogue, Clock, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Push, Receipt,
};
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::outbox::{DeliveryQuery, DeliveryRow, DeliveryState};
use renmen_store::{Content, NewRun, PageCommit, PluginRef, RecordWrite, Store, StoreOptions, StreamKey, open};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) const BEGIN_MS: i64 = 1_772_413_200_000;

/// Runs with tokio's clock, which stands still while there is work and goes on when there is none; and it leaps when it is told to.
pub(crate) struct TokioClock {
    begun: tokio::time::Instant,
    leapt_ms: AtomicI64,
}

impl TokioClock {
    fn new() -> Self {
        Self { begun: tokio::time::Instant::now(), leapt_ms: AtomicI64::new(0) }
    }

    /// As a clock does that is set.
    pub(crate) fn leap(&self, ms: i64) {
        self.leapt_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        let passed = i64::try_from(self.begun.elapsed().as_millis()).unwrap();
        BEGIN_MS + passed + self.leapt_ms.load(Ordering::SeqCst)
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

type Script = Box<dyn Fn(&Push) -> Result<Receipt, Failure> + Send + Sync>;

/// A destination that keeps what it is given and answers as told.
pub(crate) struct Desk {
    script: Script,
    takes: Duration,
    confirm: Option<String>,
    pub(crate) pushes: Mutex<Vec<Push>>,
    pub(crate) at_ms: Mutex<Vec<i64>>,
    running: AtomicUsize,
    pub(crate) most: Mutex<VecDeque<usize>>,
}

impl Desk {
    pub(crate) fn new(script: impl Fn(&Push) -> Result<Receipt, Failure> + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            takes: Duration::from_millis(20),
            confirm: None,
            pushes: Mutex::default(),
            at_ms: Mutex::default(),
            running: AtomicUsize::new(0),
            most: Mutex::default(),
        }
    }

    pub(crate) fn kind() -> Self {
        Self::new(|push| Ok(taken(&format!("v-{}", push.delivery))))
    }

    pub(crate) fn taking(self, takes: Duration) -> Self {
        Self { takes, ..self }
    }

    pub(crate) fn confirming(self, action: &str) -> Self {
        Self { confirm: Some(action.to_owned()), ..self }
    }

    /// What arrived, as JSON.
    pub(crate) fn inputs(&self) -> Vec<Value> {
        self.pushes.lock().iter().map(|push| serde_json::from_slice(&push.input).unwrap()).collect()
    }
}

pub(crate) fn taken(reference: &str) -> Receipt {
    Receipt { reference: Some(reference.to_owned()), detail: serde_json::Map::new(), confirmed: true }
}

#[async_trait]
impl Destination for Desk {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let send = ActionInfo { confirm: self.confirm.clone(), ..ActionInfo::default() };
        let mut actions = BTreeMap::from([("send".to_owned(), send), ("notice".to_owned(), ActionInfo::default())]);
        if let Some(confirm) = &self.confirm {
            actions.insert(confirm.clone(), ActionInfo::default());
        }
        actions
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.lock().push_back(running);
        self.at_ms.lock().push(push.now_ms);
        tokio::time::sleep(self.takes).await;
        let answer = (self.script)(&push);
        self.pushes.lock().push(push);
        self.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// A store, its records, and flows that run over them.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<FlowEngine>,
    pub(crate) clock: Arc<TokioClock>,
    pub(crate) folder: TempDir,
    cancel: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl World {
    pub(crate) async fn new(places: Vec<(&str, DestinationEntry)>, flows: Value, options: FlowOptions) -> Self {
        Self::over(tempfile::tempdir().unwrap(), places, flows, options).await
    }

    pub(crate) async fn over(
        folder: TempDir,
        places: Vec<(&str, DestinationEntry)>,
        flows: Value,
        options: FlowOptions,
    ) -> Self {
        let url = format!("sqlite:{}", folder.path().join("flow.db").display());
        let options_of_store =
            StoreOptions { synchronous_full: false, holds_paused_clock: true, ..StoreOptions::at(url) };
        let store = open(options_of_store).await.unwrap();
        let clock = Arc::new(TokioClock::new());
        let mut catalogue = Catalogue::default();
        for (place_name, place) in places {
            catalogue.add(name(place_name), place);
        }
        let catalogues = BTreeMap::from([(tenant(), catalogue)]);
        let engine = FlowEngine::new(Arc::clone(&store), catalogues, options, Arc::clone(&clock) as Arc<dyn Clock>);
        let flows: BTreeMap<String, Value> = serde_json::from_value(flows).unwrap();
        engine.register(&tenant(), &flows).await.unwrap();
        let cancel = CancellationToken::new();
        let serving = tokio::spawn(Arc::clone(&engine).serve(cancel.clone()));
        Self { store, engine, clock, folder, cancel, serving }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.clock.now_ms() - BEGIN_MS).unwrap())
    }

    /// Ends as a killed process does: nothing is awaited, nothing is given back.
    pub(crate) async fn kill(self) -> TempDir {
        let Self { store, engine, serving, folder, .. } = self;
        serving.abort();
        let _ = serving.await;
        // Couriers are aborted with their set; the file is free when the last of them let the store go.
        let weak = Arc::downgrade(&store);
        drop((store, engine));
        for _ in 0..10_000 {
            if weak.strong_count() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        folder
    }

    pub(crate) async fn end(self) {
        self.cancel.cancel();
        self.serving.await.unwrap();
    }

    pub(crate) async fn deliveries(&self) -> Vec<DeliveryRow> {
        let query = DeliveryQuery { limit: 1_000, ..DeliveryQuery::default() };
        let mut rows = self.store.deliveries(&tenant(), &query).await.unwrap();
        rows.reverse();
        rows
    }

    pub(crate) async fn count(&self, state: DeliveryState) -> usize {
        self.deliveries().await.iter().filter(|row| row.state == state).count()
    }

    /// Waits until so many deliveries are in a state; gives up after a while of its own clock.
    pub(crate) async fn until(&self, state: DeliveryState, count: usize) {
        for _ in 0..5_000 {
            if self.count(state).await >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("never {count} {state:?}: {:#?}", self.deliveries().await);
    }

    /// Long enough for anything that was going to happen.
    pub(crate) async fn settle(&self) {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    pub(crate) async fn put(&self, connection: &str, records: &[(&str, Value)]) {
        put(&self.store, connection, records, self.clock.now_ms()).await;
    }

    pub(crate) async fn put_of(&self, entity: &str, connection: &str, records: &[(&str, Value)]) {
        commit(&self.store, connection, written(entity, records), self.clock.now_ms()).await;
    }
}

/// The vendor says that an employee is gone.
pub(crate) async fn delete(store: &Arc<dyn Store>, connection: &str, id: &str, now_ms: i64) {
    let write = RecordWrite {
        external_id: id.to_owned(),
        content: Content::gone("employee"),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
        deleted: Some(renmen_store::DeletedBy::SourceFlag),
    };
    commit(store, connection, vec![write], now_ms).await;
}

/// Commits employees as one run of one page.
pub(crate) async fn put(store: &Arc<dyn Store>, connection: &str, records: &[(&str, Value)], now_ms: i64) {
    commit(store, connection, written("employee", records), now_ms).await;
}

fn written(entity: &str, records: &[(&str, Value)]) -> Vec<RecordWrite> {
    let records = records.iter().map(|(id, body)| {
        let mut body = body.clone();
        // Written short in the tests; it has its place in the schema.
        if entity == "employee"
            && let Some(title) = body.as_object_mut().and_then(|body| body.remove("title"))
        {
            body["work"] = json!({ "title": title });
        }
        let body = body.to_string().into_bytes();
        RecordWrite {
            external_id: (*id).to_owned(),
            content: Content::of(entity, body),
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted: None,
        }
    });
    records.collect()
}

async fn commit(store: &Arc<dyn Store>, connection: &str, records: Vec<RecordWrite>, now_ms: i64) {
    let key =
        StreamKey { tenant: tenant(), connection: name(connection), stream: StreamName::new("employees").unwrap() };
    let plugin = PluginRef { name: "staff".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
    let new = NewRun { key: key.clone(), plugin, trigger: renmen_store::RunTrigger::Manual, now_ms, lease_ms: 1 };
    let run: RunId = store.begin_run(new).await.unwrap();
    let cursor = store.stream_state(&key).await.unwrap().cursor;
    let page = PageCommit {
        key,
        run,
        cursor_after: cursor.clone(),
        cursor_before: cursor,
        has_more: false,
        sweep: None,
        records,
        unchanged: Vec::new(),
        quarantine: Vec::new(),
        notes: renmen_store::PageNotes::default(),
        exchanges: Vec::new(),
        clock_ms: now_ms,
        now_ms,
    };
    store.commit_page(page).await.unwrap();
    let end = renmen_store::RunEnd {
        findings: Vec::new(),
        state: renmen_store::RunState::Completed,
        error: None,
        retry_at_ms: None,
        now_ms,
    };
    store.finish_run(run, end).await.unwrap();
}

/// A flow of every employee to an action.
pub(crate) fn flow(to: &str) -> Value {
    json!({
        "when": { "entity": "employee" },
        "fields": ["/number", "/work/title"],
        "to": { "connection": to, "action": "send" },
        "map": { "number": "record.number", "title": "has(record.work) ? record.work.title : ''" },
    })
}

pub(crate) fn place(desk: &Arc<Desk>) -> DestinationEntry {
    DestinationEntry::new(Arc::clone(desk) as Arc<dyn Destination>)
}
