//! Loading connections: side by side, each for itself. One that cannot be loaded is off with its reason, and the others serve.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use renmen_config::Limits;
use renmen_egress::Egress;
use renmen_plugin_host::Registry;
use renmen_schema::id::ConnectionName;
use renmen_schema::{Text, text};
use renmen_store::{Quota, Store};
use renmen_sync::ConnectionRuntime;
use renmen_vault::Vault;

use super::{Deployment, Reached, Unloaded, refusals};
use crate::exit::Usage;

/// Connections that are loaded at the same time: each may compile its plugin.
pub(super) const LOADED_AT_ONCE: usize = 4;

/// What a connection is loaded with.
pub(super) struct Means<'a> {
    pub(super) registry: &'a Registry,
    pub(super) egress: &'a Arc<Egress>,
    pub(super) vault: Option<&'a Vault>,
    pub(super) store: &'a dyn Store,
}

/// The connections that were loaded, and those that could not be.
pub(super) struct Loaded {
    pub(super) on: Vec<ConnectionRuntime>,
    /// How far each of those reaches.
    pub(super) reaches: BTreeMap<ConnectionName, Reached>,
    pub(super) off: Vec<Unloaded>,
}

/// What a connection may keep on disk.
pub(super) fn quota(limits: &Limits) -> Quota {
    Quota {
        records_bytes_max: limits.records_bytes_max,
        exchanges_bytes_max: limits.exchanges_bytes_max,
        quarantine_records_max: u64::from(limits.quarantine_records_max),
        quarantine_bytes_max: limits.quarantine_bytes_max,
        refreshes_waiting_max: u64::from(limits.refreshes_waiting_max),
        exchanges_age_max_ms: millis(limits.exchanges_age_max),
        runs_age_max_ms: millis(limits.runs_age_max),
        quarantine_age_max_ms: millis(limits.quarantine_age_max),
    }
}

fn millis(age: Duration) -> i64 {
    i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
}

impl Deployment {
    /// Loads every enabled connection, or the one named.
    ///
    /// # Errors
    /// That of the one named; all of them when there are some and none could be loaded: a gateway without any would only seem to
    /// run.
    pub(super) async fn load_connections(
        &self,
        means: &Means<'_>,
        only: Option<&ConnectionName>,
    ) -> anyhow::Result<Loaded> {
        let wanted = self.config.connections.iter().filter(|(name, connection)| match only {
            Some(only) => only == *name,
            None => connection.enabled,
        });
        let loads = wanted
            .filter(|(_, connection)| connection.enabled)
            .map(|(name, connection)| async move { (name, connection, self.load_connection(means, name).await) });
        let ended: Vec<_> = futures_util::stream::iter(loads).buffered(LOADED_AT_ONCE).collect().await;
        for (name, connection, _) in &ended {
            means.store.set_quota(&connection.tenant, name, quota(&connection.limits));
        }
        let mut loaded = Loaded { on: Vec::new(), reaches: BTreeMap::new(), off: Vec::new() };
        for (name, connection, result) in ended {
            match result {
                Ok((runtime, reached)) => {
                    loaded.on.push(runtime);
                    loaded.reaches.insert(name.clone(), reached);
                }
                Err(error) if only.is_some() => {
                    return Err(error.context(Usage(text!("connection `{name}`", "连接 `{name}`"))));
                }
                Err(error) => loaded.off.push(Unloaded::note("connection", &connection.tenant, name, &error)),
            }
        }
        if loaded.on.is_empty() && !loaded.off.is_empty() {
            let reason = |off: &Unloaded| text!("connection `{}`: {}", "连接 `{}`：{}", off.name, off.told).to_string();
            let reasons = || loaded.off.iter().map(reason).collect::<Vec<_>>().join("\n");
            return Err(Usage(Text::rendered(reasons)).into());
        }
        Ok(loaded)
    }

    /// A fault of ours in one of them is not the end of the others.
    async fn load_connection(
        &self,
        means: &Means<'_>,
        name: &ConnectionName,
    ) -> anyhow::Result<(ConnectionRuntime, Reached)> {
        let connection = &self.config.connections[name];
        let loading = async {
            let plugin = means.registry.get_or_load(&connection.plugin, connection.digest.as_deref()).await;
            let plugin = match plugin {
                Ok(plugin) => plugin,
                Err(error) => {
                    self.refuse(connection, &[refusals::load_problem(&error)])?;
                    return Err(error.into());
                }
            };
            let bound = self.bind(means.egress, means.vault, name, plugin)?;
            let reached = Reached::of(&bound, connection);
            Ok((self.runtime(name, bound)?, reached))
        };
        guarded(loading).await
    }
}

/// A panic is an error like any other.
pub(super) async fn guarded<T>(loading: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    AssertUnwindSafe(loading).catch_unwind().await.unwrap_or_else(|_panic| {
        Err(anyhow::anyhow!(
            text!("the gateway met a fault of its own while it loaded this (its standard error names the place): please report it", "网关在加载时遇到自身的错误（标准错误中有位置）：请报告此问题")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_while_one_connection_is_loaded_is_its_reason_and_not_the_end() {
        let broken = guarded(async { if std::hint::black_box(true) { panic!("overflow") } else { Ok(()) } }).await;
        assert!(broken.is_err_and(|error| error.to_string().contains("please report it")));
        assert!(guarded(async { Ok(7) }).await.is_ok_and(|seven| seven == 7));
    }
}
