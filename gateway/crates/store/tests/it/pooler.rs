//! A pooler in transaction mode, PgBouncer itself: each transaction may meet another connection of the server.

use std::process::Child;
use std::sync::Arc;

use renmen_store::{Pooler, StoreError, StoreOptions, open};

use crate::puller::{Puller, bad, everything, key, key_of, rec, tenant};
use crate::server::{Server, free_port, program};

/// Ends with the test.
struct PgBouncer {
    child: Child,
    port: u16,
    server: Server,
}

impl PgBouncer {
    /// Two connections of the server, taken in turn: what a transaction leaves in one is missing in the next.
    async fn start() -> Option<Self> {
        let server = Server::start(&[])?;
        let Some(pgbouncer) = program("pgbouncer") else {
            eprintln!("skipped: PgBouncer is not installed");
            return None;
        };
        let port = free_port();
        let file = server.dir.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=renmen\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nserver_round_robin = 1\n\
             max_client_conn = 100\n",
            server.port
        );
        std::fs::write(&file, settings).unwrap();
        let mut command = server.command(&pgbouncer, &[&file.display().to_string()]);
        let child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let bouncer = Self { child, port, server };
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Some(bouncer)
    }

    fn options(&self, pooler: Pooler) -> StoreOptions {
        let url = format!("postgres://renmen@127.0.0.1:{}/postgres", self.port);
        StoreOptions { pooler, ..StoreOptions::at(url) }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_behind_a_pooler_in_transaction_mode_lose_and_double_nothing() {
    let Some(bouncer) = PgBouncer::start().await else { return };
    let mut pulling = Vec::new();
    let mut stores = Vec::new();
    for gateway in 0..2 {
        let store = open(bouncer.options(Pooler::Transaction)).await.unwrap();
        for stream in ["a", "b", "c"] {
            let store = Arc::clone(&store);
            pulling.push(tokio::spawn(async move {
                let stream = format!("{stream}{gateway}");
                let mut puller = Puller::begin(&store, key_of("acme", &stream), 1_000).await;
                for at in 0..8 {
                    puller.put(vec![rec(&format!("{stream}{at}"), "1"), rec(&stream, &at.to_string())]).await;
                    store.changes(&tenant(), 0, None, 10).await.unwrap();
                    store.runs(&tenant(), None, 10).await.unwrap();
                }
                let mut page = puller.page(vec![]);
                page.quarantine = vec![bad(Some("q"), "{")];
                puller.commit(page).await.unwrap();
                puller.finish().await;
            }));
        }
        stores.push(store);
    }
    for ended in pulling {
        ended.await.unwrap();
    }
    for store in &stores {
        let rows = everything(store).await;
        assert_eq!(rows.len(), 2 * 3 * 9);
        assert_eq!(rows.iter().filter(|row| row.revision == 8).count(), 6, "each change of a record once");
        assert_eq!(store.quarantine(&tenant(), None, 0, 100).await.unwrap().len(), 6);
        store.ready().await.unwrap();
    }
    // Nothing was left in a session: another client of the pooler meets connections as new.
    let left =
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_prepared_statements) THEN RAISE 'statements are left'; END IF; END $$";
    drop(stores);
    for _ in 0..2 {
        bouncer.server.admin(left).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_is_not_named_is_found_and_refused_with_what_to_do() {
    let Some(bouncer) = PgBouncer::start().await else { return };
    let refused = open(bouncer.options(Pooler::None)).await.err().unwrap();
    assert!(
        matches!(&refused, StoreError::Configuration(why) if why.to_string().contains("store.pooler")),
        "{refused}"
    );
    // The server itself is not taken for one.
    let direct = open(StoreOptions::at(bouncer.server.url())).await.unwrap();
    let mut puller = Puller::begin(&direct, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
}
