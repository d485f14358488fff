//! The store as the configuration names it.

use std::path::Path;
use std::sync::Arc;

use renmen_store::{KeyStore, Store, StoreOptions};

use super::Deployment;

impl Deployment {
    fn store_options(&self) -> StoreOptions {
        let store = &self.config.store;
        StoreOptions {
            cache_bytes: store.cache_bytes,
            checkpoint_pages: store.checkpoint_pages,
            synchronous_full: store.synchronous_full,
            readers: store.readers,
            disk_free_bytes_min: store.disk_free_bytes_min,
            read_timeout_ms: u64::try_from(store.read_timeout.as_millis()).unwrap_or(u64::MAX),
            ..StoreOptions::at(store.url.expose())
        }
    }

    /// Opens it for writing: no other gateway may hold it.
    pub(crate) async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        self.data_dir()?;
        Ok(renmen_store::open(self.store_options()).await?)
    }

    /// Only the keys of the API, which also works while a gateway is running.
    pub(crate) async fn keys(&self) -> anyhow::Result<Arc<dyn KeyStore>> {
        self.data_dir()?;
        Ok(renmen_store::open_keys(self.store_options()).await?)
    }

    /// An empty one in a folder that the caller throws away.
    pub(crate) async fn scratch_store(&self, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
        let url = format!("sqlite:{}", folder.join("scratch.db").display());
        Ok(renmen_store::open(StoreOptions { url, ..self.store_options() }).await?)
    }

    /// Opens it for reading, which also works while a gateway is running.
    pub(crate) async fn store_to_read(&self) -> anyhow::Result<Arc<dyn Store>> {
        self.private_places()?;
        Ok(renmen_store::open_read_only(self.store_options()).await?)
    }
}
