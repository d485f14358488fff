//! Who does which work.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::query::{one, run};
use super::{PostgresStore, in_time};
use crate::rows::{self, LEASE_SELECT};
use crate::{LeaseRow, LeaseStore, StoreError};

#[async_trait]
impl LeaseStore for PostgresStore {
    async fn lease(&self, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        let sql = format!("{LEASE_SELECT} WHERE tenant = $1 AND name = $2");
        self.read(
            |c| async move { one(&c, &sql, &[&tenant.as_str(), &name]).await?.as_ref().map(rows::lease).transpose() },
        )
        .await
    }

    async fn beat(
        &self,
        tenant: &TenantId,
        name: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        in_time(async {
            let client = self.client().await?;
            let sql = if seen == 0 {
                "INSERT INTO lease (tenant, name, holder, beat, since_ms) VALUES ($1, $2, $3, $4::bigint + 1, $5)
                 ON CONFLICT DO NOTHING"
            } else {
                "UPDATE lease SET since_ms = CASE WHEN holder = $3 THEN since_ms ELSE $5 END, holder = $3, beat = beat + 1
                 WHERE tenant = $1 AND name = $2 AND beat = $4"
            };
            let holder = holder.unwrap_or_default();
            let moved = run(&client, sql, &[&tenant.as_str(), &name, &holder, &seen, &now_ms]).await?;
            Ok((moved > 0).then_some(seen + 1))
        })
        .await
    }
}
