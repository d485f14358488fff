//! A configuration put together before it takes the place of the one in use: everything that can be wrong with it is found here, and nothing is changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use renmen_config::Connection;
use renmen_plugin_host::Plugin;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};
use renmen_sync::{BoundPlugin, ConnectionRuntime};
use renmen_vault::Vault;

use super::super::engine::Current;
use super::super::flows::Catalogues;
use super::super::loading::{LOADED_AT_ONCE, guarded};
use super::super::{Deployment, Reached, Running, Unloaded, refusals};
use crate::exit::Usage;

/// See the module.
pub(super) struct Draft {
    pub(super) deployment: Deployment,
    pub(super) connections: Vec<LoadedConnection>,
    pub(super) off: Vec<Unloaded>,
    pub(super) reaches: BTreeMap<ConnectionName, Reached>,
    pub(super) catalogues: Catalogues,
}

/// Which code connections get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// What their files hold now.
    OfFiles,
    /// What runs.
    InUse,
}

/// A connection of the new file.
pub(super) enum LoadedConnection {
    /// It says what it said, and its code is the same: only its secrets were read again.
    Same { runtime: Arc<ConnectionRuntime>, bound: Arc<BoundPlugin> },
    /// Another one, or a new one.
    Other(Arc<ConnectionRuntime>),
}

impl LoadedConnection {
    fn runtime(&self) -> &Arc<ConnectionRuntime> {
        match self {
            Self::Same { runtime, .. } | Self::Other(runtime) => runtime,
        }
    }

    /// As the engine is to run it from now on.
    pub(super) fn put_in_place(self) -> Arc<ConnectionRuntime> {
        match self {
            Self::Same { runtime, bound } => {
                runtime.replace(bound);
                runtime
            }
            Self::Other(runtime) => runtime,
        }
    }
}

impl Draft {
    /// # Errors
    /// Everything that is wrong, each with its lines.
    pub(super) async fn make(
        running: &Running,
        before: &Current,
        deployment: Deployment,
        code: Code,
    ) -> anyhow::Result<Self> {
        let vault = deployment.vault()?;
        let (receivers, failed) = deployment.receivers_unlogged(&running.egress, vault.as_ref(), &running.store)?;
        let mut off = Failures { before: &before.off, off: Vec::new(), new: Vec::new() };
        failed.into_iter().for_each(|(kind, one)| off.add(kind, one));
        // Each in a box: a reload is a task of its own, which may change threads.
        let mut loads = Vec::new();
        for (name, connection) in deployment.config.connections.iter().filter(|(_, connection)| connection.enabled) {
            let means = (vault.as_ref(), code);
            let loading = load(running, before, &deployment, means, (name, connection));
            loads.push(async move { (name, connection, guarded(loading).await) }.boxed());
        }
        let ended: Vec<_> = futures_util::stream::iter(loads).buffered(LOADED_AT_ONCE).collect().await;
        let (mut connections, mut reaches) = (Vec::new(), BTreeMap::new());
        for (name, connection, loaded) in ended {
            match loaded {
                Ok((loaded, reached)) => {
                    connections.push(loaded);
                    reaches.insert(name.clone(), reached);
                }
                Err(error) => off.add("connection", Unloaded::of(&connection.tenant, name, &error)),
            }
        }
        let off = off.known_ones()?;
        let runtimes = runtimes_of(&connections);
        let catalogues = deployment.catalogues(&runtimes, receivers, &off, running.links.as_ref());
        // Checks its flows alone, and looks at no clock.
        let flows = deployment.flow_engine(&running.store, catalogues.clone(), Arc::new(renmen_flow::SystemClock));
        deployment.check_flows(&flows)?;
        Ok(Self { deployment, connections, off, reaches, catalogues })
    }

    pub(super) fn runtimes(&self) -> Vec<Arc<ConnectionRuntime>> {
        runtimes_of(&self.connections)
    }
}

fn runtimes_of(connections: &[LoadedConnection]) -> Vec<Arc<ConnectionRuntime>> {
    connections.iter().map(|one| Arc::clone(one.runtime())).collect()
}

/// What cannot be loaded.
struct Failures<'a> {
    before: &'a [Unloaded],
    off: Vec<Unloaded>,
    /// Those that were not off before.
    new: Vec<Text>,
}

impl Failures<'_> {
    fn add(&mut self, kind: &'static str, one: Unloaded) {
        let known = |was: &Unloaded| (&was.tenant, &was.name) == (&one.tenant, &one.name);
        if !self.before.iter().any(known) {
            let kind = match kind {
                "channel" => text!("channel", "渠道"),
                "endpoint" => text!("endpoint", "端点"),
                _ => text!("connection", "连接"),
            };
            self.new.push(text!("{kind} `{}`: {}", "{kind} `{}`：{}", one.name, one.told));
        }
        self.off.push(one);
    }

    fn known_ones(self) -> Result<Vec<Unloaded>, Usage> {
        if self.new.is_empty() {
            return Ok(self.off);
        }
        let new = self.new;
        Err(Usage(Text::rendered(|| new.iter().map(Text::to_string).collect::<Vec<_>>().join("\n"))))
    }
}

async fn load(
    running: &Running,
    before: &Current,
    deployment: &Deployment,
    (vault, code): (Option<&Vault>, Code),
    (name, connection): (&ConnectionName, &Connection),
) -> anyhow::Result<(LoadedConnection, Reached)> {
    let (path, digest) = (&connection.plugin, connection.digest.as_deref());
    let loaded = match code {
        Code::OfFiles => running.registry.load(path, digest).await,
        Code::InUse => running.registry.get_or_load(path, digest).await,
    };
    let plugin = match loaded {
        Ok(plugin) => plugin,
        Err(error) => {
            deployment.refuse(connection, &[refusals::load_problem(&error)])?;
            return Err(error.into());
        }
    };
    let same = same_runtime(running, before, (&connection.tenant, name, connection), &plugin);
    let bound = deployment.bind(&running.egress, vault, name, plugin)?;
    let reached = Reached::of(&bound, connection);
    let loaded = match same {
        Some(runtime) => LoadedConnection::Same { runtime, bound: Arc::new(bound) },
        None => LoadedConnection::Other(Arc::new(deployment.runtime(name, bound)?)),
    };
    Ok((loaded, reached))
}

/// The running connection, if the new file does not change it.
fn same_runtime(
    running: &Running,
    before: &Current,
    (tenant, name, connection): (&TenantId, &ConnectionName, &Connection),
    plugin: &Plugin,
) -> Option<Arc<ConnectionRuntime>> {
    let was = before.deployment.config.connections.get(name)?;
    let runtime = running.engine.connection(tenant, name).ok()?;
    (was.says_the_same(connection) && runtime.source().digest() == plugin.digest()).then_some(runtime)
}
