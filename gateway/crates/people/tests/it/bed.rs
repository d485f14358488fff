//! A store to test with, of its own for each test.

use std::sync::Arc;

use renmen_store::{Store, StoreOptions, open};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// A store and what it lives in.
pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: StoreOptions,
    _folder: Option<TempDir>,
    database: Option<(String, String)>,
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options =
            StoreOptions::at(format!("sqlite:{}", folder.path().join("data").join("renmen.db").display()));
        options.synchronous_full = false;
        Self { store: open(options.clone()).await.unwrap(), options, _folder: Some(folder), database: None }
    }

    /// None, with a word on it, when no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("RENMEN_TEST_POSTGRES") else {
            eprintln!("skipped: RENMEN_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("renmen_test_{:016x}", rand::random::<u64>());
        admin(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').unwrap();
        let options = StoreOptions::at(format!("{base}/{name}"));
        let store = open(options.clone()).await.unwrap();
        Some(Self { store, options, _folder: None, database: Some((server, name)) })
    }

    /// Another gateway on the same database.
    pub(crate) async fn second(&self) -> Arc<dyn Store> {
        open(self.options.clone()).await.unwrap()
    }

    /// Takes the database away. A test that fails leaves it for a look.
    pub(crate) async fn end(self) {
        let Self { store, database, .. } = self;
        drop(store);
        if let Some((server, name)) = database {
            admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn admin(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// Makes of each property two tests.
macro_rules! on_both {
    ($(async fn $name:ident($bed:ident: &Bed) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use $crate::bed::Bed;

            async fn property($bed: &Bed) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let bed = Bed::sqlite().await;
                property(&bed).await;
                bed.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(bed) = Bed::postgres().await {
                    property(&bed).await;
                    bed.end().await;
                }
            }
        }
    )*};
}
pub(crate) use on_both;
