//! [`EndpointStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::endpoint;
use crate::{EndpointOff, EndpointRow, EndpointStore, StoreError};

#[async_trait]
impl EndpointStore for SqliteStore {
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: String,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        self.writer()?.run(move |c| at_once(endpoint::put(c, &tenant, &name, &definition, now_ms))).await
    }

    async fn switch_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        off: Option<EndpointOff>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        self.writer()?.run(move |c| at_once(endpoint::switch(c, &tenant, &name, off.as_ref(), now_ms))).await
    }

    async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        self.readers.run(move |c| at_once(endpoint::get(c, &tenant, &name))).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        self.readers.run(move |c| at_once(endpoint::list(c))).await
    }

    async fn drop_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<bool, StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        self.writer()?.run(move |c| at_once(endpoint::delete(c, &tenant, &name))).await
    }
}
