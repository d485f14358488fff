//! The engine with what it runs on: plugins loaded, credentials bound. Also where a plugin is reloaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_egress::{Egress, EgressOptions, MemoryBudget};
use renmen_flow::FlowEngine;
use renmen_plugin_host::{CompileLimits, HostOptions, HostTuning, PluginHost, Registry, Trust, TrustedKey};
use renmen_schema::id::ConnectionName;
use renmen_schema::text;
use renmen_store::Store;
use renmen_sync::{Engine, SyncOptions};

use super::loading::Means;
use super::reached::Reached;
use super::receivers::Receiver;
use super::writers::Writers;
use super::{Deployment, Links, Unloaded};
use crate::exit::Usage;

/// An engine and what belongs to it.
pub(crate) struct Running {
    pub(crate) deployment: Deployment,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    /// The memory that connections share.
    pub(crate) memory: MemoryBudget,
    /// What could not be loaded, with the reason.
    pub(crate) off: Vec<Unloaded>,
    /// Links to decisions, where there is an address for them; `serve` begins to make them.
    pub(crate) links: Option<Arc<Links>>,
    /// The flows; they run once `serve` began them.
    pub(crate) flows: Arc<FlowEngine>,
    registry: Registry,
    pub(super) egress: Arc<Egress>,
    /// How far each connection reaches, as it was when it was put together.
    pub(crate) reaches: BTreeMap<ConnectionName, Reached>,
}

impl Deployment {
    /// Loads the enabled connections (or the one named) and puts the engine together over a store. A connection that cannot be
    /// loaded is off: see [`Running::off`].
    pub(crate) async fn engine(self, store: Arc<dyn Store>, only: Option<&ConnectionName>) -> anyhow::Result<Running> {
        if let Some(name) = only {
            self.known(name)?;
        }
        let options = HostOptions { cache_dir: Some(self.config.gateway.cache_dir.clone()), dev: self.config.dev };
        self.data_dir()?;
        let sharing = &self.config.gateway.sharing;
        let tuning = HostTuning {
            calls_max: sharing.parallel_calls,
            threads: sharing.plugin_threads as usize,
            ..HostTuning::default()
        };
        let host = PluginHost::with_tuning(options, tuning)?.trusting(self.trust()?);
        let host = host.compiling_within(self.compile_limits());
        let registry = Registry::new(Arc::new(host.compiling_in(crate::compiler::child()?)?));
        let memory = MemoryBudget::new(self.memory_bytes_max());
        let egress = Egress::with(EgressOptions { memory: memory.clone(), ..EgressOptions::default() })?;
        let vault = self.vault()?;
        if let Some(vault) = &vault {
            self.tell_first_format(vault)?;
        }
        let (receivers, mut off) = self.receivers(&egress, vault.as_ref(), &store)?;
        receivers.iter().for_each(Receiver::announce);
        let means = Means { registry: &registry, egress: &egress, vault: vault.as_ref(), store: &*store };
        let loaded = self.load_connections(&means, only).await?;
        off.extend(loaded.off);
        super::budgets::load(&egress, &*store).await?;
        let gateway = &self.config.gateway;
        let sync = SyncOptions {
            lease: gateway.lease,
            keep_exchanges: gateway.keep_exchanges,
            spool_age_max: gateway.spool_age_max,
            inbox_age: gateway.inbox_age,
            parallel_runs: gateway.sharing.parallel_runs as usize,
            run_turn: gateway.sharing.run_turn,
            ..SyncOptions::in_dir(self.config.gateway.data_dir.clone())
        };
        let engine = Engine::new(Arc::clone(&store), loaded.on, sync);
        let links = Links::of(&self.config);
        let flows = self.flow_engine(&store, &engine, receivers, &off, links.as_ref());
        // With one connection alone, the others that flows name are not there.
        if only.is_none() {
            self.check_flows(&flows)?;
        }
        Ok(Running {
            deployment: self,
            store,
            engine,
            memory,
            off,
            links,
            flows,
            registry,
            egress,
            reaches: loaded.reaches,
        })
    }

    /// The keys whose signatures make a plugin trusted, and whether a signature is required.
    pub(crate) fn trust(&self) -> Result<Trust, Usage> {
        let plugins = &self.config.plugins;
        let key = |(name, text): (&String, &String)| {
            TrustedKey::parse(name, text).map_err(|why| {
                Usage(text!("`plugins.trusted_keys.{name}`: {why}", "`plugins.trusted_keys.{name}`：{why}"))
            })
        };
        let keys = plugins.trusted_keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Trust { keys, required: plugins.require_signature })
    }

    fn compile_limits(&self) -> CompileLimits {
        let plugins = &self.config.plugins;
        CompileLimits {
            functions_max: plugins.functions_max,
            function_bytes_max: plugins.function_bytes_max,
            items_max: plugins.items_max,
            memory_bytes_max: plugins.compile_memory_max,
            time_max: plugins.compile_time_max,
        }
    }

    /// A lease that ends during a call would let two gateways pull one stream.
    pub(super) fn outlasts(&self, name: &ConnectionName) -> Result<(), Usage> {
        let (lease, call) = (self.config.gateway.lease, self.config.connections[name].limits.wall_clock);
        if lease > call {
            return Ok(());
        }
        Err(Usage(text!(
            "`gateway.lease` ({lease:?}) must be longer than `wall_clock` of connection `{name}` ({call:?}): raise it",
            "`gateway.lease`（{lease:?}）须长于连接 `{name}` 的 `wall_clock`（{call:?}）：请调高"
        )))
    }

    fn known(&self, name: &ConnectionName) -> Result<(), Usage> {
        if self.config.connections.contains_key(name) {
            return Ok(());
        }
        let known = self.config.connections.keys().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
        Err(Usage(text!(
            "unknown connection `{name}` in {}; there are: {known}",
            "{} 中没有连接 `{name}`；可用的为：{known}",
            self.config.path.display()
        )))
    }
}

impl Running {
    /// Who may write which records.
    pub(crate) fn writers(&self) -> Writers {
        Writers::of(&self.deployment.config, &self.engine)
    }

    /// Loads every plugin again from its file. One that fails keeps its old code; the others go on. One that is off stays off
    /// until the next start, because its streams and flows begin there.
    pub(crate) async fn reload(&self) -> anyhow::Result<()> {
        let vault = self.deployment.vault()?;
        for off in &self.off {
            tracing::warn!(name = %off.name, reason = %off.reason, "A reload cannot enable this connection: restart the gateway");
        }
        for (name, connection) in &self.deployment.config.connections {
            let Ok(runtime) = self.engine.connection(&connection.tenant, name) else { continue };
            let reloaded = async {
                let plugin = self.registry.load(&connection.plugin, connection.digest.as_deref()).await?;
                self.deployment.bind(&self.egress, vault.as_ref(), name, plugin)
            };
            match reloaded.await {
                Ok(bound) => runtime.replace(Arc::new(bound)),
                Err(error) => {
                    tracing::error!(connection = %name, %error, "Reload failed; the previous plugin stays active");
                }
            }
        }
        Ok(())
    }
}
