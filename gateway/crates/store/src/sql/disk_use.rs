//! What connections keep on disk: charged with each commit, and pruned where exchanges are beyond their quota.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};

use super::{CommitWriter, Session, exchange_body, number, values};
use crate::quota::{self, Charge, PRUNED_PAGES_MAX};
use crate::retention::RemovedExchange;
use crate::{DiskUse, Quota, StoreError, rows};

pub(crate) async fn list(session: &impl Session, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
    let sql = format!(
        "SELECT connection, records_bytes, exchanges_bytes FROM disk_use WHERE tenant = $1 ORDER BY connection{}",
        session.dialect().by_bytes()
    );
    session.all(&sql, values![tenant], rows::disk_use).await
}

/// Charges a page to its connection within its quota; gives how many exchanges had to go for it.
pub(super) async fn charge(
    session: &impl CommitWriter,
    owner: (&TenantId, &ConnectionName),
    page: i64,
    charge: Charge,
    quota: &Quota,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO disk_use AS d (tenant, connection, records_bytes, exchanges_bytes) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, connection) DO UPDATE SET records_bytes = d.records_bytes + excluded.records_bytes,
               exchanges_bytes = d.exchanges_bytes + excluded.exchanges_bytes
               RETURNING records_bytes, exchanges_bytes, exchanges_from";
    let values = values![owner.0, owner.1, charge.records_bytes, charge.exchanges_bytes];
    let kept = session.one(sql, values, |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?))).await?;
    let vanished = || StoreError::Fault("a row vanished within its transaction".into());
    keep_within(session, owner, page, charge, kept.ok_or_else(vanished)?, quota).await
}

/// Refuses what would be beyond a connection's quota, and takes exchanges out for it. `kept`: bytes of records and of exchanges, and the
/// page from which on there are some.
pub(crate) async fn keep_within(
    session: &impl CommitWriter,
    owner: (&TenantId, &ConnectionName),
    page: i64,
    charge: Charge,
    (records_bytes, exchanges_bytes, exchanges_from): (i64, i64, i64),
    quota: &Quota,
) -> Result<u64, StoreError> {
    quota::within_records(records_bytes, quota)?;
    match quota::excess(exchanges_bytes, quota) {
        0 => Ok(0),
        excess => prune(session, owner, exchanges_from..page, excess, quota, charge).await,
    }
}

/// Takes the oldest exchanges of a connection out until `excess` bytes are free. Pages stay: they say that there was one.
async fn prune(
    session: &impl CommitWriter,
    owner: (&TenantId, &ConnectionName),
    pages: std::ops::Range<i64>,
    excess: i64,
    quota: &Quota,
    charge: Charge,
) -> Result<u64, StoreError> {
    let (mut up_to, mut exchanges, mut bytes) = (pages.start, 0, 0);
    let found = session.exchange_pages(owner, pages).await?;
    for page in &found {
        if bytes >= excess {
            break;
        }
        let removed = session.remove_exchanges(*page).await?;
        exchanges += removed.len() as u64;
        bytes += freed(session, owner, &removed).await?;
        up_to = page + 1;
    }
    if bytes < excess && (found.len() as i64) < PRUNED_PAGES_MAX {
        // Nothing is left but this page's own.
        quota::within_exchanges(charge.exchanges_bytes, quota)?;
    }
    credit(session, owner, 0, bytes).await?;
    let sql = "UPDATE disk_use SET exchanges_from = $3 WHERE tenant = $1 AND connection = $2";
    session.run(sql, values![owner.0, owner.1, up_to]).await?;
    Ok(exchanges)
}

/// Counts bytes of records and of exchanges that are free now.
pub(crate) async fn credit(
    session: &impl Session,
    owner: (&TenantId, &ConnectionName),
    records_bytes: i64,
    exchanges_bytes: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE disk_use SET
               records_bytes = CASE WHEN records_bytes > $3 THEN records_bytes - $3 ELSE 0 END,
               exchanges_bytes = CASE WHEN exchanges_bytes > $4 THEN exchanges_bytes - $4 ELSE 0 END
               WHERE tenant = $1 AND connection = $2";
    session.run(sql, values![owner.0, owner.1, records_bytes, exchanges_bytes]).await.map(drop)
}

/// What the removal of exchanges of a connection frees: their rows, and bodies that no other exchange refers to.
pub(crate) async fn freed(
    session: &impl Session,
    owner: (&TenantId, &ConnectionName),
    removed: &[RemovedExchange],
) -> Result<i64, StoreError> {
    let mut references = BTreeMap::new();
    for body in removed.iter().filter_map(|exchange| exchange.body) {
        *references.entry(body).or_insert(0) += 1;
    }
    let rows: i64 = removed.iter().map(|exchange| exchange.bytes).sum();
    Ok(rows + exchange_body::release(session, owner, &references).await?)
}

/// Refuses a delivery that would leave more to be read than the connection may have waiting. Counted only when one asks.
pub(crate) async fn check_refreshes(
    session: &impl Session,
    owner: (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.refreshes_waiting_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM refresh WHERE tenant = $1 AND connection = $2";
    let waiting = number(session, sql, values![owner.0, owner.1]).await?.unwrap_or(0);
    quota::within_refreshes(waiting, quota)
}

/// Refuses a page that would leave more in quarantine than the connection may have there. Counted only when a page brings some.
pub(super) async fn check_quarantine(
    session: &impl Session,
    owner: (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.quarantine_records_max == u64::MAX && quota.quarantine_bytes_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*), CAST(coalesce(sum(octet_length(raw)), 0) AS bigint) FROM quarantine
               WHERE stream IN (SELECT id FROM stream WHERE tenant = $1 AND connection = $2)";
    let found = session.one(sql, values![owner.0, owner.1], |row| Ok((row.int(0)?, row.int(1)?))).await?;
    let (records, bytes) = found.unwrap_or((0, 0));
    quota::within_quarantine(records, bytes, quota)
}
