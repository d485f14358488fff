//! A store in a folder of its own, a clock, and a vendor whose records are committed as a pull would.

use std::sync::Arc;
use std::time::Duration;

use renmen_interview::ManualClock;
use renmen_schema::Entity;
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, DeliveryState, FlowOrigin, FlowPut, NewDelivery, ReceiptKept, Settle,
};
use renmen_store::{
    Content, ContentHash, NewRun, PageCommit, PluginRef, RecordQuery, RecordRow, RecordWrite, RunEnd, RunState, Store,
    StoreOptions, StreamKey,
};
use tempfile::TempDir;

/// 2026-03-02T01:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_772_413_200_000;

pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    run: RunId,
    folder: Option<TempDir>,
    database: Option<(String, String)>,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn vendor() -> ConnectionName {
    ConnectionName::new("vendor").unwrap()
}

/// A connection that the operator never named: its records may be stored, and count for its own interviews only.
pub(crate) fn survey() -> ConnectionName {
    ConnectionName::new("survey").unwrap()
}

fn key(connection: ConnectionName) -> StreamKey {
    StreamKey { tenant: tenant(), connection, stream: StreamName::new("all").unwrap() }
}

fn write<E: Entity>(external_id: &str, body: &E) -> RecordWrite {
    let bytes = body.to_payload();
    renmen_schema::canonicalize(E::KIND, &bytes).unwrap();
    RecordWrite {
        external_id: external_id.into(),
        content: Content::of(E::KIND.name(), bytes),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
        deleted: None,
    }
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        Self { folder: Some(folder), ..Self::over(store).await }
    }

    async fn over(store: Arc<dyn Store>) -> Self {
        let run = begin(&store, vendor()).await;
        Self { store, clock: Arc::new(ManualClock::at(BEGIN_MS)), run, folder: None, database: None }
    }

    /// A database of its own; none, with a word on it, when no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("RENMEN_TEST_POSTGRES") else {
            eprintln!("skipped: RENMEN_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("renmen_test_{:016x}", rand::random::<u64>());
        admin(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, query) = server.split_once('?').map_or((server.as_str(), None), |(base, query)| (base, Some(query)));
        let host_begins = base.find("://").unwrap() + 3;
        let host = base[host_begins..].split('/').next().unwrap();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}{host}/{name}{query}", &base[..host_begins]);
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        Some(Self { database: Some((server, name)), ..Self::over(store).await })
    }

    /// Takes it away. A test that fails leaves its database for a look.
    pub(crate) async fn end(self) {
        let Self { store, folder, database, .. } = self;
        drop((store, folder));
        if let Some((server, name)) = database {
            admin(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }

    /// The vendor's record as it stands now.
    pub(crate) async fn put<E: Entity>(&self, external_id: &str, body: &E) -> RecordRow {
        self.commit(vendor(), self.run, vec![write(external_id, body)]).await;
        self.find(E::KIND.name(), Some(external_id)).await.remove(0)
    }

    /// Several of the vendor's.
    pub(crate) async fn put_more<E: Entity>(&self, bodies: &[(String, E)]) {
        self.commit(vendor(), self.run, bodies.iter().map(|(id, body)| write(id, body)).collect()).await;
    }

    /// Another connection's records.
    pub(crate) async fn put_through<E: Entity>(&self, connection: &ConnectionName, bodies: &[(String, E)]) {
        let run = begin(&self.store, connection.clone()).await;
        self.commit(connection.clone(), run, bodies.iter().map(|(id, body)| write(id, body)).collect()).await;
        let end = RunEnd {
            findings: Vec::new(),
            state: RunState::Completed,
            error: None,
            retry_at_ms: None,
            now_ms: BEGIN_MS,
        };
        self.store.finish_run(run, end).await.unwrap();
    }

    async fn commit(&self, connection: ConnectionName, run: RunId, records: Vec<RecordWrite>) {
        use renmen_interview::Clock as _;
        let now_ms = self.clock.now_ms();
        let page = PageCommit {
            key: key(connection),
            run,
            cursor_before: None,
            cursor_after: None,
            has_more: true,
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: now_ms,
            now_ms,
        };
        self.store.commit_page(page).await.unwrap();
    }

    /// Stops over what a flow does with a record: a delivery of it to `channel`, and how it ended. The next delivery of the same
    /// record goes by another flow.
    pub(crate) async fn deliver(&self, entity: &str, external_id: &str, action: &str, end: AttemptEnd) {
        use renmen_interview::Clock as _;
        let (now_ms, channel) = (self.clock.now_ms(), ConnectionName::new("channel").unwrap());
        let row = self.find(entity, Some(external_id)).await.remove(0);
        let flow = FlowPut {
            tenant: tenant(),
            name: format!("flow-{now_ms}-{action}-{external_id}"),
            origin: FlowOrigin::File,
            definition: "{}".into(),
            enabled: true,
            from_beginning: true,
            now_ms,
        };
        let flow = self.store.put_flow(flow).await.unwrap();
        let piece = self.store.feed(&tenant(), 0, entity, 1_000).await.unwrap();
        let change = piece.entries.iter().map(|entry| &entry.change).find(|change| change.id == row.id).unwrap();
        let made = NewDelivery {
            seq: change.seq,
            record: row.id,
            connection: channel.clone(),
            action: action.into(),
            key: ContentHash::of(flow.name.as_bytes()).0,
            lane: ContentHash::of(flow.name.as_bytes()).0,
            not_before_ms: now_ms,
            deadline_ms: None,
            state: DeliveryState::Pending,
            input: b"{}".to_vec(),
            input_hash: [0; 16],
            hops: 0,
            caused_by: None,
            error: None,
        };
        let step = Advance {
            flow: flow.id,
            version: flow.version,
            from: flow.position,
            to: piece.up_to,
            deliveries: vec![made],
            supersede: Vec::new(),
        };
        self.store.advance(vec![step], now_ms).await.unwrap();
        let claim = Claim { tenant: tenant(), connection: channel, limit: 1, now_ms, lease_ms: 60_000 };
        let claimed = self.store.claim(claim).await.unwrap().remove(0);
        let settle = Settle { delivery: claimed.delivery.id, token: claimed.token, end, notice: None, now_ms };
        assert_eq!(self.store.settle(vec![settle]).await.unwrap(), [true]);
    }

    /// Every live record of one entity, however many.
    pub(crate) async fn find_all(&self, entity: &str) -> Vec<RecordRow> {
        let mut query = RecordQuery { entity: Some(entity.into()), limit: 1000, ..RecordQuery::default() };
        let mut found = Vec::new();
        loop {
            let slice = self.store.records(&tenant(), &query).await.unwrap();
            found.extend(slice.items);
            match slice.next {
                Some(next) => query.after = Some(next),
                None => return found,
            }
        }
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

async fn admin(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    task.await.unwrap().unwrap();
}

async fn begin(store: &Arc<dyn Store>, connection: ConnectionName) -> RunId {
    let plugin = PluginRef { name: "vendor".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
    let (key, trigger) = (key(connection), renmen_store::RunTrigger::Manual);
    store.begin_run(NewRun { key, plugin, trigger, now_ms: BEGIN_MS, lease_ms: i64::from(i32::MAX) }).await.unwrap()
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

/// The receiver has it.
pub(crate) fn arrived() -> AttemptEnd {
    AttemptEnd::Delivered(ReceiptKept { reference: Some("sms-1".into()), detail: "{}".into() })
}
