//! The engine with what it runs on: plugins loaded, credentials bound.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use renmen_egress::{Egress, EgressOptions, MemoryBudget};
use renmen_flow::FlowEngine;
use renmen_plugin_host::{CompileLimits, HostOptions, HostTuning, PluginHost, Registry, Trust, TrustedKey};
use renmen_receiver::endpoint::EndpointRegistry;
use renmen_schema::id::ConnectionName;
use renmen_schema::text;
use renmen_store::Store;
use renmen_sync::{Engine, SyncOptions};

use super::interviews::LoopBasis;
use super::loading::Means;
use super::reached::Reached;
use super::receivers::Receiver;
use super::reload::Reloading;
use super::store_clock::StoreClock;
use super::writers::Writers;
use super::{Deployment, Links, Unloaded};
use crate::exit::Usage;

/// An engine and what belongs to it.
pub(crate) struct Running {
    /// The configuration in use. Another may be put in its place at any time: see [`super::reload`].
    pub(super) current: ArcSwap<Current>,
    pub(super) reloading: Reloading,
    /// What the interview loop was opened with.
    pub(super) loop_basis: LoopBasis,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    /// The memory that connections share.
    pub(crate) memory: MemoryBudget,
    /// Links to decisions, where there is an address for them; `serve` begins to make them.
    pub(crate) links: Option<Arc<Links>>,
    /// The flows; they run once `serve` began them.
    pub(crate) flows: Arc<FlowEngine>,
    /// The endpoints; there once `serve` began them.
    pub(super) endpoints: OnceLock<Arc<EndpointRegistry>>,
    pub(super) registry: Registry,
    pub(super) egress: Arc<Egress>,
    /// Where several gateways share the store.
    store_clock: Option<Arc<StoreClock>>,
}

/// A configuration in use, with what was loaded from it.
pub(crate) struct Current {
    pub(crate) deployment: Deployment,
    /// What could not be loaded, with the reason.
    pub(crate) off: Vec<Unloaded>,
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
        super::insights::check(&self.config)?;
        super::journals::check(&self.config)?;
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
        let shared_rate = super::shared_rate::of(&store);
        let shared_places = super::shared_places::of(&store, self.gateway_name()?, self.config.gateway.lease);
        let refresh_tokens = super::refresh_tokens::of(&self.config);
        let options = EgressOptions {
            memory: memory.clone(),
            shared_rate,
            shared_places,
            refresh_tokens,
            ..EgressOptions::default()
        };
        let egress = Egress::with(options)?;
        let vault = self.vault()?;
        // Before any is read: one that changes meanwhile is found to differ.
        let secrets = self.secrets_print().ok();
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
            gateway: self.gateway_name()?.to_owned(),
            keep_exchanges: gateway.keep_exchanges,
            spool_age_max: gateway.spool_age_max,
            inbox_age: gateway.inbox_age,
            parallel_runs: gateway.sharing.parallel_runs as usize,
            run_turn: gateway.sharing.run_turn,
            ..SyncOptions::in_dir(self.config.gateway.data_dir.clone())
        };
        let engine = Engine::new(Arc::clone(&store), loaded.on, sync);
        let links = Links::of(&self.config);
        let catalogues = self.catalogues(&engine.connections(), receivers, &off, links.as_ref());
        let (clock, store_clock) = StoreClock::of(&store).await;
        let flows = self.flow_engine(&store, catalogues, clock);
        // With one connection alone, the others that flows name are not there.
        if only.is_none() {
            self.check_flows(&flows)?;
            super::journals::check_destinations(&self.config, &flows)?;
        }
        let reloading = Reloading::of(&self, secrets);
        let loop_basis = LoopBasis::of(&self, &engine.connections());
        Ok(Running {
            current: ArcSwap::from_pointee(Current { deployment: self, off, reaches: loaded.reaches }),
            reloading,
            loop_basis,
            store,
            engine,
            memory,
            links,
            flows,
            endpoints: OnceLock::new(),
            registry,
            egress,
            store_clock,
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
    /// The configuration in use now.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// The one way out.
    pub(super) fn egress(&self) -> &Arc<Egress> {
        &self.egress
    }

    /// Keeps the clock of what several gateways do together, for as long as it is polled.
    pub(crate) async fn keep_clock(&self) {
        if let Some(clock) = &self.store_clock {
            clock.keep(&self.store).await;
        }
    }

    /// Who may write which records.
    pub(crate) fn writers(&self) -> Writers {
        Writers::of(&self.current().deployment.config, &self.engine.connections())
    }
}
