//! API keys: hashes, never keys.

use deadpool_postgres::GenericClient;
use renmen_schema::id::TenantId;

use super::query::{all, one, run};
use crate::limits::without_nul;
use crate::rows::{self, API_KEY_SELECT};
use crate::{ApiKeyRow, StoreError};

pub(super) async fn put(client: &impl GenericClient, key: &ApiKeyRow) -> Result<(), StoreError> {
    run(
        client,
        "INSERT INTO api_key (hash, label, tenant, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (hash) DO UPDATE SET label = excluded.label, revoked_at = excluded.revoked_at",
        &[&key.hash.as_slice(), &without_nul(&key.label), &key.tenant.as_str(), &key.created_at_ms, &key.revoked_at_ms],
    )
    .await
    .map(drop)
}

pub(super) async fn get(client: &impl GenericClient, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    let row = one(client, &format!("{API_KEY_SELECT} WHERE hash = $1"), &[&hash.as_slice()]).await?;
    row.as_ref().map(rows::api_key).transpose()
}

pub(super) async fn list(client: &impl GenericClient, tenant: &TenantId) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!("{API_KEY_SELECT} WHERE tenant = $1 ORDER BY created_at, hash");
    all(client, &sql, &[&tenant.as_str()]).await?.iter().map(rows::api_key).collect()
}
