//! Receivers of signed events, and whether they are switched off.

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, moving, registry, values};
use crate::limits::without_nul;
use crate::rows::Columns;
use crate::{EndpointOff, EndpointRow, StoreError};

const SELECT: &str = "SELECT tenant, name, definition, off_reason, off_url, off_since, updated_at FROM endpoint";

/// Reads [`SELECT`].
fn endpoint(row: &dyn Columns) -> Result<EndpointRow, StoreError> {
    let bad = |error: renmen_schema::id::BadName| StoreError::Fault(format!("an endpoint's row: {error}"));
    let off = match (row.text_or_none(3)?, row.text_or_none(4)?, row.int_or_none(5)?) {
        (Some(reason), Some(url), Some(since_ms)) => Some(EndpointOff { reason, url, since_ms }),
        _ => None,
    };
    Ok(EndpointRow {
        tenant: row.text(0)?.parse().map_err(bad)?,
        name: row.text(1)?.parse().map_err(bad)?,
        definition: row.text_or_none(2)?,
        off,
        updated_at_ms: row.int(6)?,
    })
}

pub(crate) async fn put(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
    definition: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "INSERT INTO endpoint (tenant, name, definition, updated_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at";
    session.run(sql, values![tenant, name, without_nul(definition), now_ms]).await?;
    registry::endpoints_changed(session).await
}

pub(crate) async fn switch(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
    off: Option<&EndpointOff>,
    now_ms: i64,
) -> Result<(), StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "INSERT INTO endpoint (tenant, name, off_reason, off_url, off_since, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (tenant, name) DO UPDATE SET off_reason = excluded.off_reason, off_url = excluded.off_url,
               off_since = excluded.off_since, updated_at = excluded.updated_at";
    let reason = off.map(|off| without_nul(&off.reason));
    let url = off.map(|off| without_nul(&off.url));
    let since_ms = off.map(|off| off.since_ms);
    session.run(sql, values![tenant, name, reason, url, since_ms, now_ms]).await.map(drop)
}

pub(crate) async fn get(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
) -> Result<Option<EndpointRow>, StoreError> {
    session.one(&format!("{SELECT} WHERE tenant = $1 AND name = $2"), values![tenant, name], endpoint).await
}

pub(crate) async fn list(session: &impl Session) -> Result<Vec<EndpointRow>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    session.all(&format!("{SELECT} ORDER BY tenant{by_bytes}, name{by_bytes}"), &[], endpoint).await
}

pub(crate) async fn delete(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "DELETE FROM endpoint WHERE tenant = $1 AND name = $2";
    let is_gone = session.run(sql, values![tenant, name]).await? > 0;
    registry::endpoints_changed(session).await?;
    Ok(is_gone)
}
