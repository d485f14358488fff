//! [`RegistryStore`] on PostgreSQL.

use async_trait::async_trait;

use super::PostgresStore;
use crate::sql::registry;
use crate::{RegistryStore, RegistryVersions, StoreError};

#[async_trait]
impl RegistryStore for PostgresStore {
    async fn registry_versions(&self) -> Result<RegistryVersions, StoreError> {
        self.read(|c| async move { registry::versions(&c).await }).await
    }
}
