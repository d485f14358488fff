//! The endpoints of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{EndpointOff, EndpointRow, EndpointStore, StoreError};

use crate::broken_store::BrokenStore;

#[async_trait]
impl EndpointStore for BrokenStore {
    async fn put_endpoint(
        &self,
        _tenant: &TenantId,
        _name: &ConnectionName,
        _definition: String,
        _now_ms: i64,
    ) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn switch_endpoint(
        &self,
        _tenant: &TenantId,
        _name: &ConnectionName,
        _off: Option<EndpointOff>,
        _now_ms: i64,
    ) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn endpoint(&self, _tenant: &TenantId, _name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError> {
        self.fail().await
    }
    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        self.fail().await
    }
    async fn drop_endpoint(&self, _tenant: &TenantId, _name: &ConnectionName) -> Result<bool, StoreError> {
        self.fail().await
    }
}
