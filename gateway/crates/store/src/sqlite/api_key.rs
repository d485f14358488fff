//! API keys: hashes, never keys.

use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use super::query::{all, one, run};
use crate::limits::without_nul;
use crate::rows::{self, API_KEY_SELECT};
use crate::{ApiKeyRow, StoreError};

pub(super) fn put(connection: &Connection, key: &ApiKeyRow) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO api_key (hash, label, tenant, created_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hash) DO UPDATE SET label = excluded.label, revoked_at = excluded.revoked_at",
        params![key.hash, without_nul(&key.label), key.tenant.as_str(), key.created_at_ms, key.revoked_at_ms],
    )
    .map(drop)
}

pub(super) fn get(connection: &Connection, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    one(connection, &format!("{API_KEY_SELECT} WHERE hash = ?1"), [hash], |row| rows::api_key(row))
}

pub(super) fn list(connection: &Connection, tenant: &TenantId) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!("{API_KEY_SELECT} WHERE tenant = ?1 ORDER BY created_at, hash");
    all(connection, &sql, [tenant.as_str()], |row| rows::api_key(row))
}
