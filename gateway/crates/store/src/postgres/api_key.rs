//! API keys: hashes, never keys.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, TenantId};

use super::query::{all, one, run};
use super::{PostgresStore, in_time};
use crate::limits::{self, without_nul};
use crate::rows::{self, API_KEY_SELECT};
use crate::{ApiKeyRow, KeyId, KeyStore, StoreError};

#[async_trait]
impl KeyStore for PostgresStore {
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError> {
        in_time(async { put(&self.client().await?, &key).await }).await
    }

    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read(|c| async move {
            let row = one(&c, &format!("{API_KEY_SELECT} WHERE hash = $1"), &[&hash.as_slice()]).await?;
            row.as_ref().map(rows::api_key).transpose()
        })
        .await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.read(|c| async move { list(&c, tenant, after, limit).await }).await
    }

    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read(|c| async move { by_id(&c, tenant, id).await }).await
    }

    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        in_time(async {
            let client = self.client().await?;
            let Some(key) = by_id(&client, tenant, id).await? else { return Ok(None) };
            let sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE hash = $1";
            run(&client, sql, &[&key.hash.as_slice(), &now_ms]).await?;
            by_id(&client, tenant, id).await
        })
        .await
    }

    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        in_time(async {
            let client = self.client().await?;
            let (hashes, times): (Vec<&[u8]>, Vec<i64>) = uses.iter().map(|(hash, at)| (hash.as_slice(), *at)).unzip();
            let sql = "UPDATE api_key k SET last_used_at = u.at FROM unnest($1::bytea[], $2::bigint[]) AS u (hash, at)
                       WHERE k.hash = u.hash AND coalesce(k.last_used_at, 0) < u.at";
            run(&client, sql, &[&hashes, &times]).await.map(drop)
        })
        .await
    }
}

async fn put(client: &impl GenericClient, key: &ApiKeyRow) -> Result<(), StoreError> {
    if by_id(client, None, key.id()).await?.is_some() {
        return Err(limits::key_is_there());
    }
    let bound = key.role.connection().map(ConnectionName::as_str);
    run(
        client,
        "INSERT INTO api_key (hash, label, tenant, role, connection, created_at, expires_at, revoked_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &key.hash.as_slice(),
            &without_nul(&key.label),
            &key.tenant.as_str(),
            &key.role.name(),
            &bound,
            &key.created_at_ms,
            &key.expires_at_ms,
            &key.revoked_at_ms,
            &key.last_used_at_ms,
        ],
    )
    .await
    .map(drop)
}

async fn list(
    client: &impl GenericClient,
    tenant: Option<&TenantId>,
    after: Option<&ApiKeyRow>,
    limit: u32,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!(
        "{API_KEY_SELECT} WHERE ($1::text IS NULL OR tenant = $1) AND (created_at, hash) > ($2::bigint, $3::bytea) \
         ORDER BY created_at, hash LIMIT $4"
    );
    let (at, hash) = after.map_or((i64::MIN, [0; 32].as_slice()), |key| (key.created_at_ms, key.hash.as_slice()));
    let values: super::query::Values<'_> = &[&tenant.map(TenantId::as_str), &at, &hash, &i64::from(limit)];
    all(client, &sql, values).await?.iter().map(rows::api_key).collect()
}

async fn by_id(
    client: &impl GenericClient,
    tenant: Option<&TenantId>,
    id: KeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("{API_KEY_SELECT} WHERE hash BETWEEN $1 AND $2 AND ($3::text IS NULL OR tenant = $3)");
    let (low, high) = id.hashes();
    let row = one(client, &sql, &[&low.as_slice(), &high.as_slice(), &tenant.map(TenantId::as_str)]).await?;
    row.as_ref().map(rows::api_key).transpose()
}
