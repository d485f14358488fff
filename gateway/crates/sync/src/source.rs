//! What a run pulls from. The engine sees a connection only through [`Puller`], so that it knows neither wasm nor HTTP
//! and its tests can put a scripted source in the connector's place.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_egress::{Connection, Tape};
use renmen_plugin_host::{Call, CallError, CallLimits, Finding, Page, Plugin, Pull};
use renmen_schema::id::ConnectionName;
use renmen_schema::manifest::Manifest;

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
    /// One page.
    ///
    /// # Errors
    /// [`CallError`]: data about why there is none.
    async fn pull(&self, reading: Reading, pull: Pull) -> Result<Page, CallError>;
    /// The connector's own checks of its credentials and configuration.
    ///
    /// # Errors
    /// [`CallError`]: data about why they could not be made.
    async fn probe(&self, reading: Reading) -> Result<Vec<Finding>, CallError>;
}

/// A loaded plugin with everything that one connection calls it with.
pub struct BoundPlugin {
    /// The code.
    pub plugin: Arc<Plugin>,
    /// Whose calls these are.
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

    async fn pull(&self, reading: Reading, pull: Pull) -> Result<Page, CallError> {
        self.plugin.pull(self.call(reading), pull).await
    }

    async fn probe(&self, reading: Reading) -> Result<Vec<Finding>, CallError> {
        self.plugin.probe(self.call(reading)).await
    }
}
