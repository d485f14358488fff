//! [`RegistryStore`] on SQLite.

use async_trait::async_trait;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::registry;
use crate::{RegistryStore, RegistryVersions, StoreError};

#[async_trait]
impl RegistryStore for SqliteStore {
    async fn registry_versions(&self) -> Result<RegistryVersions, StoreError> {
        self.readers.run(|c| at_once(registry::versions(c))).await
    }
}
