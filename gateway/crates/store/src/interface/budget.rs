//! How many requests connections sent in a month.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::StoreError;

/// Requests by connection and month (`2026-11`). Several gateways add up.
#[async_trait]
pub trait BudgetStore: Send + Sync {
    /// How many were sent in that month.
    async fn month_calls(&self, tenant: &TenantId, connection: &ConnectionName, month: &str)
    -> Result<i64, StoreError>;

    /// Adds to them; less than zero takes back what was counted and not sent. Gives what they are then.
    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError>;
}
