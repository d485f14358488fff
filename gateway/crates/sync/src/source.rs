//! What a run pulls from. The engine sees a connection only through [`Puller`], so that it knows neither wasm nor HTTP
//! and its tests can put a scripted source in the connector's place.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use renmen_egress::{Connection, Share, Sighting, Tape};
use renmen_plugin_host::{
    Action, Call, CallError, CallLimits, Delivery, Finding, Page, Plugin, Pull, Receipt, ReceivedDelivery, Signer,
};
use renmen_schema::id::ConnectionName;
use renmen_schema::manifest::Manifest;

use crate::listen::{EventDoor, Way};

/// What changes from call to call.
#[derive(Clone)]
pub struct Reading {
    /// Where answers are remembered and looked up.
    pub tape: Arc<dyn Tape>,
    /// The clock that the connector sees, in milliseconds since the epoch.
    pub clock_ms: i64,
}

/// One connector in one version, bound to one connection.
#[async_trait]
pub trait Puller: Send + Sync {
    /// What it declares.
    fn manifest(&self) -> &Manifest;
    /// `sha256:…` of its code.
    fn digest(&self) -> &str;
    /// Who signed its code, of those that are trusted.
    fn signer(&self) -> Option<&Signer> {
        None
    }
    /// Where memory for its connection is reserved; none where memory is not counted.
    fn memory(&self) -> Option<&Share> {
        None
    }
    /// One page.
    ///
    /// # Errors
    /// [`CallError`]: data about why there is no page.
    async fn pull(&self, reading: Reading, pull: Pull) -> Result<Page, CallError>;
    /// The connector's own checks of its credentials and configuration.
    ///
    /// # Errors
    /// [`CallError`]: data about why they could not be made.
    async fn probe(&self, reading: Reading) -> Result<Vec<Finding>, CallError>;
    /// Where secrets of its connection turned up so far.
    fn sightings(&self) -> Vec<Sighting> {
        Vec::new()
    }
    /// Where its actions go; none when it has none.
    fn pusher(&self) -> Option<&dyn Pusher> {
        None
    }
    /// Where its deliveries go; none when its manifest has no `[webhook]`.
    fn receiver(&self) -> Option<&dyn Receiver> {
        None
    }
    /// Where a connection is opened on which the vendor sends the same; none when its manifest has no `[webhook.socket]`.
    fn events(&self) -> Option<Arc<dyn EventDoor>> {
        None
    }
}

/// What an action goes through: see [`Puller::pusher`].
#[async_trait]
pub trait Pusher: Send + Sync {
    /// One action.
    ///
    /// # Errors
    /// [`CallError`]: data about why it was not done, or why it is not known whether it was.
    async fn push(&self, reading: Reading, action: Action) -> Result<Receipt, CallError>;
}

/// What a vendor's delivery goes through: see [`Puller::receiver`].
#[async_trait]
pub trait Receiver: Send + Sync {
    /// What a delivery means. `within` ends the call earlier than the connection's own `wall_clock`: a vendor waits.
    ///
    /// # Errors
    /// [`CallError`]: data about why it means nothing to us.
    async fn receive(
        &self,
        reading: Reading,
        within: Duration,
        delivery: Delivery,
    ) -> Result<ReceivedDelivery, CallError>;
    /// The bytes with the connection's live secrets taken out: how a delivery is kept.
    fn redact(&self, bytes: Bytes) -> Bytes;
}

/// A loaded plugin with everything that one connection calls it with.
pub struct BoundPlugin {
    /// The code.
    pub plugin: Arc<Plugin>,
    /// The connection that the calls belong to.
    pub connection: ConnectionName,
    /// The connection's configuration as JSON bytes.
    pub config: Arc<[u8]>,
    /// The connection's budgets.
    pub limits: Arc<CallLimits>,
    /// The connection's way out.
    pub egress: Arc<Connection>,
}

impl BoundPlugin {
    /// The same connection with other code: for a reload.
    #[must_use]
    pub fn with_plugin(&self, plugin: Arc<Plugin>) -> Self {
        Self {
            plugin,
            connection: self.connection.clone(),
            config: Arc::clone(&self.config),
            limits: Arc::clone(&self.limits),
            egress: Arc::clone(&self.egress),
        }
    }

    fn call(&self, reading: Reading) -> Call {
        Call {
            connection: self.connection.clone(),
            config: Arc::clone(&self.config),
            limits: Arc::clone(&self.limits),
            egress: Arc::clone(&self.egress),
            tape: reading.tape,
            now_ms: reading.clock_ms,
        }
    }
}

#[async_trait]
impl Puller for BoundPlugin {
    fn manifest(&self) -> &Manifest {
        self.plugin.manifest()
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }

    fn signer(&self) -> Option<&Signer> {
        self.plugin.signer()
    }

    fn memory(&self) -> Option<&Share> {
        Some(self.egress.memory())
    }

    async fn pull(&self, reading: Reading, pull: Pull) -> Result<Page, CallError> {
        self.plugin.pull(self.call(reading), pull).await
    }

    async fn probe(&self, reading: Reading) -> Result<Vec<Finding>, CallError> {
        self.plugin.probe(self.call(reading)).await
    }

    fn sightings(&self) -> Vec<Sighting> {
        self.egress.sightings()
    }

    fn pusher(&self) -> Option<&dyn Pusher> {
        (!self.plugin.manifest().actions.is_empty()).then_some(self as &dyn Pusher)
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        self.plugin.manifest().webhook.is_some().then_some(self as &dyn Receiver)
    }

    fn events(&self) -> Option<Arc<dyn EventDoor>> {
        let wish = self.plugin.manifest().webhook.as_ref()?.socket.clone()?;
        Some(Arc::new(Way { egress: Arc::clone(&self.egress), wish }))
    }
}

#[async_trait]
impl Pusher for BoundPlugin {
    async fn push(&self, reading: Reading, action: Action) -> Result<Receipt, CallError> {
        self.plugin.push(self.call(reading), action).await
    }
}

#[async_trait]
impl Receiver for BoundPlugin {
    async fn receive(
        &self,
        reading: Reading,
        within: Duration,
        delivery: Delivery,
    ) -> Result<ReceivedDelivery, CallError> {
        let mut call = self.call(reading);
        if within < call.limits.wall_clock {
            call.limits = Arc::new(CallLimits { wall_clock: within, ..(*call.limits).clone() });
        }
        self.plugin.receive(call, delivery).await
    }

    fn redact(&self, bytes: Bytes) -> Bytes {
        self.egress.redact_bytes(bytes)
    }
}
