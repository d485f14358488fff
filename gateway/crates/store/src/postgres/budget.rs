//! [`BudgetStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{PostgresStore, in_transaction};
use crate::sql::{budget, places};
use crate::{BudgetStore, PlacesAsk, PlacesShare, RateAsk, StoreError};

#[async_trait]
impl BudgetStore for PostgresStore {
    async fn month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
    ) -> Result<i64, StoreError> {
        self.read(|c| async move { budget::month_calls(&c, tenant, connection, month).await }).await
    }

    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError> {
        in_transaction!(self, |transaction| budget::add_month_calls(&transaction, tenant, connection, month, calls))
    }

    async fn reserve_requests(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: RateAsk,
    ) -> Result<Option<i64>, StoreError> {
        in_transaction!(self, |transaction| budget::reserve(&transaction, tenant, connection, &ask))
    }

    async fn share_places(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: PlacesAsk,
    ) -> Result<PlacesShare, StoreError> {
        in_transaction!(self, |transaction| places::share(&transaction, (tenant, connection), &ask))
    }
}
