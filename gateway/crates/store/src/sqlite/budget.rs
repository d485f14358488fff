//! [`BudgetStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::{budget, places};
use crate::{BudgetStore, PlacesAsk, PlacesShare, RateAsk, StoreError};

#[async_trait]
impl BudgetStore for SqliteStore {
    async fn month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
    ) -> Result<i64, StoreError> {
        let (tenant, connection, month) = (tenant.clone(), connection.clone(), month.to_owned());
        self.readers.run(move |c| at_once(budget::month_calls(c, &tenant, &connection, &month))).await
    }

    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError> {
        let (tenant, connection, month) = (tenant.clone(), connection.clone(), month.to_owned());
        self.writer()?.run(move |c| at_once(budget::add_month_calls(c, &tenant, &connection, &month, calls))).await
    }

    async fn reserve_requests(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: RateAsk,
    ) -> Result<Option<i64>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.clone());
        self.writer()?.run(move |c| at_once(budget::reserve(c, &tenant, &connection, &ask))).await
    }

    async fn share_places(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: PlacesAsk,
    ) -> Result<PlacesShare, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.clone());
        self.writer()?.run(move |c| at_once(places::share(c, (&tenant, &connection), &ask))).await
    }
}
