//! API keys: hashes, never keys.

use renmen_schema::id::TenantId;

use super::{Session, moving, registry, values};
use crate::limits::{self, without_nul};
use crate::rows::{self, API_KEY_COLUMNS, API_KEY_SELECT, Columns};
use crate::{ApiKeyRow, FoundKey, KeyId, StoreError};

pub(crate) async fn put(session: &impl Session, key: &ApiKeyRow) -> Result<(), StoreError> {
    moving::refuse(session, &key.tenant).await?;
    if by_id(session, None, key.id()).await?.is_some() {
        return Err(limits::key_is_there());
    }
    let sql =
        "INSERT INTO api_key (hash, label, tenant, role, connection, created_at, expires_at, revoked_at, last_used_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = values![
        &key.hash,
        without_nul(&key.label),
        &key.tenant,
        key.role.name(),
        key.role.connection(),
        key.created_at_ms,
        key.expires_at_ms,
        key.revoked_at_ms,
        key.last_used_at_ms
    ];
    session.run(sql, values).await.map(drop)
}

pub(crate) async fn get(session: &impl Session, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    session.one(&format!("{API_KEY_SELECT} WHERE hash = $1"), values![hash], rows::api_key).await
}

pub(crate) async fn find(session: &impl Session, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError> {
    let gone =
        |row: &dyn Columns| Ok(FoundKey { key: rows::api_key(row)?, gone_to: row.text_or_none(API_KEY_COLUMNS)? });
    let sql = format!(
        "SELECT k.*, (SELECT w.place FROM tenant_move w WHERE w.tenant = k.tenant AND w.state = {})
         FROM ({API_KEY_SELECT} WHERE hash = $1) k",
        moving::GONE
    );
    session.one(&sql, values![hash], gone).await
}

pub(crate) async fn list(
    session: &impl Session,
    tenant: Option<&TenantId>,
    after: Option<&ApiKeyRow>,
    limit: u32,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!(
        "{API_KEY_SELECT} WHERE (CAST($1 AS text) IS NULL OR tenant = $1)
         AND (created_at, hash) > (CAST($2 AS bigint), $3) ORDER BY created_at, hash LIMIT $4"
    );
    let (at, hash) = after.map_or((i64::MIN, &[0; 32]), |key| (key.created_at_ms, &key.hash));
    session.all(&sql, values![tenant, at, hash, limit], rows::api_key).await
}

pub(crate) async fn by_id(
    session: &impl Session,
    tenant: Option<&TenantId>,
    id: KeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("{API_KEY_SELECT} WHERE hash BETWEEN $1 AND $2 AND (CAST($3 AS text) IS NULL OR tenant = $3)");
    let (low, high) = id.hashes();
    session.one(&sql, values![&low, &high, tenant], rows::api_key).await
}

pub(crate) async fn revoke(
    session: &impl Session,
    tenant: Option<&TenantId>,
    id: KeyId,
    now_ms: i64,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let Some(key) = by_id(session, tenant, id).await? else { return Ok(None) };
    moving::refuse(session, &key.tenant).await?;
    let sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE hash = $1";
    session.run(sql, values![&key.hash, now_ms]).await?;
    registry::keys_changed(session).await?;
    get(session, &key.hash).await
}

pub(crate) async fn note_uses(session: &impl Session, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
    // In one order everywhere: two gateways that note the same keys never wait for each other.
    let mut uses: Vec<&([u8; 32], i64)> = uses.iter().collect();
    uses.sort_unstable();
    for (hash, at_ms) in uses {
        let sql = "UPDATE api_key SET last_used_at = $2 WHERE hash = $1 AND coalesce(last_used_at, 0) < $2";
        session.run(sql, values![hash, *at_ms]).await?;
    }
    Ok(())
}
