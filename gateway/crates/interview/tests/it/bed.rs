//! A store in a folder of its own, a clock, and a vendor whose records are committed as a pull would.

use std::sync::Arc;
use std::time::Duration;

use renmen_interview::ManualClock;
use renmen_schema::Entity;
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::{
    ContentHash, NewRun, PageCommit, PluginRef, RecordQuery, RecordRow, RecordWrite, Store, StoreOptions, StreamKey,
};
use tempfile::TempDir;

/// 2026-03-02T01:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_772_413_200_000;

pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    run: RunId,
    _folder: TempDir,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn vendor() -> ConnectionName {
    ConnectionName::new("vendor").unwrap()
}

fn key() -> StreamKey {
    StreamKey { tenant: tenant(), connection: vendor(), stream: StreamName::new("all").unwrap() }
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        let plugin = PluginRef { name: "vendor".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
        let new =
            NewRun { key: key(), plugin, trigger: "manual".into(), now_ms: BEGIN_MS, lease_ms: i64::from(i32::MAX) };
        let run = store.begin_run(new).await.unwrap();
        Self { store, clock: Arc::new(ManualClock::at(BEGIN_MS)), run, _folder: folder }
    }

    /// The vendor's record as it stands now.
    pub(crate) async fn put<E: Entity>(&self, external_id: &str, body: &E) -> RecordRow {
        let bytes = body.to_payload();
        renmen_schema::canonicalize(E::KIND, &bytes).unwrap();
        let write = RecordWrite {
            entity: E::KIND.name().into(),
            external_id: external_id.into(),
            hash: ContentHash::of(&bytes),
            body: bytes,
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted: None,
        };
        self.commit(vec![write]).await;
        self.find(E::KIND.name(), Some(external_id)).await.remove(0)
    }

    pub(crate) async fn commit(&self, records: Vec<RecordWrite>) {
        use renmen_interview::Clock as _;
        let now_ms = self.clock.now_ms();
        let page = PageCommit {
            key: key(),
            run: self.run,
            cursor_before: None,
            cursor_after: None,
            has_more: true,
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            exchanges: Vec::new(),
            clock_ms: now_ms,
            now_ms,
        };
        self.store.commit_page(page).await.unwrap();
    }

    /// Live records of one entity.
    pub(crate) async fn find(&self, entity: &str, external_id: Option<&str>) -> Vec<RecordRow> {
        let query = RecordQuery {
            entity: Some(entity.into()),
            external_id: external_id.map(Into::into),
            limit: 1000,
            ..RecordQuery::default()
        };
        self.store.records(&tenant(), &query).await.unwrap().items
    }
}

/// Asks until it is so; ten seconds are long enough for anything here.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be");
}
