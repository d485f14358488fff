//! Requests of a month.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::query::{must, number};
use super::{PostgresStore, in_time};
use crate::{BudgetStore, StoreError};

#[async_trait]
impl BudgetStore for PostgresStore {
    async fn month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT calls FROM month_calls WHERE tenant = $1 AND connection = $2 AND month = $3";
        self.read(|c| async move {
            Ok(number(&c, sql, &[&tenant.as_str(), &connection.as_str(), &month]).await?.unwrap_or(0))
        })
        .await
    }

    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError> {
        in_time(async {
            let client = self.client().await?;
            let sql = "INSERT INTO month_calls AS kept (tenant, connection, month, calls) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (tenant, connection, month) DO UPDATE SET calls = kept.calls + EXCLUDED.calls RETURNING calls";
            must(&client, sql, &[&tenant.as_str(), &connection.as_str(), &month, &calls]).await
        })
        .await
    }
}
