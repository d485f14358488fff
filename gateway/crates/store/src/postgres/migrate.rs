//! The tables' versions: numbered files, applied in order in one transaction; gateways that start together take turns.

use deadpool_postgres::{Client, GenericClient};

use super::connections::Connections;
use super::query::{one, run};
use super::record_key;
use crate::StoreError;
use crate::identity::IdKey;
use crate::rows::Columns;

/// Never edited once released: a change is another file.
const MIGRATIONS: [&str; 32] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_outbox.sql"),
    include_str!("migrations/0003_author.sql"),
    include_str!("migrations/0004_endpoint.sql"),
    include_str!("migrations/0005_inbox.sql"),
    include_str!("migrations/0006_key.sql"),
    include_str!("migrations/0007_disk_use.sql"),
    include_str!("migrations/0008_link_scope.sql"),
    include_str!("migrations/0009_policy.sql"),
    include_str!("migrations/0010_by_hand.sql"),
    include_str!("migrations/0011_signed.sql"),
    include_str!("migrations/0012_findings.sql"),
    include_str!("migrations/0013_alternate_key.sql"),
    include_str!("migrations/0014_epoch.sql"),
    include_str!("migrations/0015_lease.sql"),
    include_str!("migrations/0016_month_calls.sql"),
    include_str!("migrations/0017_reason_chinese.sql"),
    include_str!("migrations/0018_feed_of_tenant.sql"),
    include_str!("migrations/0019_intake_rows.sql"),
    include_str!("migrations/0020_operator.sql"),
    include_str!("migrations/0021_cluster.sql"),
    include_str!("migrations/0022_registry.sql"),
    include_str!("migrations/0023_vendor_rate.sql"),
    include_str!("migrations/0024_exchange_body.sql"),
    include_str!("migrations/0025_retention.sql"),
    include_str!("migrations/0026_exchange_days.sql"),
    include_str!("migrations/0027_cell_number.sql"),
    include_str!("migrations/0028_tenant_move.sql"),
    include_str!("migrations/0029_identity.sql"),
    include_str!("migrations/0030_insight.sql"),
    include_str!("migrations/0031_key_log.sql"),
    include_str!("migrations/0032_vendor_place.sql"),
];

/// The version that this program reads and writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// The version from which on records are known by alternate keys.
const KEYS: usize = 13;

/// Any number that other programs are unlikely to lock: "rnmn".
const LOCK: i64 = 0x726e_6d6e;

/// Brings the tables up to this program's version; refuses what is newer.
pub(super) async fn migrate(connections: &Connections, client: &mut Client) -> Result<IdKey, StoreError> {
    let transaction = connections.begin(client).await?;
    lock(&transaction).await?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS meta (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL, id_key BYTEA NOT NULL)")
        .await?;
    let key = IdKey::generate();
    let first = "INSERT INTO meta (one, version, id_key) VALUES (1, 0, $1) ON CONFLICT DO NOTHING";
    run(&transaction, first, &[&key.as_bytes()]).await?;
    let (version, key) = version(&transaction).await?;
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        transaction.batch_execute(sql).await?;
        if at + 1 == KEYS {
            record_key::announce_all(&transaction).await?;
        }
        run(&transaction, "UPDATE meta SET version = $1", &[&(at as i64 + 1)]).await?;
        tracing::info!(version = at + 1, "Database migrated");
    }
    transaction.commit().await?;
    Ok(key)
}

/// Waits until no other process migrates or copies the database, for as long as that takes. Held until the transaction ends.
pub(super) async fn lock(transaction: &impl GenericClient) -> Result<(), StoreError> {
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    hold(transaction, LOCK).await
}

/// Waits until no other transaction holds this number, and holds it until this one ends.
pub(super) async fn hold(transaction: &impl GenericClient, number: i64) -> Result<(), StoreError> {
    run(transaction, "SELECT pg_advisory_xact_lock($1)", &[&number]).await.map(drop)
}

/// Refuses what a reader could not read.
pub(super) async fn check(client: &impl GenericClient) -> Result<IdKey, StoreError> {
    let wants = || StoreError::Unavailable("the database wants migrating: start the gateway once, it does so".into());
    if one(client, "SELECT 1::bigint WHERE to_regclass('meta') IS NOT NULL", &[]).await?.is_none() {
        return Err(wants());
    }
    let (version, key) = version(client).await?;
    if version < MIGRATIONS.len() { Err(wants()) } else { Ok(key) }
}

async fn version(client: &impl GenericClient) -> Result<(usize, IdKey), StoreError> {
    let damaged = || StoreError::Fault("the database's `meta` table is damaged".into());
    let row = one(client, "SELECT version, id_key FROM meta", &[]).await?.ok_or_else(damaged)?;
    let version = usize::try_from(row.int(0)?).map_err(|_| damaged())?;
    if version > MIGRATIONS.len() {
        return Err(StoreError::Fault(format!(
            "the database has version {version}, this program knows up to {}: use the newer program that wrote it",
            MIGRATIONS.len()
        )));
    }
    Ok((version, IdKey::from_bytes(&row.bytes(1)?).ok_or_else(damaged)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fmt::Write as _;

    use tokio_postgres::NoTls;

    use super::*;
    use crate::{StoreOptions, open, open_read_only};

    /// A database of its own, and a connection to it.
    struct Database {
        server: String,
        name: String,
        url: String,
        client: tokio_postgres::Client,
    }

    impl Database {
        async fn new() -> Option<Self> {
            let server = std::env::var("RENMEN_TEST_POSTGRES").ok()?;
            let name = format!("renmen_test_{:016x}", rand::random::<u64>());
            connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
            let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
            let client = connect(&url).await;
            Some(Self { server, name, url, client })
        }

        /// As a release with so many migrations left it, with two rows in every table.
        async fn older(&self, version: usize) {
            let meta = "CREATE TABLE meta (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL, id_key BYTEA NOT NULL)";
            self.client.batch_execute(meta).await.unwrap();
            for sql in &MIGRATIONS[..version] {
                self.client.batch_execute(sql).await.unwrap();
            }
            let marks = format!("INSERT INTO meta VALUES (1, {version}, decode(repeat('00', 32), 'hex'))");
            self.client.batch_execute(&marks).await.unwrap();
            for (table, columns) in self.tables().await {
                for number in [1, 2] {
                    let value = |(name, kind): &(String, String)| match kind.as_str() {
                        "bigint" => number.to_string(),
                        "text" if name == "entity" => "'employee'".to_owned(),
                        "text" => format!("'t{number}'"),
                        _ if name == "body" => format!("convert_to('{{\"staff_id\":\"s{number}\"}}', 'UTF8')"),
                        _ => format!("decode('0{number}', 'hex')"),
                    };
                    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                    let values: Vec<String> = columns.iter().map(value).collect();
                    let sql = format!(
                        "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                        names.join(", "),
                        values.join(", ")
                    );
                    self.client.batch_execute(&sql).await.unwrap();
                }
            }
            // What the rows were numbered with was given out.
            let counted = "DO $$ DECLARE counter text; BEGIN
                FOR counter IN SELECT pg_get_serial_sequence(quote_ident(table_name), column_name)
                    FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'
                LOOP PERFORM setval(counter, 2); END LOOP; END $$";
            self.client.batch_execute(counted).await.unwrap();
        }

        /// But for those of which a row that is made up is a damaged database.
        async fn tables(&self) -> Vec<(String, Vec<(String, String)>)> {
            let sql = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
                       WHERE table_schema = 'public' AND table_name NOT IN ('meta', 'feed', 'cell_number')
                       AND NOT (SELECT c.relispartition FROM pg_class c WHERE c.oid = quote_ident(table_name)::regclass) ORDER BY table_name, ordinal_position";
            let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
            for row in self.client.query(sql, &[]).await.unwrap() {
                let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
                if tables.last().is_none_or(|(name, _)| *name != table) {
                    tables.push((table, Vec::new()));
                }
                tables.last_mut().unwrap().1.push((column, kind));
            }
            tables
        }

        async fn rows(&self, table: &str, columns: &[(String, String)]) -> Vec<String> {
            let mut names = String::new();
            for (name, _) in columns {
                write!(names, ", \"{name}\"").unwrap();
            }
            let sql = format!("SELECT ROW({})::text FROM {table}", &names[2..]);
            self.client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
        }

        async fn end(self) {
            drop(self.client);
            let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
            connect(&self.server).await.batch_execute(&drop).await.unwrap();
        }
    }

    async fn connect(url: &str) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    #[tokio::test]
    async fn every_row_of_every_earlier_version_is_there_after_all_migrations() {
        for version in 1..MIGRATIONS.len() {
            let Some(database) = Database::new().await else { return };
            database.older(version).await;
            let mut before = Vec::new();
            for (table, columns) in database.tables().await {
                let rows = database.rows(&table, &columns).await;
                before.push((table, columns, rows));
            }
            assert!(before.len() >= 11, "version {version}");
            // Several start together, as after an upgrade: one migrates, the others wait for it.
            let opened = futures_util::future::join_all((0..3).map(|_| open(StoreOptions::at(&database.url)))).await;
            assert!(opened.iter().all(Result::is_ok), "from version {version}");
            drop(opened);
            for (table, columns, old) in before {
                let new = database.rows(&table, &columns).await;
                assert!(old.len() >= 2, "those of the test, and those that a migration brought");
                assert!(
                    old.iter().all(|row| new.contains(row)),
                    "from version {version}, {table}: {old:?}, now {new:?}"
                );
            }
            database.end().await;
        }
    }

    #[tokio::test]
    async fn a_database_of_a_newer_or_an_older_program_is_refused_with_what_to_do() {
        let Some(database) = Database::new().await else { return };
        let options = StoreOptions::at(&database.url);
        let told = |opened: Result<_, StoreError>| opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told(open_read_only(options.clone()).await).contains("start the gateway once"));
        drop(open(options.clone()).await.unwrap());
        let newer = format!("UPDATE meta SET version = {}", MIGRATIONS.len() + 1);
        database.client.batch_execute(&newer).await.unwrap();
        for told in [told(open(options.clone()).await), told(open_read_only(options.clone()).await)] {
            assert!(
                told.contains(&format!("version {}", MIGRATIONS.len() + 1)) && told.contains("newer program"),
                "{told}"
            );
        }
        database.client.batch_execute("UPDATE meta SET version = 1").await.unwrap();
        assert!(told(open_read_only(options).await).contains("start the gateway once"));
        database.end().await;
    }
}
