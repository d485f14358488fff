//! The store as the configuration names it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use renmen_config::{Slot, SlotSource};
use renmen_schema::text;
use renmen_store::{KeyStore, Pooler, Store, StoreOptions, StorePassword};

use super::{Deployment, identity};

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Deployment {
    pub(crate) fn store_options(&self) -> anyhow::Result<StoreOptions> {
        let store = &self.config.store;
        Ok(StoreOptions {
            cache_bytes: store.cache_bytes,
            checkpoint_pages: store.checkpoint_pages,
            synchronous_full: store.synchronous_full,
            readers: store.readers,
            connections_max: store.connections_max,
            connect_timeout_ms: millis(store.connect_timeout),
            acquire_timeout_ms: millis(store.acquire_timeout),
            statement_timeout_ms: millis(store.statement_timeout),
            pooler: if store.pooler_transaction { Pooler::Transaction } else { Pooler::None },
            password: store.password.as_ref().map(|source| self.store_password(source)).transpose()?,
            disk_free_bytes_min: store.disk_free_bytes_min,
            read_timeout_ms: millis(store.read_timeout),
            insight_timeout_ms: millis(store.insight_timeout),
            intake_group: store.intake_group,
            intake_wait_ms: millis(store.intake_wait),
            intake_committers: store.intake_committers,
            poll_ms: millis(store.poll),
            cell: store.cell,
            ..StoreOptions::at(store.url.expose())
        })
    }

    /// Taken from its source when the store is opened, and given to the driver alone.
    fn store_password(&self, source: &SlotSource) -> anyhow::Result<StorePassword> {
        let slot = Slot { source: source.clone(), to: None, public: Vec::new() };
        let vault = if matches!(source, SlotSource::Vault(_)) { self.vault()? } else { None };
        let secret = self.secret(vault.as_ref(), &self.config.gateway.tenant, &slot).with_context(|| {
            text!("the password of the database (`store.password`)", "数据库密码（`store.password`）")
        })?;
        Ok(StorePassword::new(secret.expose()))
    }

    /// Opens it for writing: no other gateway may hold it.
    pub(crate) async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        self.data_dir()?;
        let holder = self.gateway_name()?.to_owned();
        Ok(renmen_store::open(StoreOptions { holder, ..self.store_options()? }).await?)
    }

    /// Who this process is among the gateways on its store.
    pub(crate) fn gateway_name(&self) -> anyhow::Result<&'static str> {
        if self.config.store.url.expose().starts_with("sqlite:") {
            // One process holds the store: it has no successor that would have to wait for it.
            return Ok(identity::of_this_process());
        }
        identity::name(&self.config.gateway.data_dir)
    }

    /// Only the keys of the API, which also works while a gateway is running.
    pub(crate) async fn keys(&self) -> anyhow::Result<Arc<dyn KeyStore>> {
        self.data_dir()?;
        Ok(renmen_store::open_keys(self.store_options()?).await?)
    }

    /// An empty one in a folder that the caller throws away.
    pub(crate) async fn scratch_store(&self, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
        let url = format!("sqlite:{}", folder.join("scratch.db").display());
        Ok(renmen_store::open(StoreOptions::at(url)).await?)
    }

    /// Opens it for reading, which also works while a gateway is running.
    pub(crate) async fn store_to_read(&self) -> anyhow::Result<Arc<dyn Store>> {
        self.private_places()?;
        Ok(renmen_store::open_read_only(self.store_options()?).await?)
    }
}
