//! What outgoing events need of the store: the endpoints that were made over the API, and which ones are off.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::StoreError;

/// One endpoint that was made over the API, or that is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    pub tenant: TenantId,
    pub name: ConnectionName,
    /// JSON, opaque here; none for an endpoint of the file.
    pub definition: Option<String>,
    /// Why it is off; none when it is on.
    pub off: Option<EndpointOff>,
    /// When any of it changed, in milliseconds since the epoch.
    pub updated_at_ms: i64,
}

/// Why an endpoint is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointOff {
    /// For people.
    pub reason: String,
    /// The URL that was meant: with another one the endpoint is on again.
    pub url: String,
    /// Milliseconds since the epoch.
    pub since_ms: i64,
}

/// Endpoints of outgoing events.
#[async_trait]
pub trait EndpointStore: Send + Sync {
    /// Keeps an endpoint of the API, or its new definition. Whether it is off stays as it was.
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: String,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Switches one off, or on. It need not have a row: those of the file have none.
    async fn switch_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        off: Option<EndpointOff>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// One row; none for an endpoint of the file that was never off.
    async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError>;

    /// Every row, by tenant and name.
    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError>;

    /// Takes an endpoint away. False when there is none.
    async fn drop_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<bool, StoreError>;
}
