//! Alternate keys: who has which, and which are wanted, written with each commit.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::TryStreamExt;

use super::query::{all, run};
use crate::StoreError;
use crate::keyed::{self, Announced, KeyChanges, KeyState, Way, pack};
use crate::rows::{self, Columns};
use crate::sql::key_log;

/// Keys that are written with one statement.
const AT_ONCE: usize = 10_000;
/// What may wait in a tenant's log: sorting it takes about a second.
const WAITING_MAX: i64 = 1 << 18;

/// Writes what commits changed, one a tenant. Each holds the row of its tenant's feed, so no other counts the tenant's keys at the same
/// time.
pub(super) async fn apply(
    client: &Transaction<'_>,
    mut changes: Vec<KeyChanges>,
    now_ms: i64,
) -> Result<(), StoreError> {
    changes.retain_mut(KeyChanges::settle);
    if changes.is_empty() {
        return Ok(());
    }
    let states = states(client, &changes).await?;
    let (mut sorted, mut logged) = (Vec::new(), Vec::new());
    for mut changes in changes {
        match changes.way(states.get(changes.tenant()).copied().unwrap_or_default(), WAITING_MAX) {
            Way::Index => sorted.push(changes),
            Way::Sort => {
                changes.announced.extend(key_log::take(client, changes.whose()).await?);
                changes.settle();
                sorted.push(changes);
            }
            Way::Log(total) => logged.push((changes, total)),
        }
    }
    log(client, &logged).await?;
    write(client, &sorted, now_ms).await
}

async fn states(client: &Transaction<'_>, changes: &[KeyChanges]) -> Result<HashMap<String, KeyState>, StoreError> {
    let tenants: Vec<&str> = changes.iter().map(KeyChanges::tenant).collect();
    let sql =
        "SELECT x.tenant, (SELECT count(*) FROM (SELECT 1 FROM wanted_key w WHERE w.tenant = x.tenant LIMIT 1) y),
               (SELECT l.total FROM key_log l WHERE l.tenant = x.tenant ORDER BY l.seq DESC LIMIT 1)
               FROM unnest($1::text[]) x (tenant)";
    let rows = all(client, sql, &[&tenants]).await?;
    let state = |row: &tokio_postgres::Row| {
        Ok((row.text(0)?, KeyState { in_use: row.int(1)? > 0, waiting: row.int_or_none(2)?.unwrap_or(0) }))
    };
    rows.iter().map(state).collect()
}

async fn log(client: &Transaction<'_>, logged: &[(KeyChanges, i64)]) -> Result<(), StoreError> {
    if logged.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = logged.iter().map(|(changes, _)| changes.tenant()).collect();
    let seqs: Vec<i64> = logged.iter().map(|(changes, _)| changes.seq).collect();
    let totals: Vec<i64> = logged.iter().map(|(_, total)| *total).collect();
    let keys: Vec<Vec<u8>> = logged.iter().map(|(changes, _)| pack(&changes.announced)).collect();
    let sql = "INSERT INTO key_log (tenant, seq, total, keys)
               SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[])";
    run(client, sql, &[&tenants, &seqs, &totals, &keys]).await.map(drop)
}

/// Writes into the index: a statement for each kind of row.
async fn write(client: &impl GenericClient, changes: &[KeyChanges], now_ms: i64) -> Result<(), StoreError> {
    for come in [false, true] {
        let announced = changes.iter().flat_map(|changes| &changes.announced);
        let rows: Vec<&Announced> = announced.filter(|announced| (announced.more > 0) == come).collect();
        for rows in rows.chunks(AT_ONCE) {
            announce(client, rows, come).await?;
        }
    }
    want(client, changes, now_ms).await?;
    let mut touched: BTreeSet<&[u8]> = BTreeSet::new();
    touched.extend(changes.iter().flat_map(|changes| &changes.announced).map(|announced| announced.key.as_slice()));
    touched.extend(changes.iter().flat_map(|changes| changes.wanted.keys()).map(|(key, _)| key.as_slice()));
    if touched.is_empty() {
        return Ok(());
    }
    let touched: Vec<&[u8]> = touched.into_iter().collect();
    let sql = "UPDATE wanted_key u SET matches = c.n,
                   since_ms = CASE WHEN least(u.matches, 2) = least(c.n, 2) THEN u.since_ms ELSE $2 END
               FROM (SELECT w.key, w.connection, (SELECT count(*) FROM record_key k JOIN scope s ON s.id = k.scope
                     WHERE k.key = w.key AND w.connection IN ('', s.connection)) AS n
                     FROM wanted_key w WHERE w.key = ANY($1)) c
               WHERE u.key = c.key AND u.connection = c.connection AND u.matches <> c.n";
    run(client, sql, &[&touched, &now_ms]).await.map(drop)
}

async fn announce(client: &impl GenericClient, announced: &[&Announced], come: bool) -> Result<(), StoreError> {
    let keys: Vec<&[u8]> = announced.iter().map(|announced| announced.key.as_slice()).collect();
    let scopes: Vec<i64> = announced.iter().map(|announced| announced.scope).collect();
    let rows: Vec<i64> = announced.iter().map(|announced| announced.record).collect();
    let sql = if come {
        "INSERT INTO record_key (key, scope, record) SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])
         ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM record_key k USING unnest($1::bytea[], $2::bigint[], $3::bigint[]) x (key, scope, record)
         WHERE k.key = x.key AND k.scope = x.scope AND k.record = x.record"
    };
    run(client, sql, &[&keys, &scopes, &rows]).await.map(drop)
}

async fn want(client: &impl GenericClient, changes: &[KeyChanges], now_ms: i64) -> Result<(), StoreError> {
    let (mut keys, mut names): (Vec<&[u8]>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut tenants, mut entities, mut schemes, mut more) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let wanted = changes.iter().flat_map(|of| of.wanted.iter().map(|(key, wanted)| (of.tenant(), key, wanted)));
    for (tenant, (key, name), wanted) in wanted {
        tenants.push(tenant);
        keys.push(key);
        names.push(name);
        entities.push(wanted.entity);
        schemes.push(wanted.scheme);
        more.push(wanted.more);
    }
    if keys.is_empty() {
        return Ok(());
    }
    // Not counted yet: below zero means neither none, nor one, nor several.
    let sql = "INSERT INTO wanted_key (key, connection, tenant, entity, scheme, wanted_by, matches, since_ms)
               SELECT x.key, x.connection, x.tenant, x.entity, x.scheme, x.more, -1, $2
               FROM unnest($1::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bigint[])
               x (tenant, key, connection, entity, scheme, more)
               ON CONFLICT (key, connection) DO UPDATE SET wanted_by = wanted_key.wanted_by + excluded.wanted_by";
    run(client, sql, &[&tenants, &now_ms, &keys, &names, &entities, &schemes, &more]).await?;
    if more.iter().any(|more| *more < 0) {
        run(client, "DELETE FROM wanted_key WHERE key = ANY($1) AND wanted_by <= 0", &[&keys]).await?;
    }
    Ok(())
}

/// Announces the keys of records that were there before there were keys. None of them can refer by one.
pub(super) async fn announce_all(client: &impl GenericClient) -> Result<(), StoreError> {
    let entities = keyed::announcing();
    let sql = "SELECT DISTINCT tenant FROM scope WHERE entity = ANY($1)";
    for tenant in all(client, sql, &[&entities]).await? {
        let mut changes = KeyChanges::of(rows::tenant_of(&tenant.text(0)?)?);
        let sql = "SELECT r.id, r.scope, s.entity, r.body FROM scope s JOIN record r ON r.scope = s.id
                   WHERE s.tenant = $1 AND s.entity = ANY($2) AND r.deleted IS NULL";
        let statement = client.prepare_cached(sql).await?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&changes.tenant().to_owned(), &entities];
        let mut rows = pin!(client.query_raw(&statement, values).await?);
        while let Some(row) = rows.try_next().await? {
            changes.add_body(&row.text(2)?, (row.int(1)?, row.int(0)?), &row.bytes(3)?);
            if changes.announced.len() >= AT_ONCE {
                let next = KeyChanges::of(changes.whose().clone());
                write(client, &[std::mem::replace(&mut changes, next)], 0).await?;
            }
        }
        write(client, &[changes], 0).await?;
    }
    Ok(())
}
