//! API keys: hashes, never keys.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::query::{all, one, run};
use crate::limits::{self, without_nul};
use crate::rows::{self, API_KEY_SELECT};
use crate::{ApiKeyRow, KeyId, KeyStore, StoreError};

#[async_trait]
impl KeyStore for SqliteStore {
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError> {
        self.writer()?.run(move |c| put(c, &key)).await
    }

    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        let hash = *hash;
        self.readers.run(move |c| get(c, &hash)).await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        let (tenant, after) = (tenant.cloned(), after.cloned());
        self.readers.run(move |c| list(c, tenant.as_ref(), after.as_ref(), limit)).await
    }

    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.readers.run(move |c| by_id(c, tenant.as_ref(), id)).await
    }

    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.writer()?.run(move |c| revoke(c, tenant.as_ref(), id, now_ms)).await
    }

    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer()?.run(move |c| note_uses(c, &uses)).await
    }
}

pub(super) fn put(connection: &Connection, key: &ApiKeyRow) -> Result<(), StoreError> {
    if by_id(connection, None, key.id())?.is_some() {
        return Err(limits::key_is_there());
    }
    let bound = key.role.connection().map(ConnectionName::as_str);
    run(
        connection,
        "INSERT INTO api_key (hash, label, tenant, role, connection, created_at, expires_at, revoked_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key.hash,
            without_nul(&key.label),
            key.tenant.as_str(),
            key.role.name(),
            bound,
            key.created_at_ms,
            key.expires_at_ms,
            key.revoked_at_ms,
            key.last_used_at_ms
        ],
    )
    .map(drop)
}

pub(super) fn get(connection: &Connection, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    one(connection, &format!("{API_KEY_SELECT} WHERE hash = ?1"), [hash], |row| rows::api_key(row))
}

pub(super) fn list(
    connection: &Connection,
    tenant: Option<&TenantId>,
    after: Option<&ApiKeyRow>,
    limit: u32,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!(
        "{API_KEY_SELECT} WHERE (?1 IS NULL OR tenant = ?1) AND (created_at, hash) > (?2, ?3) ORDER BY created_at, hash LIMIT ?4"
    );
    let (at, hash) = after.map_or((i64::MIN, &[0; 32]), |key| (key.created_at_ms, &key.hash));
    all(connection, &sql, params![tenant.map(TenantId::as_str), at, hash, limit], |row| rows::api_key(row))
}

pub(super) fn by_id(
    connection: &Connection,
    tenant: Option<&TenantId>,
    id: KeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("{API_KEY_SELECT} WHERE hash BETWEEN ?1 AND ?2 AND (?3 IS NULL OR tenant = ?3)");
    let (low, high) = id.hashes();
    one(connection, &sql, params![low, high, tenant.map(TenantId::as_str)], |row| rows::api_key(row))
}

pub(super) fn revoke(
    connection: &Connection,
    tenant: Option<&TenantId>,
    id: KeyId,
    now_ms: i64,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let Some(key) = by_id(connection, tenant, id)? else { return Ok(None) };
    run(
        connection,
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE hash = ?1",
        params![key.hash, now_ms],
    )?;
    get(connection, &key.hash)
}

pub(super) fn note_uses(connection: &Connection, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
    for (hash, at_ms) in uses {
        let sql = "UPDATE api_key SET last_used_at = ?2 WHERE hash = ?1 AND coalesce(last_used_at, 0) < ?2";
        run(connection, sql, params![hash, at_ms])?;
    }
    Ok(())
}
