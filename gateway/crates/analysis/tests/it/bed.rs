//! A store of its own for each test, and questions over it.

use std::sync::Arc;

use renmen_analysis::{Analysis, Rows, Settings};
use renmen_clock::ManualClock;
use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::{EntityKind, canonicalize};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, Content, LinkWrite, NewRun, PageCommit, PageNotes, Parent, PluginRef, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunState, RunTrigger, Store, StoreOptions, StreamKey, open,
};
use serde_json::Value;
use tempfile::TempDir;

/// 2026-03-04 02:00 in UTC, a Wednesday; 10:00 in China.
pub(crate) const NOW: &str = "2026-03-04T02:00:00Z";

pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = open(StoreOptions::at(url)).await.unwrap();
        let clock = Arc::new(ManualClock::at(crate::rows::at(NOW).epoch_ms()));
        Self { store, clock, _folder: folder }
    }

    pub(crate) fn analysis(&self, rows: Arc<dyn Rows>, settings: Settings) -> Arc<Analysis> {
        Analysis::new(Arc::clone(&self.store), rows, Arc::clone(&self.clock) as _, settings)
    }

    /// Every live record of a kind.
    pub(crate) async fn records(&self, entity: &str) -> Vec<RecordRow> {
        let query = RecordQuery { entity: Some(entity.to_owned()), limit: 1_000, ..RecordQuery::default() };
        self.store.records(&tenant(), &query).await.unwrap().items
    }

    /// Commits records of a connection: entity, id and body. Gives their ids.
    pub(crate) async fn commit(&self, connection: &str, records: &[(&str, &str, Value)]) -> Vec<RecordId> {
        let key = StreamKey { tenant: tenant(), connection: name(connection), stream: StreamName::new("all").unwrap() };
        let run = self.store.begin_run(new_run(&key)).await.unwrap();
        let write = |(entity, id, body): &(&str, &str, Value)| {
            let body = body.to_string().into_bytes();
            RecordWrite {
                external_id: (*id).to_owned(),
                content: Content::of(*entity, body),
                updated_at_ms: None,
                exchange_no: 0,
                pointer: String::new(),
                deleted: None,
            }
        };
        let page = PageCommit {
            key: key.clone(),
            run,
            cursor_before: None,
            cursor_after: None,
            has_more: false,
            sweep: None,
            records: records.iter().map(write).collect(),
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: 1,
            now_ms: 1,
        };
        self.store.commit_page(page).await.unwrap();
        let end =
            RunEnd { state: RunState::Completed, findings: Vec::new(), error: None, retry_at_ms: None, now_ms: 1 };
        self.store.finish_run(run, end).await.unwrap();
        let mut ids = Vec::new();
        for (entity, id, _) in records {
            ids.push(self.id(connection, entity, id).await);
        }
        ids
    }

    /// Instructions that the gateway keeps, recorded at a time.
    pub(crate) async fn author(&self, at_ms: i64, instructions: &[(&str, Value)]) -> Vec<RecordId> {
        let mut commit = AuthoredCommit::of(tenant(), StreamName::new("people").unwrap(), at_ms);
        let record = |(id, body): &(&str, Value)| AuthoredRecord {
            entity: "model_adjustment".into(),
            external_id: (*id).to_owned(),
            body: canonicalize(EntityKind::ModelAdjustment, body.to_string().as_bytes()).unwrap(),
            deleted: None,
            causes: Vec::new(),
            expect: None,
            parents: Vec::new(),
        };
        commit.records = instructions.iter().map(record).collect();
        self.store.author(commit).await.unwrap().ids
    }

    pub(crate) async fn id(&self, connection: &str, entity: &str, external_id: &str) -> RecordId {
        let query = RecordQuery {
            entity: Some(entity.to_owned()),
            connection: Some(name(connection)),
            external_id: Some(external_id.to_owned()),
            limit: 1,
            ..RecordQuery::default()
        };
        self.store.records(&tenant(), &query).await.unwrap().items.remove(0).id
    }

    /// Notes what belongs to what, as the interview loop does.
    pub(crate) async fn link(&self, child: RecordId, connection: &str, entity: &str, external_id: &str) {
        let mut commit = AuthoredCommit::of(tenant(), StreamName::new("links").unwrap(), 1);
        let parent =
            Parent { connection: name(connection), entity: entity.to_owned(), external_id: external_id.to_owned() };
        commit.links.push(LinkWrite { child, parents: vec![parent] });
        self.store.author(commit).await.unwrap();
    }
}

fn new_run(key: &StreamKey) -> NewRun {
    let plugin = PluginRef { name: "test".into(), version: "1.0.0".into(), digest: "sha256:00".into() };
    NewRun { key: key.clone(), plugin, trigger: RunTrigger::Manual, now_ms: 1, lease_ms: 1_000 }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}
