//! A store to test with, of its own for each test.

use std::path::PathBuf;
use std::sync::Arc;

use renmen_store::{Store, StoreOptions, open};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// A store and what it lives in.
pub(crate) struct Bed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: StoreOptions,
    folder: Option<TempDir>,
    database: Option<(String, String)>,
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("renmen.db");
        let options = StoreOptions::at(format!("sqlite:{}", path.display()));
        Self { store: open(options.clone()).await.unwrap(), options, folder: Some(folder), database: None }
    }

    /// None, with a word on it, when no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let database = Database::empty().await?;
        let options = StoreOptions::at(database.url.clone());
        let store = open(options.clone()).await.unwrap();
        Some(Self { store, options, folder: None, database: Some((database.server, database.name)) })
    }

    /// The SQLite file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("data").join("renmen.db")
    }

    /// Runs SQL that no method of the store offers, as an operator could.
    pub(crate) async fn admin(&self, sql: &str) {
        let (server, _) = self.database.as_ref().unwrap();
        admin(server, sql).await;
    }

    /// Runs SQL on the database while the store has it open, as another program could.
    pub(crate) async fn beside(&self, sql: &str) {
        match &self.folder {
            Some(_) => rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).unwrap(),
            None => admin(&self.options.url, sql).await,
        }
    }

    /// Lets so much time pass by the clock of the leases: the server's, whose leases are made older. With SQLite the callers' clock counts,
    /// which the test moves itself.
    pub(crate) async fn time_passes(&self, ms: i64) {
        if self.folder.is_none() {
            let run = format!("UPDATE run SET leased_until = leased_until - {ms}");
            let refresh = format!("UPDATE refresh SET claimed_until = claimed_until - {ms} WHERE claimed_until > 0");
            // In flight, or being confirmed.
            let delivery = format!("UPDATE delivery SET next_at = next_at - {ms} WHERE state IN (2, 4)");
            let us = ms * 1_000;
            let places = format!(
                "UPDATE vendor_place SET until_us = until_us - {us}, turn_us = turn_us - {us} WHERE gateway <> ''"
            );
            self.beside(&format!("{run}; {refresh}; {delivery}; {places}")).await;
        }
    }

    /// The PostgreSQL database's name.
    pub(crate) fn database(&self) -> &str {
        &self.database.as_ref().unwrap().1
    }

    /// The same database after SQL that an operator, or another release, ran while it was closed.
    pub(crate) async fn reopened(self, sqlite: &str, postgres: &str) -> Self {
        let Self { store, options, folder, database } = self;
        drop(store);
        match &folder {
            Some(folder) => {
                let path = folder.path().join("data").join("renmen.db");
                rusqlite::Connection::open(path).unwrap().execute_batch(sqlite).unwrap();
            }
            None => admin(&options.url, postgres).await,
        }
        Self { store: open(options.clone()).await.unwrap(), options, folder, database }
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

/// A PostgreSQL database in which there is nothing.
pub(crate) struct Database {
    pub(crate) url: String,
    server: String,
    name: String,
}

impl Database {
    /// None, with a word on it, when no server is named.
    pub(crate) async fn empty() -> Option<Self> {
        let Ok(server) = std::env::var("RENMEN_TEST_POSTGRES") else {
            eprintln!("skipped: RENMEN_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("renmen_test_{:016x}", rand::random::<u64>());
        admin(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, query) = server.split_once('?').map_or((server.as_str(), None), |(base, query)| (base, Some(query)));
        let authority_ends = base.find("://").unwrap() + 3;
        let host = base[authority_ends..].split('/').next().unwrap();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}{host}/{name}{query}", &base[..authority_ends]);
        Some(Self { url, server, name })
    }

    pub(crate) async fn run(&self, sql: &str) {
        admin(&self.url, sql).await;
    }

    pub(crate) async fn end(self) {
        admin(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

pub(crate) async fn admin(server: &str, sql: &str) {
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
