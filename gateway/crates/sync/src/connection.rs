//! A connection as the engine runs it: whose it is, what it pulls from, when its streams run, what it may send in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::manifest::StreamManifest;
use renmen_schema::{EntityKind, text};
use renmen_store::{PluginRef, StreamKey};
use renmen_turns::Account;
use tokio::sync::watch;

use crate::admission::{DeliveryRate, HookLimits, ProofQueue, RefusedDeliveries, RefusedTally};
use crate::limits::IngestLimits;
use crate::normalize::{PayslipRule, Rules};
use crate::{EntityGrant, Puller, Schedule, SyncError};

/// When a stream runs.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// When by itself.
    pub schedule: Schedule,
    /// False: not at all.
    pub enabled: bool,
}

/// One connection, for as long as its configuration stays the same. Its code may change under it: see
/// [`ConnectionRuntime::replace`].
pub struct ConnectionRuntime {
    tenant: TenantId,
    name: ConnectionName,
    source: ArcSwap<Arc<dyn Puller>>,
    reloads: watch::Sender<u64>,
    streams: BTreeMap<StreamName, StreamPlan>,
    undeclared: BTreeSet<StreamName>,
    limits: IngestLimits,
    entities: EntityGrant,
    payslips: PayslipRule,
    hooks: HookLimits,
    delivery_rate: DeliveryRate,
    proof_queue: ProofQueue,
    refused: RefusedTally,
    event_socket: bool,
}

impl ConnectionRuntime {
    /// Binds a source to its plans. A stream of the manifest that has no plan runs only when it is asked for by its name.
    ///
    /// # Errors
    /// [`SyncError::UnknownStream`] for a plan whose stream the manifest does not have; [`SyncError::BadOption`] for a
    /// limit that cannot work.
    pub fn new(
        tenant: TenantId,
        name: ConnectionName,
        source: Arc<dyn Puller>,
        mut streams: BTreeMap<StreamName, StreamPlan>,
        limits: IngestLimits,
    ) -> Result<Self, SyncError> {
        let declared = &source.manifest().streams;
        if let Some(stray) = streams.keys().find(|stream| !declared.contains_key(*stream)) {
            return Err(unknown_stream(&name, stray, declared.keys()));
        }
        let undeclared: BTreeSet<StreamName> =
            declared.keys().filter(|stream| !streams.contains_key(*stream)).cloned().collect();
        for stream in &undeclared {
            streams.insert(stream.clone(), StreamPlan { schedule: Schedule::Manual, enabled: true });
        }
        limits
            .check()
            .map_err(|wrong| SyncError::BadOption(text!("connection `{name}`: {wrong}", "连接 `{name}`：{wrong}")))?;
        Ok(Self {
            tenant,
            name,
            source: ArcSwap::from_pointee(source),
            reloads: watch::Sender::new(0),
            streams,
            undeclared,
            limits,
            entities: EntityGrant::default(),
            payslips: PayslipRule::default(),
            delivery_rate: DeliveryRate::new(HookLimits::default().per_second),
            proof_queue: ProofQueue::new(HookLimits::default().parallel_max),
            hooks: HookLimits::default(),
            refused: RefusedTally::default(),
            event_socket: false,
        })
    }

    /// The same with what the operator lets it write.
    #[must_use]
    pub fn with_entities(mut self, entities: EntityGrant) -> Self {
        self.entities = entities;
        self
    }

    /// The same with how far its payslips may be from adding up; by default each that does not come in, and the run tells of it.
    #[must_use]
    pub fn with_payslips(mut self, rule: PayslipRule) -> Self {
        self.payslips = rule;
        self
    }

    /// What may come in through a door for which the manifest declares these entities.
    pub(crate) fn rules(&self, declared: &[String]) -> Rules {
        Rules::new(declared, &self.entities, self.limits.clone(), self.payslips)
    }

    /// What the operator lets it write.
    #[must_use]
    pub fn entities(&self) -> &EntityGrant {
        &self.entities
    }

    /// What it may write, with the code as it is now.
    #[must_use]
    pub fn writes(&self) -> BTreeSet<EntityKind> {
        self.entities.effective(self.source().manifest())
    }

    /// Streams that are off because nothing that they carry is granted, each with what it carries.
    #[must_use]
    pub fn shut_streams(&self) -> BTreeMap<StreamName, Vec<String>> {
        let source = self.source();
        let shut = source.manifest().streams.iter().filter(|(_, stream)| self.is_shut(stream));
        shut.map(|(name, stream)| (name.clone(), stream.entities.clone())).collect()
    }

    pub(crate) fn is_shut(&self, stream: &StreamManifest) -> bool {
        self.entities.shuts(stream)
    }

    pub(crate) fn shut(&self, name: &StreamName, stream: &StreamManifest) -> SyncError {
        let entities = stream.entities.join(", ");
        SyncError::NotGranted { connection: self.name.clone(), stream: name.clone(), entities }
    }

    /// The same with other bounds on what its vendor may send of its own accord.
    #[must_use]
    pub fn with_hooks(mut self, hooks: HookLimits) -> Self {
        (self.delivery_rate, self.proof_queue) =
            (DeliveryRate::new(hooks.per_second), ProofQueue::new(hooks.parallel_max));
        self.hooks = hooks;
        self
    }

    /// What its vendor may send of its own accord.
    #[must_use]
    pub fn hooks(&self) -> &HookLimits {
        &self.hooks
    }

    pub(crate) fn proof_queue(&self) -> &ProofQueue {
        &self.proof_queue
    }

    pub(crate) fn delivery_rate(&self) -> &DeliveryRate {
        &self.delivery_rate
    }

    pub(crate) fn refused(&self) -> &RefusedTally {
        &self.refused
    }

    /// Deliveries that were refused while none was ever proved; none otherwise.
    #[must_use]
    pub fn refused_deliveries(&self) -> Option<RefusedDeliveries> {
        self.refused.told(self.source().manifest())
    }

    /// What it has used of the cores, and whether it is held back.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        Account::of(self.name.as_str())
    }

    /// The same, with a connection held open on which its vendor sends its events, or without.
    #[must_use]
    pub fn with_event_socket(mut self, event_socket: bool) -> Self {
        self.event_socket = event_socket;
        self
    }

    /// Is a connection to be held open on which its vendor sends its events?
    #[must_use]
    pub fn event_socket(&self) -> bool {
        self.event_socket
    }

    /// The tenant that owns it.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The key under `[connections]`.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// Every stream with its plan, in the order of the names.
    #[must_use]
    pub fn streams(&self) -> &BTreeMap<StreamName, StreamPlan> {
        &self.streams
    }

    /// Streams of the plugin that the configuration does not name. What pulls or checks every stream passes them over: the
    /// configuration is the list of what is read of people.
    #[must_use]
    pub fn undeclared_streams(&self) -> &BTreeSet<StreamName> {
        &self.undeclared
    }

    /// What it may send in.
    #[must_use]
    pub fn limits(&self) -> &IngestLimits {
        &self.limits
    }

    /// The code as it is now. A run keeps what it began with.
    #[must_use]
    pub fn source(&self) -> Arc<dyn Puller> {
        Arc::clone(&self.source.load())
    }

    /// Puts other code in place. Runs under way end with the old one; streams that wait after a failure are tried at once.
    pub fn replace(&self, source: Arc<dyn Puller>) {
        self.source.store(Arc::new(source));
        self.reloads.send_modify(|count| *count += 1);
    }

    /// Lineage's name of the code as it is now.
    #[must_use]
    pub fn plugin(&self) -> PluginRef {
        plugin_ref(self.source().as_ref())
    }

    pub(crate) fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    pub(crate) fn key(&self, stream: &StreamName) -> StreamKey {
        StreamKey { tenant: self.tenant.clone(), connection: self.name.clone(), stream: stream.clone() }
    }

    /// What the given code declares of a stream. A reload may have taken it away.
    pub(crate) fn declared(&self, source: &dyn Puller, stream: &StreamName) -> Result<StreamManifest, SyncError> {
        let streams = &source.manifest().streams;
        streams.get(stream).cloned().ok_or_else(|| unknown_stream(&self.name, stream, streams.keys()))
    }
}

pub(crate) fn plugin_ref(source: &dyn Puller) -> PluginRef {
    let manifest = source.manifest();
    PluginRef { name: manifest.name.clone(), version: manifest.version.clone(), digest: source.digest().to_owned() }
}

fn unknown_stream<'a>(
    connection: &ConnectionName,
    stream: &StreamName,
    known: impl Iterator<Item = &'a StreamName>,
) -> SyncError {
    let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    SyncError::UnknownStream { connection: connection.clone(), stream: stream.clone(), known }
}
