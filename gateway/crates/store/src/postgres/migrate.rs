//! The tables' versions: numbered files, applied in order in one transaction; gateways that start together take turns.

use deadpool_postgres::{Client, GenericClient};

use super::query::{one, run};
use super::record_key;
use crate::StoreError;
use crate::identity::IdKey;
use crate::rows::Columns;

/// Never edited once released: a change is another file.
const MIGRATIONS: [&str; 17] = [
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
];

/// The version from which on records are known by alternate keys.
const KEYS: usize = 13;

/// Any number that other programs are unlikely to lock: "rnmn".
const LOCK: i64 = 0x726e_6d6e;

/// Brings the tables up to this program's version; refuses what is newer.
pub(super) async fn migrate(client: &mut Client) -> Result<IdKey, StoreError> {
    let transaction = client.transaction().await?;
    run(&transaction, "SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
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

/// Refuses what a reader could not read.
pub(super) async fn check(client: &Client) -> Result<IdKey, StoreError> {
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
