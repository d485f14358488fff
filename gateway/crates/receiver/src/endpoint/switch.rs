//! Whether an endpoint is on. Kept outside of the endpoint, because a receiver's "gone" must outlast the process.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{EndpointOff, Store};

/// Whether an endpoint is on.
#[async_trait]
pub trait Switch: Send + Sync {
    /// Why it is off; none when it is on.
    ///
    /// # Errors
    /// A sentence for the operator.
    async fn off(&self) -> Result<Option<EndpointOff>, String>;

    /// Switches it off until it is switched on again.
    ///
    /// # Errors
    /// A sentence for the operator.
    async fn switch_off(&self, off: EndpointOff) -> Result<(), String>;
}

/// An endpoint's switch in the store.
pub struct StoredSwitch {
    store: Arc<dyn Store>,
    tenant: TenantId,
    name: ConnectionName,
}

impl StoredSwitch {
    /// The switch of one endpoint.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, tenant: TenantId, name: ConnectionName) -> Self {
        Self { store, tenant, name }
    }
}

#[async_trait]
impl Switch for StoredSwitch {
    async fn off(&self) -> Result<Option<EndpointOff>, String> {
        let row = self.store.endpoint(&self.tenant, &self.name).await.map_err(|error| error.to_string())?;
        Ok(row.and_then(|row| row.off))
    }

    async fn switch_off(&self, off: EndpointOff) -> Result<(), String> {
        let since_ms = off.since_ms;
        let kept = self.store.switch_endpoint(&self.tenant, &self.name, Some(off), since_ms).await;
        kept.map_err(|error| error.to_string())
    }
}
