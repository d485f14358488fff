//! Requests of a month.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::params;

use super::SqliteStore;
use super::query::number;
use crate::{BudgetStore, StoreError};

#[async_trait]
impl BudgetStore for SqliteStore {
    async fn month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
    ) -> Result<i64, StoreError> {
        let (tenant, connection, month) = (tenant.clone(), connection.clone(), month.to_owned());
        let sql = "SELECT calls FROM month_calls WHERE tenant = ?1 AND connection = ?2 AND month = ?3";
        self.readers
            .run(move |c| Ok(number(c, sql, params![tenant.as_str(), connection.as_str(), month])?.unwrap_or(0)))
            .await
    }

    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError> {
        let (tenant, connection, month) = (tenant.clone(), connection.clone(), month.to_owned());
        self.writer()?
            .run(move |c| {
                let sql = "INSERT INTO month_calls (tenant, connection, month, calls) VALUES (?1, ?2, ?3, ?4)
                           ON CONFLICT DO UPDATE SET calls = calls + excluded.calls RETURNING calls";
                let sum = number(c, sql, params![tenant.as_str(), connection.as_str(), month, calls])?;
                Ok(sum.unwrap_or(calls))
            })
            .await
    }
}
