//! A store of its own, and desks of two gateways over it.

use std::sync::Arc;

use renmen_records::{Act, Ask, Desk, Refusal, Writer};
use renmen_schema::EntityKind;
use renmen_schema::id::TenantId;
use renmen_store::{RecordRow, Store, StoreOptions};
use serde_json::Value;
use tempfile::TempDir;

/// Any time.
pub(crate) const NOW_MS: i64 = 1_772_413_200_000;

pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    desks: [Arc<Desk>; 2],
    _folder: Option<TempDir>,
    database: Option<(String, String)>,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        Self { _folder: Some(folder), ..Self::over(renmen_store::open(StoreOptions::at(url)).await.unwrap()) }
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
        Some(Self { database: Some((server, name)), ..Self::over(store) })
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let desks = [Arc::new(Desk::new(Arc::clone(&store))), Arc::new(Desk::new(Arc::clone(&store)))];
        Self { store, desks, _folder: None, database: None }
    }

    /// Takes it away. A test that fails leaves its database for a look.
    pub(crate) async fn end(self) {
        let Self { store, desks, database, .. } = self;
        drop((store, desks));
        if let Some((server, name)) = database {
            admin(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }

    pub(crate) async fn act(&self, kind: EntityKind, act: Act) -> Result<RecordRow, Refusal> {
        self.desks[0].write(&ask(kind, act), NOW_MS).await
    }

    /// A record that must be taken.
    pub(crate) async fn made(&self, kind: EntityKind, external_id: &str, body: &Value) -> RecordRow {
        let external_id = Some(external_id.to_owned());
        self.act(kind, Act::Create { external_id, body: body.to_string().into_bytes() }).await.unwrap()
    }

    /// All at once, half of them at each gateway.
    pub(crate) async fn race(&self, acts: Vec<(EntityKind, Act)>) -> Vec<Result<RecordRow, Refusal>> {
        let tasks: Vec<_> = acts
            .into_iter()
            .enumerate()
            .map(|(n, (kind, act))| {
                let desk = Arc::clone(&self.desks[n % 2]);
                tokio::spawn(async move { desk.write(&ask(kind, act), NOW_MS).await })
            })
            .collect();
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.unwrap());
        }
        done
    }
}

fn ask(kind: EntityKind, act: Act) -> Ask {
    let writer = Writer { tenant: tenant(), person: "Li Na".into(), key: "00ff".into() };
    Ask { writer, kind, act, reason: "r".into(), repeatable: None }
}

async fn admin(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    task.await.unwrap().unwrap();
}
