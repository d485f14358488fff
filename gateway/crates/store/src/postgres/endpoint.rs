//! [`EndpointStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{PostgresStore, in_transaction};
use crate::sql::endpoint;
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
        in_transaction!(self, |transaction| endpoint::put(&transaction, tenant, name, &definition, now_ms))
    }

    async fn switch_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        off: Option<EndpointOff>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| endpoint::switch(&transaction, tenant, name, off.as_ref(), now_ms))
    }

    async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError> {
        self.read(|c| async move { endpoint::get(&c, tenant, name).await }).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        self.read(|c| async move { endpoint::list(&c).await }).await
    }

    async fn drop_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| endpoint::delete(&transaction, tenant, name))
    }
}
