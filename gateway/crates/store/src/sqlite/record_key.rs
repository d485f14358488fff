//! Alternate keys: who has which, and which are wanted, written with each commit.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::query::{at_once, one, run};
use crate::keyed::{self, Announced, KeyChanges, KeyDigest, KeyState, Way, pack};
use crate::sql::key_log;
use crate::{StoreError, rows};

/// What may wait in a tenant's log: sorting it takes somewhat less than a second.
const WAITING_MAX: i64 = 1 << 20;

/// Writes what a commit changed.
pub(super) fn apply(connection: &Connection, mut changes: KeyChanges, now_ms: i64) -> Result<(), StoreError> {
    if !changes.settle() {
        return Ok(());
    }
    match changes.way(state(connection, changes.tenant())?, WAITING_MAX) {
        Way::Index => write(connection, &changes, now_ms),
        Way::Sort => {
            changes.announced.extend(at_once(key_log::take(connection, changes.whose()))?);
            changes.settle();
            write(connection, &changes, now_ms)
        }
        Way::Log(total) => {
            let sql = "INSERT INTO key_log (tenant, seq, total, keys) VALUES (?1, ?2, ?3, ?4)";
            run(connection, sql, params![changes.tenant(), changes.seq, total, pack(&changes.announced)]).map(drop)
        }
    }
}

fn state(connection: &Connection, tenant: &str) -> Result<KeyState, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM wanted_key WHERE tenant = ?1),
               (SELECT total FROM key_log WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1)";
    let state = one(connection, sql, [tenant], |row| {
        Ok(KeyState { in_use: row.get(0)?, waiting: row.get::<_, Option<i64>>(1)?.unwrap_or(0) })
    })?;
    Ok(state.unwrap_or_default())
}

/// Writes into the index.
fn write(connection: &Connection, changes: &KeyChanges, now_ms: i64) -> Result<(), StoreError> {
    let mut touched: BTreeSet<KeyDigest> = BTreeSet::new();
    {
        let sql = "INSERT INTO record_key (key, scope, record) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let mut add = connection.prepare_cached(sql)?;
        let mut remove =
            connection.prepare_cached("DELETE FROM record_key WHERE key = ?1 AND scope = ?2 AND record = ?3")?;
        for Announced { key, scope, record, more } in &changes.announced {
            let statement = if *more > 0 { &mut add } else { &mut remove };
            statement.execute(params![key, scope, record])?;
        }
    }
    for ((key, name), wanted) in &changes.wanted {
        // Not counted yet: below zero means neither none, nor one, nor several.
        let sql = "INSERT INTO wanted_key (key, connection, tenant, entity, scheme, wanted_by, matches, since_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, -1, ?7)
                   ON CONFLICT (key, connection) DO UPDATE SET wanted_by = wanted_by + excluded.wanted_by";
        let values = params![key, name, changes.tenant(), wanted.entity, wanted.scheme, wanted.more, now_ms];
        run(connection, sql, values)?;
        if wanted.more < 0 {
            run(
                connection,
                "DELETE FROM wanted_key WHERE key = ?1 AND connection = ?2 AND wanted_by <= 0",
                params![key, name],
            )?;
        }
        touched.insert(*key);
    }
    let any = one(connection, "SELECT 1 FROM wanted_key LIMIT 1", [], |_| Ok(()))?.is_some();
    if !any {
        return Ok(());
    }
    touched.extend(changes.announced.iter().map(|announced| announced.key));
    touched.iter().try_for_each(|key| count(connection, key, now_ms))
}

/// Counts again how many records have a key, for each way in which it is wanted.
fn count(connection: &Connection, key: &KeyDigest, now_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE wanted_key SET matches = c.n, since_ms = iif(min(matches, 2) = min(c.n, 2), since_ms, ?2)
               FROM (SELECT w.connection AS name, (SELECT count(*) FROM record_key k JOIN scope s ON s.id = k.scope
                     WHERE k.key = w.key AND w.connection IN ('', s.connection)) AS n
                     FROM wanted_key w WHERE w.key = ?1) c
               WHERE wanted_key.key = ?1 AND wanted_key.connection = c.name AND wanted_key.matches <> c.n";
    run(connection, sql, params![key, now_ms]).map(drop)
}

/// Announces the keys of records that were there before there were keys. None of them can refer by one.
pub(super) fn announce_all(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT r.id, r.scope, s.tenant, r.body FROM scope s JOIN record r ON r.scope = s.id
               WHERE s.entity = ?1 AND r.deleted IS NULL";
    let mut statement = connection.prepare(sql)?;
    for entity in keyed::announcing() {
        let mut rows = statement.query([entity])?;
        while let Some(row) = rows.next()? {
            let tenant = rows::tenant_of(&row.get::<_, String>(2)?)?;
            let (mut changes, place) = (KeyChanges::of(tenant), (row.get(1)?, row.get(0)?));
            changes.add_body(entity, place, &row.get::<_, Vec<u8>>(3)?);
            write(connection, &changes, 0)?;
        }
    }
    Ok(())
}
