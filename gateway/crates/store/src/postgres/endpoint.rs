//! [`EndpointStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::query::{all, one, run};
use super::{PostgresStore, in_time};
use crate::endpoint_row::{ENDPOINT_SELECT, read};
use crate::limits::without_nul;
use crate::{EndpointOff, EndpointRow, EndpointStore, StoreError};

#[async_trait]
impl EndpointStore for PostgresStore {
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: String,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO endpoint (tenant, name, definition, updated_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at";
        let definition = without_nul(&definition);
        in_time(async {
            run(&self.client().await?, sql, &[&tenant.as_str(), &name.as_str(), &definition, &now_ms]).await.map(drop)
        })
        .await
    }

    async fn switch_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        off: Option<EndpointOff>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO endpoint (tenant, name, off_reason, off_url, off_since, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant, name) DO UPDATE SET off_reason = excluded.off_reason, off_url = excluded.off_url,
             off_since = excluded.off_since, updated_at = excluded.updated_at";
        let reason = off.as_ref().map(|off| without_nul(&off.reason));
        let url = off.as_ref().map(|off| without_nul(&off.url));
        let since = off.as_ref().map(|off| off.since_ms);
        in_time(async {
            let values: super::query::Values<'_> = &[&tenant.as_str(), &name.as_str(), &reason, &url, &since, &now_ms];
            run(&self.client().await?, sql, values).await.map(drop)
        })
        .await
    }

    async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError> {
        let sql = format!("{ENDPOINT_SELECT} WHERE tenant = $1 AND name = $2");
        self.read(|c| async move {
            one(&c, &sql, &[&tenant.as_str(), &name.as_str()]).await?.as_ref().map(read).transpose()
        })
        .await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        let sql = format!("{ENDPOINT_SELECT} ORDER BY tenant, name");
        self.read(|c| async move { all(&c, &sql, &[]).await?.iter().map(read).collect() }).await
    }

    async fn drop_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<bool, StoreError> {
        let sql = "DELETE FROM endpoint WHERE tenant = $1 AND name = $2";
        in_time(async { Ok(run(&self.client().await?, sql, &[&tenant.as_str(), &name.as_str()]).await? > 0) }).await
    }
}
