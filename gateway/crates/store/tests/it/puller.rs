//! What sync does, as small as it can be: a run that commits pages and keeps the cursor.

use std::sync::Arc;

use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_schema::text;
use renmen_store::{
    CommitOutcome, Content, DeletedBy, ExchangeWrite, NewRun, PageCommit, PluginRef, QuarantineWrite, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunState, Store, StoreError, StreamKey, Sweep,
};

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn connection() -> ConnectionName {
    ConnectionName::new("dingtalk").unwrap()
}

pub(crate) fn key() -> StreamKey {
    key_of("acme", "employees")
}

pub(crate) fn key_of(tenant: &str, stream: &str) -> StreamKey {
    StreamKey {
        tenant: TenantId::new(tenant).unwrap(),
        connection: connection(),
        stream: StreamName::new(stream).unwrap(),
    }
}

pub(crate) fn new_run(key: &StreamKey, now_ms: i64) -> NewRun {
    let plugin = PluginRef { name: "dingtalk".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
    NewRun { key: key.clone(), plugin, trigger: renmen_store::RunTrigger::Manual, now_ms, lease_ms: 60_000 }
}

/// A record with this body.
pub(crate) fn rec(external_id: &str, body: &str) -> RecordWrite {
    RecordWrite {
        external_id: external_id.into(),
        content: Content::of("employee", body.into()),
        updated_at_ms: Some(7),
        exchange_no: 0,
        pointer: format!("/result/list/{external_id}"),
        deleted: None,
    }
}

/// The same of another entity.
pub(crate) fn of_kind(entity: &str, record: RecordWrite) -> RecordWrite {
    RecordWrite { content: Content::of(entity, record.body().to_vec()), ..record }
}

/// A deletion that the vendor told of.
pub(crate) fn gone(external_id: &str) -> RecordWrite {
    let content = Content::gone("employee");
    RecordWrite { deleted: Some(DeletedBy::SourceFlag), content, updated_at_ms: None, ..rec(external_id, "") }
}

/// A record that could not be taken in.
pub(crate) fn bad(external_id: Option<&str>, raw: &str) -> QuarantineWrite {
    QuarantineWrite {
        entity: "employee".into(),
        external_id: external_id.map(str::to_owned),
        exchange_no: 0,
        pointer: "/result/list/9".into(),
        code: "schema".into(),
        reason: text!("`hire_date` is not a date", "`hire_date` 不是日期"),
        raw: raw.into(),
    }
}

pub(crate) fn exchange(no: u32) -> ExchangeWrite {
    ExchangeWrite {
        no,
        method: "POST".into(),
        url: "http://127.0.0.1/topapi/v2/user/list".into(),
        status: 200,
        key: [no as u8; 16],
        body_hash: [9; 32],
        packed: vec![1, 2, 3, no as u8],
        body_at: None,
        at_ms: 1_700_000_000_000,
    }
}

/// One run of one stream.
pub(crate) struct Puller {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: StreamKey,
    pub(crate) run: RunId,
    pub(crate) cursor: Option<String>,
    pub(crate) now_ms: i64,
}

impl Puller {
    /// Begins a run where the stream stands.
    pub(crate) async fn begin(store: &Arc<dyn Store>, key: StreamKey, now_ms: i64) -> Self {
        let cursor = store.stream_state(&key).await.unwrap().cursor;
        let run = store.begin_run(new_run(&key, now_ms)).await.unwrap();
        Self { store: Arc::clone(store), key, run, cursor, now_ms }
    }

    /// A run that was begun already.
    pub(crate) fn of(store: &Arc<dyn Store>, key: StreamKey, run: RunId, cursor: Option<String>, now_ms: i64) -> Self {
        Self { store: Arc::clone(store), key, run, cursor, now_ms }
    }

    /// The next page, not yet committed: its cursor is one more than the last.
    pub(crate) fn page(&self, records: Vec<RecordWrite>) -> PageCommit {
        let next = self.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap()) + 1;
        PageCommit {
            key: self.key.clone(),
            run: self.run,
            cursor_before: self.cursor.clone(),
            cursor_after: Some(next.to_string()),
            has_more: true,
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: vec![exchange(0)],
            clock_ms: self.now_ms - 500,
            now_ms: self.now_ms,
        }
    }

    pub(crate) async fn commit(&mut self, page: PageCommit) -> Result<CommitOutcome, StoreError> {
        let after = page.cursor_after.clone();
        let listed = page.records.len() + page.unchanged.len() + page.quarantine.len();
        let outcome = self.store.commit_page(page).await?;
        // In every test, each record that was listed is counted exactly once.
        let CommitOutcome { created, updated, unchanged, deleted, swept, quarantined, repeated, .. } = outcome;
        let fates = created + updated + unchanged + (deleted - swept) + quarantined + repeated;
        assert_eq!(fates, listed as u64, "{outcome:?}");
        self.cursor = after;
        self.now_ms += 1;
        Ok(outcome)
    }

    /// Commits these records as the next page.
    pub(crate) async fn put(&mut self, records: Vec<RecordWrite>) -> CommitOutcome {
        let page = self.page(records);
        self.commit(page).await.unwrap()
    }

    /// Commits a page of a sweep.
    pub(crate) async fn sweep(&mut self, begins: bool, ends: bool, records: Vec<RecordWrite>) -> CommitOutcome {
        let mut page = self.page(records);
        page.sweep = Some(Sweep { begins, ends, partial: false, brake: None });
        page.has_more = !ends;
        self.commit(page).await.unwrap()
    }

    pub(crate) async fn finish(&self) {
        let end = RunEnd {
            findings: Vec::new(),
            state: RunState::Completed,
            error: None,
            retry_at_ms: None,
            now_ms: self.now_ms,
        };
        self.store.finish_run(self.run, end).await.unwrap();
    }
}

/// Every record that a query gives, page by page.
pub(crate) async fn drain(store: &Arc<dyn Store>, mut query: RecordQuery) -> Vec<RecordRow> {
    let mut rows = Vec::new();
    for _ in 0..10_000 {
        let slice = store.records(&tenant(), &query).await.unwrap();
        rows.extend(slice.items);
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return rows,
        }
    }
    panic!("the list never ends");
}

/// Vendor ids of everything, tombstones too.
pub(crate) async fn everything(store: &Arc<dyn Store>) -> Vec<RecordRow> {
    drain(store, RecordQuery { include_deleted: true, limit: 1_000, ..RecordQuery::default() }).await
}

/// Every live record of a tenant, of those that a test makes: a thousand at most.
pub(crate) async fn drain_of(store: &Arc<dyn Store>, tenant: &TenantId) -> Vec<RecordRow> {
    store.records(tenant, &RecordQuery { limit: 1_000, ..RecordQuery::default() }).await.unwrap().items
}
