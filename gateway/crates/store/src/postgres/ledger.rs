//! What connections keep on disk: charged with each commit, and pruned where exchanges are beyond their quota.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, TenantId};

use super::PostgresStore;
use super::query::{all, number, one, run};
use crate::quota::{self, Charge, PRUNED_PAGES_MAX};
use crate::rows::Columns;
use crate::{DiskUse, Quota, QuotaStore, StoreError, rows};

#[async_trait]
impl QuotaStore for PostgresStore {
    fn set_quota(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota) {
        self.quotas.set(tenant, connection, quota);
    }

    async fn disk_use(&self, tenant: &TenantId) -> Result<Vec<DiskUse>, StoreError> {
        let sql = "SELECT connection, records_bytes, exchanges_bytes FROM disk_use WHERE tenant = $1
                   ORDER BY connection COLLATE \"C\"";
        self.read(|c| async move { all(&c, sql, &[&tenant.as_str()]).await?.iter().map(rows::disk_use).collect() })
            .await
    }
}

/// Charges a page to its connection within its quota; gives how many exchanges had to go for it.
pub(super) async fn charge(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    page: i64,
    charge: Charge,
    quota: &Quota,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO disk_use AS d (tenant, connection, records_bytes, exchanges_bytes) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, connection) DO UPDATE SET records_bytes = d.records_bytes + excluded.records_bytes,
               exchanges_bytes = d.exchanges_bytes + excluded.exchanges_bytes
               RETURNING records_bytes, exchanges_bytes, exchanges_from";
    let values: super::query::Values<'_> =
        &[&tenant.as_str(), &name.as_str(), &charge.records_bytes, &charge.exchanges_bytes];
    let kept = one(client, sql, values).await?;
    let kept = kept.ok_or_else(|| StoreError::Fault("a row vanished within its transaction".into()))?;
    quota::within_records(kept.int(0)?, quota)?;
    match quota::excess(kept.int(1)?, quota) {
        0 => Ok(0),
        excess => prune(client, (tenant, name), page, kept.int(2)?, excess, quota, charge).await,
    }
}

/// Takes the oldest exchanges of a connection out until `excess` bytes are free. Pages stay: they say that there was one.
async fn prune(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    page: i64,
    from: i64,
    excess: i64,
    quota: &Quota,
    charge: Charge,
) -> Result<u64, StoreError> {
    // Along the pages of all connections: each is passed once, and then never looked at again.
    let sql = "SELECT p.id, (SELECT coalesce(sum(octet_length(e.packed) + octet_length(e.url) + 150), 0)::bigint
               FROM exchange e WHERE e.page = p.id) FROM page p JOIN stream t ON t.id = p.stream
               WHERE p.id >= $1 AND p.id < $2 AND p.exchanges > 0 AND t.tenant = $3 AND t.connection = $4
               ORDER BY p.id LIMIT $5";
    let pages = all(client, sql, &[&from, &page, &tenant.as_str(), &name.as_str(), &PRUNED_PAGES_MAX]).await?;
    let (mut freed, mut up_to, mut old) = (0_i64, from, Vec::new());
    for row in &pages {
        if freed >= excess {
            break;
        }
        old.push(row.int(0)?);
        freed += row.int(1)?;
        up_to = row.int(0)? + 1;
    }
    let gone = run(client, "DELETE FROM exchange WHERE page = ANY($1)", &[&old]).await?;
    if freed < excess && (pages.len() as i64) < PRUNED_PAGES_MAX {
        // Nothing is left but this page's own.
        quota::within_exchanges(charge.exchanges_bytes, quota)?;
    }
    let sql = "UPDATE disk_use SET exchanges_bytes = greatest(exchanges_bytes - $3, 0), exchanges_from = $4
               WHERE tenant = $1 AND connection = $2";
    run(client, sql, &[&tenant.as_str(), &name.as_str(), &freed, &up_to]).await?;
    Ok(gone)
}

/// Refuses a delivery that would leave more to be read than the connection may have waiting. Counted only when one asks.
pub(super) async fn check_refreshes(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.refreshes_waiting_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM refresh WHERE tenant = $1 AND connection = $2";
    let waiting = number(client, sql, &[&tenant.as_str(), &name.as_str()]).await?.unwrap_or(0);
    quota::within_refreshes(waiting, quota)
}

/// Refuses a page that would leave more in quarantine than the connection may have there. Counted only when a page brings some.
pub(super) async fn check_quarantine(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    quota: &Quota,
) -> Result<(), StoreError> {
    if quota.quarantine_records_max == u64::MAX && quota.quarantine_bytes_max == u64::MAX {
        return Ok(());
    }
    let sql = "SELECT count(*), coalesce(sum(octet_length(raw)), 0)::bigint FROM quarantine
               WHERE stream IN (SELECT id FROM stream WHERE tenant = $1 AND connection = $2)";
    let Some(found) = one(client, sql, &[&tenant.as_str(), &name.as_str()]).await? else { return Ok(()) };
    quota::within_quarantine(found.int(0)?, found.int(1)?, quota)
}
