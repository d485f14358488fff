//! What could not be taken in waits here until it is good, retried or dropped.

use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, Transaction, params};

use super::commit;
use super::query::{all, number, one, run};
use super::run::LiveStream;
use crate::decide::quarantine_identity;
use crate::limits::{list_limit, without_nul};
use crate::quota::Quotas;
use crate::rows::{self, QUARANTINE_SELECT};
use crate::{CommitOutcome, PageCommit, QuarantineRow, RecordWrite, StoreError};

/// Takes out what a page brought in good shape: retrying the old bytes later would undo the newer record.
pub(super) fn resolve(
    connection: &Connection,
    stream: i64,
    records: &[RecordWrite],
    unchanged: &[(String, String)],
) -> Result<(), StoreError> {
    // Nearly always nothing waits, and then nothing is hashed.
    if number(connection, "SELECT 1 FROM quarantine WHERE stream = ?1 LIMIT 1", [stream])?.is_none() {
        return Ok(());
    }
    let written = records.iter().map(|record| (&record.entity, &record.external_id));
    for (entity, external_id) in written.chain(unchanged.iter().map(|(entity, id)| (entity, id))) {
        let identity = quarantine_identity(entity, Some(external_id), &[]);
        run(connection, "DELETE FROM quarantine WHERE stream = ?1 AND identity = ?2", params![stream, identity])?;
    }
    Ok(())
}

/// Puts a page's refused records in; the same one of an earlier page is replaced and keeps its id.
pub(super) fn insert(
    connection: &Connection,
    stream: &LiveStream,
    page_id: i64,
    page: &PageCommit,
) -> Result<(), StoreError> {
    for item in &page.quarantine {
        let external_id = item.external_id.as_deref().map(without_nul);
        run(
            connection,
            "INSERT INTO quarantine (stream, identity, run, page, entity, external_id, exchange_no, pointer, code, reason, raw,
             at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (stream, identity) DO UPDATE SET run = excluded.run, page = excluded.page,
             exchange_no = excluded.exchange_no, pointer = excluded.pointer, code = excluded.code, reason = excluded.reason,
             raw = excluded.raw, at_ms = excluded.at_ms",
            params![
                stream.id,
                quarantine_identity(&item.entity, item.external_id.as_deref(), &item.raw),
                page.run.0,
                page_id,
                without_nul(&item.entity),
                external_id,
                item.exchange_no,
                without_nul(&item.pointer),
                without_nul(&item.code),
                without_nul(&item.reason),
                item.raw,
                page.now_ms
            ],
        )?;
    }
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    after_id: i64,
    limit: u32,
) -> Result<Vec<QuarantineRow>, StoreError> {
    let sql = format!(
        "{QUARANTINE_SELECT} WHERE t.tenant = ?1 AND (?2 IS NULL OR t.connection = ?2) AND q.id > ?3 ORDER BY q.id LIMIT ?4"
    );
    let values = params![tenant.as_str(), only.map(ConnectionName::as_str), after_id, list_limit(limit)];
    all(connection, &sql, values, |row| rows::quarantine(row))
}

pub(super) fn get(connection: &Connection, tenant: &TenantId, id: i64) -> Result<Option<QuarantineRow>, StoreError> {
    let sql = format!("{QUARANTINE_SELECT} WHERE t.tenant = ?1 AND q.id = ?2");
    one(connection, &sql, params![tenant.as_str(), id], |row| rows::quarantine(row))
}

pub(super) fn accept(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    id: i64,
    record: &RecordWrite,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let item = get(transaction, tenant, id)?.ok_or_else(|| nothing_waits(id))?;
    let stream =
        number(transaction, "SELECT stream FROM quarantine WHERE id = ?1", [id])?.ok_or_else(|| nothing_waits(id))?;
    run(transaction, "DELETE FROM quarantine WHERE id = ?1", [id])?;
    let quota = quotas.of(tenant, &item.connection);
    commit::accept(transaction, tenant, &item.connection, stream, item.page, record, now_ms, &quota)
}

pub(super) fn still(connection: &Connection, tenant: &TenantId, id: i64, reason: &str) -> Result<(), StoreError> {
    get(connection, tenant, id)?.ok_or_else(|| nothing_waits(id))?;
    let sql = "UPDATE quarantine SET attempts = attempts + 1, reason = ?2 WHERE id = ?1";
    run(connection, sql, params![id, without_nul(reason)]).map(drop)
}

pub(super) fn drop_one(connection: &Connection, tenant: &TenantId, id: i64) -> Result<bool, StoreError> {
    let sql = "DELETE FROM quarantine WHERE id = ?1 AND stream IN (SELECT id FROM stream WHERE tenant = ?2)";
    Ok(run(connection, sql, params![id, tenant.as_str()])? > 0)
}

fn nothing_waits(id: i64) -> StoreError {
    StoreError::BadInput(format!("nothing with id {id} waits in quarantine"))
}
