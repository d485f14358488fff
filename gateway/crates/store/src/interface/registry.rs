//! What several gateways keep in memory of one store, and how each knows that another changed it.

use async_trait::async_trait;

use crate::StoreError;

/// How often each registry was changed. Numbers only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegistryVersions {
    pub endpoints: i64,
    pub flows: i64,
    pub keys: i64,
}

/// Moves with each change, in the same transaction.
#[async_trait]
pub trait RegistryStore: Send + Sync {
    /// How they stand: one cheap question.
    async fn registry_versions(&self) -> Result<RegistryVersions, StoreError>;
}
