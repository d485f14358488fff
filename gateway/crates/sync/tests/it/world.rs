//! An engine over a real SQLite store in a temporary directory, and what must hold of the store at every moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use renmen_schema::EntityKind;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::{RecordQuery, RunTrigger, Store, StoreError, StoreOptions, StreamKey};
use renmen_sync::{
    Clock, ConnectionRuntime, Engine, EntityGrant, IngestLimits, NoProgress, Puller, RunReport, Schedule, StreamPlan,
    SyncError, SyncOptions,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor};

pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn at(ms: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(ms)))
    }

    pub(crate) fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) dir: TempDir,
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn connection() -> ConnectionName {
    "hr".parse().unwrap()
}

pub(crate) fn units() -> StreamKey {
    StreamKey { tenant: tenant(), connection: connection(), stream: "units".parse().unwrap() }
}

/// Opens the store; the writer of an earlier life may still be letting go of the file.
pub(crate) async fn open(dir: &Path) -> Arc<dyn Store> {
    for _ in 0..2_000 {
        let url = format!("sqlite:{}", dir.join("renmen.db").display());
        match renmen_store::open(StoreOptions { synchronous_full: false, ..StoreOptions::at(url) }).await {
            Err(StoreError::Busy(_)) => tokio::time::sleep(std::time::Duration::from_millis(2)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the store of the earlier life never let go of its file");
}

pub(crate) fn engine(
    store: &Arc<dyn Store>,
    source: Arc<dyn Puller>,
    dir: &Path,
    clock: &Arc<Hand>,
    limits: IngestLimits,
    schedule: Schedule,
) -> Arc<Engine> {
    granted(store, source, dir, clock, (limits, schedule), EntityGrant::Manifest)
}

/// The same with what the operator lets the connection write.
pub(crate) fn granted(
    store: &Arc<dyn Store>,
    source: Arc<dyn Puller>,
    dir: &Path,
    clock: &Arc<Hand>,
    (limits, schedule): (IngestLimits, Schedule),
    entities: EntityGrant,
) -> Arc<Engine> {
    let plans = [("units".parse().unwrap(), StreamPlan { schedule, enabled: true })].into();
    let runtime = ConnectionRuntime::new(tenant(), connection(), source, plans, limits).unwrap();
    let runtime = runtime.with_entities(entities);
    let options = SyncOptions { clock: Arc::clone(clock) as Arc<dyn Clock>, ..SyncOptions::in_dir(dir.to_owned()) };
    Engine::new(Arc::clone(store), vec![runtime], options)
}

impl World {
    pub(crate) async fn new(script: Script) -> Self {
        Self::with(script, IngestLimits::default(), Schedule::Manual).await
    }

    pub(crate) async fn with(script: Script, limits: IngestLimits, schedule: Schedule) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await;
        let clock = Hand::at(1_000_000);
        let engine = engine(&store, Arc::new(script), dir.path(), &clock, limits, schedule);
        Self { store, engine, clock, dir }
    }

    /// Its operator lets it write these and nothing else.
    pub(crate) async fn granting(script: Script, entities: &[EntityKind]) -> Self {
        let world = Self::new(Script::new(&Vendor::with(0, 1), StreamMode::Full, Deletes::None)).await;
        world.regranted(script, entities)
    }

    /// The operator changed what it may write, and the gateway was started again.
    pub(crate) fn regranted(self, script: Script, entities: &[EntityKind]) -> Self {
        let entities = EntityGrant::Only(entities.iter().copied().collect());
        let plan = (IngestLimits::default(), Schedule::Manual);
        let engine = granted(&self.store, Arc::new(script), self.dir.path(), &self.clock, plan, entities);
        Self { engine, ..self }
    }

    pub(crate) async fn run(&self) -> RunReport {
        self.try_run().await.unwrap()
    }

    pub(crate) async fn try_run(&self) -> Result<RunReport, SyncError> {
        self.clock.forward(1_000);
        self.engine.runs().run(&units(), RunTrigger::Manual, CancellationToken::new(), &NoProgress).await
    }

    pub(crate) fn replace(&self, script: Script) {
        self.engine.connection(&tenant(), &connection()).unwrap().replace(Arc::new(script));
    }

    /// Names of the live records by vendor id.
    pub(crate) async fn live(&self) -> BTreeMap<String, String> {
        live(self.store.as_ref()).await
    }

    pub(crate) async fn quarantined(&self) -> Vec<renmen_store::QuarantineRow> {
        self.store.quarantine(&tenant(), None, 0, 1_000).await.unwrap()
    }
}

pub(crate) async fn live(store: &dyn Store) -> BTreeMap<String, String> {
    let mut query = RecordQuery { limit: 1_000, ..RecordQuery::default() };
    let mut found = BTreeMap::new();
    loop {
        let slice = store.records(&tenant(), &query).await.unwrap();
        for record in slice.items {
            let body: serde_json::Value = serde_json::from_slice(&record.body).unwrap();
            let name = body["name"]["en"].as_str().unwrap().to_owned();
            assert!(found.insert(record.external_id.clone(), name).is_none(), "{} is there twice", record.external_id);
        }
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

/// F02: a change exists exactly for each revision of each record, in the order of the feed, none twice.
pub(crate) async fn changes_match_revisions(store: &dyn Store) {
    let mut from_feed = BTreeMap::<_, Vec<i64>>::new();
    let mut after = 0;
    loop {
        let rows = store.changes(&tenant(), after, None, 1_000).await.unwrap();
        let Some(last) = rows.last() else { break };
        assert!(last.seq > after);
        after = last.seq;
        for row in rows {
            from_feed.entry(row.external_id).or_default().push(row.revision);
        }
    }
    let mut query = RecordQuery { limit: 1_000, include_deleted: true, ..RecordQuery::default() };
    let mut records = 0;
    loop {
        let slice = store.records(&tenant(), &query).await.unwrap();
        for record in slice.items {
            records += 1;
            let wanted: Vec<i64> = (1..=record.revision).collect();
            assert_eq!(from_feed.get(&record.external_id), Some(&wanted), "{}", record.external_id);
        }
        match slice.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(records, from_feed.len(), "the feed tells of a record that is not there");
}
