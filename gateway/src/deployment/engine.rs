//! The engine with what it runs on: plugins loaded, credentials bound. Also where a plugin is loaded anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use renmen_egress::Egress;
use renmen_flow::FlowEngine;
use renmen_plugin_host::{HostOptions, HostTuning, PluginHost, Registry, Trust, TrustedKey};
use renmen_schema::id::ConnectionName;
use renmen_store::Store;
use renmen_sync::{ConnectionRuntime, Engine, SyncOptions};

use super::Deployment;
use super::endpoints::Live;
use super::reached::Reached;
use super::receivers::Receiver;
use crate::exit::Usage;

/// An engine and what belongs to it.
pub(crate) struct Running {
    pub(crate) deployment: Deployment,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    /// The flows; they run once `serve` began them.
    pub(crate) flows: Arc<FlowEngine>,
    registry: Registry,
    pub(super) egress: Arc<Egress>,
    /// How far each connection reaches, as it was when it was put together.
    pub(crate) reaches: BTreeMap<ConnectionName, Reached>,
    /// The endpoints in use.
    pub(super) endpoints: Mutex<Live>,
}

impl Deployment {
    /// Loads the enabled connections (or the one named) and puts the engine together over a store.
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
        let registry = Registry::new(Arc::new(PluginHost::with_tuning(options, tuning)?.trusting(self.trust()?)));
        let egress = Egress::new()?;
        let vault = self.vault()?;
        if let Some(vault) = &vault {
            self.tell_first_format(vault)?;
        }
        let receivers = self.receivers(&egress, vault.as_ref(), &store)?;
        receivers.iter().for_each(Receiver::announce);
        let mut connections: Vec<ConnectionRuntime> = Vec::new();
        let mut reaches = BTreeMap::new();
        for (name, connection) in &self.config.connections {
            if !connection.enabled || only.is_some_and(|only| only != name) {
                continue;
            }
            self.outlasts(name)?;
            let bound = async {
                let plugin = registry.get_or_load(&connection.plugin, connection.digest.as_deref()).await?;
                let bound = self.bind(&egress, vault.as_ref(), name, plugin)?;
                reaches.insert(name.clone(), Reached::of(&bound, connection));
                self.runtime(name, bound)
            };
            connections.push(bound.await.with_context(|| format!("connection `{name}`"))?);
        }
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
        let engine = Engine::new(Arc::clone(&store), connections, sync);
        let endpoints = super::endpoints::live(&receivers);
        let flows = self.flow_engine(&store, &engine, receivers);
        // With one connection alone, the others that flows name are not there.
        if only.is_none() {
            self.check_flows(&flows)?;
        }
        Ok(Running {
            deployment: self,
            store,
            engine,
            flows,
            registry,
            egress,
            reaches,
            endpoints: Mutex::new(endpoints),
        })
    }

    /// Whose plugins may be loaded.
    pub(crate) fn trust(&self) -> Result<Trust, Usage> {
        let plugins = &self.config.plugins;
        let key = |(name, text): (&String, &String)| {
            TrustedKey::parse(name, text).map_err(|why| Usage(format!("`plugins.trusted_keys.{name}`: {why}")))
        };
        let keys = plugins.trusted_keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Trust { keys, required: plugins.require_signature })
    }

    /// A lease that ends during a call would let two gateways pull one stream.
    fn outlasts(&self, name: &ConnectionName) -> Result<(), Usage> {
        let (lease, call) = (self.config.gateway.lease, self.config.connections[name].limits.wall_clock);
        if lease > call {
            return Ok(());
        }
        Err(Usage(format!(
            "`gateway.lease` ({lease:?}) must be longer than `wall_clock` of connection `{name}` ({call:?}): raise it"
        )))
    }

    fn known(&self, name: &ConnectionName) -> Result<(), Usage> {
        if self.config.connections.contains_key(name) {
            return Ok(());
        }
        let known = self.config.connections.keys().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
        Err(Usage(format!("there is no connection `{name}` in {}; there are: {known}", self.config.path.display())))
    }
}

impl Running {
    /// Loads every plugin again from its file. One that fails keeps its old code; the others go on.
    pub(crate) async fn reload(&self) -> anyhow::Result<()> {
        let vault = self.deployment.vault()?;
        for (name, connection) in &self.deployment.config.connections {
            let Ok(runtime) = self.engine.connection(&connection.tenant, name) else { continue };
            let reloaded = async {
                let plugin = self.registry.load(&connection.plugin, connection.digest.as_deref()).await?;
                self.deployment.bind(&self.egress, vault.as_ref(), name, plugin)
            };
            match reloaded.await {
                Ok(bound) => runtime.replace(Arc::new(bound)),
                Err(error) => tracing::error!(connection = %name, %error, "Reload failed; the old plugin stays"),
            }
        }
        Ok(())
    }
}
