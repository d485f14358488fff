//! What the API asks of the running engine. The API owns this trait so that it needs to know neither how runs are
//! scheduled, nor how plugins are executed, nor how an exchange is packed: the binary puts them together.
//!
//! Every question carries the tenant: an implementation answers only with what belongs to it, and says
//! [`ControlError::NotFound`] for what belongs to another tenant.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_schema::manifest::Manifest;
use renmen_store::PluginRef;
use serde::Serialize;
use utoipa::ToSchema;

use crate::resource::lineage::PluginVersion;

/// The running engine as the API sees it.
#[async_trait]
pub trait Control: Send + Sync {
    /// Every connection of the tenant, in the order of their names.
    async fn connections(&self, tenant: &TenantId) -> Vec<ConnectionInfo>;

    /// Does this process serve no other tenant? Then the figures of the process are that tenant's own.
    async fn only_tenant(&self, tenant: &TenantId) -> bool;

    /// One connection of the tenant.
    async fn connection(&self, tenant: &TenantId, name: &ConnectionName) -> Option<ConnectionInfo> {
        self.connections(tenant).await.into_iter().find(|found| found.name == name.as_str())
    }

    /// Begins a run by hand and answers as soon as it has its number; the run goes on by itself and does not end when
    /// the asker goes away.
    ///
    /// # Errors
    /// [`ControlError`]: `Running` while a run of this stream is live, `NotFound` for a name that is not there.
    async fn start_run(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        stream: &StreamName,
    ) -> Result<RunId, ControlError>;

    /// Passes a quarantined record through its connector's current version and the same checks again.
    ///
    /// # Errors
    /// [`ControlError`]. A record that is still bad is not an error: see [`RetryOutcome`].
    async fn retry_quarantine(&self, tenant: &TenantId, id: i64) -> Result<RetryOutcome, ControlError>;

    /// The plugins that the tenant's connections use, each once.
    async fn plugins(&self, tenant: &TenantId) -> Vec<PluginInfo>;

    /// The manifest of exactly this plugin (by digest), while it is loaded. The API reads field lineage from it.
    fn manifest(&self, plugin: &PluginRef) -> Option<Arc<Manifest>>;

    /// Opens an exchange as the store keeps it.
    ///
    /// # Errors
    /// [`ControlError::Failed`] when the bytes cannot be read.
    fn open_exchange(&self, packed: &[u8]) -> Result<OpenedExchange, ControlError>;
}

/// Why the engine did not do as asked. Messages are for people and hold neither secrets nor personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such connection, stream or quarantined record for this tenant.
    #[error("not found: {0}")]
    NotFound(String),
    /// A run of this stream is live.
    #[error("a run of this stream is under way")]
    Running {
        /// Its number, when this process knows it.
        run: Option<RunId>,
    },
    /// It is there but cannot be done now (switched off, plugin not loaded).
    #[error("refused: {0}")]
    Refused(Text),
    /// The store or a vendor is away; ask again later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Anything else: a fault, logged and not shown.
    #[error("failed: {0}")]
    Failed(String),
}

/// A connection as configured and as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectionInfo {
    /// The key under `[connections]`.
    pub name: String,
    /// Its plugin: which code runs; null while the connection is off.
    #[schema(value_type = Option<PluginVersion>)]
    pub plugin: Option<PluginRef>,
    /// The trusted key that signed that code; null when no trusted key did.
    pub signer: Option<PluginSigner>,
    /// False: switched off in the configuration.
    pub enabled: bool,
    /// Set while it is slowed down to its share of the cores.
    pub held_back: Option<HeldBack>,
    /// Requests to the vendor in this month, where the vendor answers only so many; null where it does not say, or where
    /// `month_calls_max` is 0.
    pub budget: Option<CallsOfMonth>,
    /// Why it is off although it is configured, and what to do: its plugin, a secret or a setting cannot be used. Null while it is
    /// on.
    #[schema(value_type = Option<String>)]
    pub off: Option<Text>,
    /// Set while every delivery since the start was refused as not signed by the vendor: the secret may be another, or in another form.
    pub deliveries_refused: Option<DeliveriesRefused>,
    /// Its streams, in the order of their names.
    pub streams: Vec<StreamInfo>,
}

/// A connection that has used up its CPU budget: its calls are slowed down, and nothing of it is lost.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HeldBack {
    /// Since when. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
    /// Which limit it is, and what to do.
    #[schema(value_type = String)]
    pub message: Text,
}

/// Deliveries that were refused while none was ever proved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveriesRefused {
    /// Number of deliveries refused.
    pub count: u64,
    /// When the first came. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
    /// What to look at, with the form of secret that each slot wants.
    pub message: String,
}

/// The month's budget of a connection. Where several gateways share the database, what the others sent is seconds old.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallsOfMonth {
    /// Requests of this month that count.
    pub used: u64,
    /// How many the vendor answers. Further ones wait for the next month, and the connection's runs say so.
    pub max: u64,
    /// The month, in the vendor's time zone: `2026-11`.
    pub month: String,
    /// What to do; null below 80 %.
    pub message: Option<String>,
}

/// A stream as configured and as it stands: freshness and errors of one source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StreamInfo {
    /// As the manifest names it.
    pub name: String,
    /// One line for people, from the manifest.
    pub description: String,
    /// The canonical entities that its pages carry.
    pub entities: Vec<String>,
    /// When it runs by itself: `every 15m`, `cron 0 3 * * * Asia/Shanghai`, `manual`.
    pub schedule: String,
    /// False: switched off in the configuration.
    pub enabled: bool,
    /// What it is doing.
    pub state: StreamActivity,
    /// The run that is live, or else the last one.
    #[schema(value_type = Option<i64>)]
    pub last_run: Option<RunId>,
    /// When the last complete run ended: how fresh the records are. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "last_success_at", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success_at_ms: Option<i64>,
    /// When it will run next by itself. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "next_run_at", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_run_at_ms: Option<i64>,
    /// Findings of the last complete run: parts that could not be read, and what was found in the listing.
    pub finding_count: u64,
    /// Failed runs since the last complete one.
    pub failures: u32,
    /// Records of the last run, and of events since, whose time of change lay further ahead of the gateway's clock than
    /// `limits.dated_ahead_max`. They were taken in as if they named no time: one of the two clocks is wrong, or the vendor's data.
    pub dated_ahead: u64,
    /// Why the last run failed, while `failures` is not 0.
    #[schema(value_type = Option<String>)]
    pub error: Option<Text>,
}

/// What a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamActivity {
    /// Waiting for its time or a hand.
    Idle,
    /// A run is live.
    Running,
    /// The last run failed; it will be tried again at `next_run_at_ms`.
    Retrying,
    /// The last run failed for a reason that only a person can remove.
    Blocked,
    /// Switched off.
    Disabled,
}

/// What became of a quarantined record that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryOutcome {
    /// It was good now and was taken in.
    Accepted,
    /// It is still bad: why, without any value of the record.
    Still {
        /// Explanation for people.
        reason: Text,
    },
}

/// A plugin with the facts of its manifest and the limits that its calls run under.
#[derive(Debug, Clone)]
pub struct PluginInfo {
    /// `sha256:…` of the component.
    pub digest: String,
    /// Size of the component in bytes.
    pub bytes: u64,
    /// Who signed it, of those that the operator trusts.
    pub signer: Option<PluginSigner>,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// The connections of the tenant that use it.
    pub connections: Vec<ConnectionName>,
    /// Budget and value, in the order to show: `fuel_max`, `wall_clock_ms`, …
    pub limits: Vec<(String, u64)>,
}

/// Who signed a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PluginSigner {
    /// The operator's name for the key.
    pub name: String,
    /// The key's number: 16 hex digits.
    pub key: String,
    /// What the signer wrote under the signature: name, version and digest.
    pub comment: String,
}

/// A recorded exchange, opened. Secrets were taken out before it was recorded.
#[derive(Debug, Clone)]
pub struct OpenedExchange {
    /// From the first byte sent to the last byte read.
    pub took_ms: u32,
    /// The connector's headers.
    pub request_headers: Vec<(String, String)>,
    /// The connector's body.
    pub request_body: Option<Vec<u8>>,
    /// Lower-case names.
    pub response_headers: Vec<(String, String)>,
    /// As the connector saw it.
    pub response_body: Vec<u8>,
}
