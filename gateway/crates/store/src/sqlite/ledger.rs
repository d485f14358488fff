//! What connections keep on disk: charged with each commit, and pruned where exchanges are beyond their quota.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::feed::exchange_row;
use super::query::{all, number, one, run};
use crate::quota::{self, Charge, PRUNED_PAGES_MAX};
use crate::{DiskUse, Quota, QuotaStore, StoreError, rows};

#[async_trait]
impl QuotaStore for SqliteStore {
    fn set_quota(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota) {
        self.quotas.set(tenant, connection, quota);
    }

    async fn disk_use(&self, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        let tenant = tenant.clone();
        let sql =
            "SELECT connection, records_bytes, exchanges_bytes FROM disk_use WHERE tenant = ?1 ORDER BY connection";
        self.readers.run(move |c| all(c, sql, [tenant.as_str()], |row| rows::disk_use(row))).await
    }
}

/// What a connection keeps after a charge.
struct Kept {
    records_bytes: i64,
    exchanges_bytes: i64,
    exchanges_from: i64,
}

/// Charges a page to its connection within its quota; gives how many exchanges had to go for it.
pub(super) fn charge(
    connection: &Connection,
    (tenant, name): (&TenantId, &ConnectionName),
    page: i64,
    charge: Charge,
    quota: &Quota,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO disk_use (tenant, connection, records_bytes, exchanges_bytes) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (tenant, connection) DO UPDATE SET records_bytes = records_bytes + excluded.records_bytes,
               exchanges_bytes = exchanges_bytes + excluded.exchanges_bytes
               RETURNING records_bytes, exchanges_bytes, exchanges_from";
    let values = params![tenant.as_str(), name.as_str(), charge.records_bytes, charge.exchanges_bytes];
    let kept = one(connection, sql, values, |row| {
        Ok(Kept { records_bytes: row.get(0)?, exchanges_bytes: row.get(1)?, exchanges_from: row.get(2)? })
    })?;
    let kept = kept.ok_or_else(|| StoreError::Fault("a row vanished within its transaction".into()))?;
    quota::within_records(kept.records_bytes, quota)?;
    match quota::excess(kept.exchanges_bytes, quota) {
        0 => Ok(0),
        excess => prune(connection, (tenant, name), page, kept.exchanges_from, excess, quota, charge),
    }
}

/// Takes the oldest exchanges of a connection out until `excess` bytes are free. Pages stay: they say that there was one.
fn prune(
    connection: &Connection,
    (tenant, name): (&TenantId, &ConnectionName),
    page: i64,
    from: i64,
    excess: i64,
    quota: &Quota,
    charge: Charge,
) -> Result<u64, StoreError> {
    // Along the pages of all connections: each is passed once, and then never looked at again.
    let sql = "SELECT p.id FROM page p WHERE p.id >= ?1 AND p.id < ?2 AND p.exchanges > 0
               AND +p.stream IN (SELECT id FROM stream WHERE tenant = ?3 AND connection = ?4) ORDER BY p.id LIMIT ?5";
    let values = params![from, page, tenant.as_str(), name.as_str(), PRUNED_PAGES_MAX];
    let pages = all(connection, sql, values, |row| Ok(row.get::<_, i64>(0)?))?;
    let (mut freed, mut gone, mut up_to) = (0_i64, 0_u64, from);
    for old in &pages {
        if freed >= excess {
            break;
        }
        freed += exchange_bytes(connection, *old)?;
        gone += run(connection, "DELETE FROM exchange WHERE id BETWEEN ?1 AND ?2", range(*old)?)? as u64;
        up_to = old + 1;
    }
    if freed < excess && (pages.len() as i64) < PRUNED_PAGES_MAX {
        // Nothing is left but this page's own.
        quota::within_exchanges(charge.exchanges_bytes, quota)?;
    }
    let sql = "UPDATE disk_use SET exchanges_bytes = max(exchanges_bytes - ?3, 0), exchanges_from = ?4
               WHERE tenant = ?1 AND connection = ?2";
    run(connection, sql, params![tenant.as_str(), name.as_str(), freed, up_to])?;
    Ok(gone)
}

fn exchange_bytes(connection: &Connection, page: i64) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(sum(octet_length(packed) + octet_length(url) + 150), 0) FROM exchange WHERE id BETWEEN ?1 AND ?2";
    Ok(number(connection, sql, range(page)?)?.unwrap_or(0))
}

/// The rows of a page's exchanges.
fn range(page: i64) -> Result<[i64; 2], StoreError> {
    let used_up = || StoreError::Fault("page numbers are used up".into());
    let first = exchange_row(page, 0).ok_or_else(used_up)?;
    let next = exchange_row(page + 1, 0).ok_or_else(used_up)?;
    Ok([first, next - 1])
}

/// Refuses a delivery that would leave more to be read than the connection may have waiting. Counted only when one asks.
pub(super) fn check_refreshes(
    connection: &Connection,
    (tenant, name): (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.refreshes_waiting_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM refresh WHERE tenant = ?1 AND connection = ?2";
    quota::within_refreshes(number(connection, sql, [tenant.as_str(), name.as_str()])?.unwrap_or(0), quota)
}

/// Refuses a page that would leave more in quarantine than the connection may have there. Counted only when a page brings some.
pub(super) fn check_quarantine(
    connection: &Connection,
    (tenant, name): (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.quarantine_records_max == u64::MAX && quota.quarantine_bytes_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*), coalesce(sum(octet_length(raw)), 0) FROM quarantine
               WHERE stream IN (SELECT id FROM stream WHERE tenant = ?1 AND connection = ?2)";
    let found = one(connection, sql, [tenant.as_str(), name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (records, bytes) = found.unwrap_or((0, 0));
    quota::within_quarantine(records, bytes, quota)
}
