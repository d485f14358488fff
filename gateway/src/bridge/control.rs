//! What the API asks of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use renmen_api::{
    CallsOfMonth, ConnectionInfo, Control, ControlError, DeliveriesRefused, HeldBack, OpenedExchange, PluginInfo,
    PluginSigner, RetryOutcome, StreamActivity, StreamInfo,
};
use renmen_egress::BudgetFigures;
use renmen_plugin_host::{Account, CpuShare, Signer};
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_schema::manifest::Manifest;
use renmen_schema::{Text, text};
use renmen_store::{PluginRef, StoreError, StreamKey};
use renmen_sync::{ConnectionRuntime, StreamHealth, SyncError};
use tokio_util::sync::CancellationToken;

use crate::deployment::{Running, Unloaded};

/// The running gateway as the API sees it.
pub(crate) struct ControlBridge {
    running: Arc<Running>,
    /// Ends runs that were begun by hand when the gateway stops.
    cancel: CancellationToken,
}

impl ControlBridge {
    pub(crate) fn new(running: Arc<Running>, cancel: CancellationToken) -> Self {
        Self { running, cancel }
    }

    fn health(&self) -> BTreeMap<StreamKey, StreamHealth> {
        self.running.engine.health().into_iter().collect()
    }

    fn info(&self, connection: &ConnectionRuntime, health: &BTreeMap<StreamKey, StreamHealth>) -> ConnectionInfo {
        let source = connection.source();
        let declared = &source.manifest().streams;
        let (shut, undeclared) = (connection.shut_streams(), connection.undeclared_streams());
        let streams = connection.streams().iter().filter_map(|(name, plan)| {
            // Neither named nor granted: of a plugin with a stream for every entity, most are.
            if shut.contains_key(name) && undeclared.contains(name) {
                return None;
            }
            let manifest = declared.get(name)?;
            let key = StreamKey {
                tenant: connection.tenant().clone(),
                connection: connection.name().clone(),
                stream: name.clone(),
            };
            let health = health.get(&key).cloned().unwrap_or_default();
            let off = shut.get(name).map(|carried| {
                text!(
                    "off: it carries {}, and `grant.entities` names none of it",
                    "未运行：它写入 {}，而 `grant.entities` 中一个也没有",
                    carried.join(", ")
                )
            });
            let enabled = plan.enabled && off.is_none();
            Some(StreamInfo {
                name: name.to_string(),
                description: manifest.description.clone(),
                entities: manifest.entities.clone(),
                schedule: plan.schedule.to_string(),
                enabled,
                state: activity(enabled, &health),
                last_run: health.last_run,
                last_success_at_ms: health.last_success_at_ms,
                next_run_at_ms: health.next_run_at_ms,
                finding_count: health.findings,
                failures: health.failures,
                dated_ahead: health.dated_ahead,
                error: off.or(health.error.map(Text::verbatim)),
            })
        });
        let streams = streams.collect();
        let signer = source.signer().map(signer_view);
        ConnectionInfo {
            name: connection.name().to_string(),
            plugin: Some(connection.plugin()),
            signer,
            enabled: true,
            held_back: held_back(&connection.account()),
            budget: self.budget(connection),
            off: None,
            deliveries_refused: connection.refused_deliveries().map(|refused| DeliveriesRefused {
                count: refused.count,
                since_ms: refused.since_ms,
                message: refused.message,
            }),
            streams,
        }
    }

    fn budget(&self, connection: &ConnectionRuntime) -> Option<CallsOfMonth> {
        let BudgetFigures { used, max, month, message, .. } = self
            .running
            .budgets()
            .into_iter()
            .find(|budget| budget.tenant() == connection.tenant() && budget.connection() == connection.name())?
            .figures()?;
        Some(CallsOfMonth { used, max, month, message })
    }

    /// The tenant's connections of the configuration that could not be loaded, without channels and endpoints.
    fn off(&self, tenant: &TenantId) -> Vec<Unloaded> {
        let current = self.running.current();
        let configured = &current.deployment.config.connections;
        let own = |off: &&Unloaded| off.tenant == *tenant && configured.contains_key(&off.name);
        current.off.iter().filter(own).cloned().collect()
    }
}

fn signer_view(signer: &Signer) -> PluginSigner {
    PluginSigner { name: signer.name.clone(), key: signer.key.clone(), comment: signer.comment.clone() }
}

fn held_back(account: &Account) -> Option<HeldBack> {
    let since = account.held_back_since()?.duration_since(UNIX_EPOCH).ok()?;
    let CpuShare { share, window } = account.share();
    let window = renmen_config::show_duration(window);
    Some(HeldBack {
        since_ms: i64::try_from(since.as_millis()).ok()?,
        message: text!(
            "it has used more than `cpu_share` ({share}) of the threads for plugins over `cpu_window` ({window}): raise them under \
             the connection's `limits`, or mend the connector",
            "在 `cpu_window`（{window}）内使用的插件线程超过 `cpu_share`（{share}）：请在该连接的 `limits` 下调高，或修正连接器"
        ),
    })
}

fn activity(enabled: bool, health: &StreamHealth) -> StreamActivity {
    match (enabled, health.running.is_some(), health.blocked, health.failures) {
        (false, ..) => StreamActivity::Disabled,
        (_, true, ..) => StreamActivity::Running,
        (_, _, true, _) => StreamActivity::Blocked,
        (_, _, _, 0) => StreamActivity::Idle,
        _ => StreamActivity::Retrying,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn refused(error: SyncError) -> ControlError {
    match error {
        SyncError::Running { run } => ControlError::Running { run },
        SyncError::UnknownConnection(_) | SyncError::UnknownStream { .. } | SyncError::UnknownQuarantine(_) => {
            ControlError::NotFound(error.to_string())
        }
        SyncError::Disabled { .. }
        | SyncError::NotGranted { .. }
        | SyncError::BadOption(_)
        | SyncError::Store(StoreError::Quota { .. }) => ControlError::Refused(Text::rendered(|| error.to_string())),
        SyncError::Store(StoreError::Unavailable(_) | StoreError::Configuration(_) | StoreError::Busy(_)) => {
            ControlError::Unavailable(error.to_string())
        }
        _ => ControlError::Failed(error.to_string()),
    }
}

#[async_trait]
impl Control for ControlBridge {
    async fn connections(&self, tenant: &TenantId) -> Vec<ConnectionInfo> {
        let health = self.health();
        let connections = self.running.engine.connections();
        let own = connections.iter().filter(|connection| connection.tenant() == tenant);
        let mut all: Vec<_> = own.map(|connection| self.info(connection, &health)).collect();
        all.extend(self.off(tenant).into_iter().map(|off| ConnectionInfo {
            name: off.name.to_string(),
            plugin: None,
            signer: None,
            enabled: true,
            held_back: None,
            budget: None,
            off: Some(off.reason),
            deliveries_refused: None,
            streams: Vec::new(),
        }));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    async fn only_tenant(&self, tenant: &TenantId) -> bool {
        let current = self.running.current();
        let config = &current.deployment.config;
        // What is configured and off counts too: its customer is one.
        config.gateway.tenant == *tenant && config.connections.values().all(|connection| connection.tenant == *tenant)
    }

    async fn start_run(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        stream: &StreamName,
    ) -> Result<RunId, ControlError> {
        if let Some(off) = self.off(tenant).into_iter().find(|off| off.name == *connection) {
            return Err(ControlError::Refused(text!(
                "connection `{connection}` is off: {}",
                "连接 `{connection}` 已停用：{}",
                off.reason
            )));
        }
        let engine = &self.running.engine;
        let key = engine.key(tenant, connection, stream).map_err(refused)?;
        engine.runs().start(&key, renmen_store::RunTrigger::Manual, self.cancel.child_token()).await.map_err(refused)
    }

    async fn retry_quarantine(&self, tenant: &TenantId, id: i64) -> Result<RetryOutcome, ControlError> {
        match self.running.engine.quarantine().retry(tenant, id).await.map_err(refused)? {
            renmen_sync::RetryOutcome::Accepted(_) => Ok(RetryOutcome::Accepted),
            renmen_sync::RetryOutcome::Still { code, reason } => {
                Ok(RetryOutcome::Still { reason: Text::rendered(|| format!("{code}: {reason}")) })
            }
        }
    }

    async fn plugins(&self, tenant: &TenantId) -> Vec<PluginInfo> {
        let mut plugins: BTreeMap<String, PluginInfo> = BTreeMap::new();
        let connections = self.running.engine.connections();
        for connection in connections.iter().filter(|connection| connection.tenant() == tenant) {
            let source = connection.source();
            let entry = plugins.entry(source.digest().to_owned()).or_insert_with(|| PluginInfo {
                digest: source.digest().to_owned(),
                bytes: self.bytes_of(connection.name()),
                signer: source.signer().map(signer_view),
                manifest: Arc::new(source.manifest().clone()),
                connections: Vec::new(),
                limits: self.limits_of(connection.name()),
            });
            entry.connections.push(connection.name().clone());
        }
        plugins.into_values().collect()
    }

    fn manifest(&self, plugin: &PluginRef) -> Option<Arc<Manifest>> {
        let connections = self.running.engine.connections();
        let mut sources = connections.iter().map(|connection| connection.source());
        let source = sources.find(|source| source.digest() == plugin.digest)?;
        Some(Arc::new(source.manifest().clone()))
    }

    fn open_exchange(&self, packed: &[u8]) -> Result<OpenedExchange, ControlError> {
        let exchange = renmen_egress::unpack(packed).map_err(|e| ControlError::Failed(e.to_string()))?;
        Ok(OpenedExchange {
            took_ms: exchange.took_ms,
            request_headers: exchange.request_headers,
            request_body: exchange.request_body.map(|body| body.to_vec()),
            response_headers: exchange.response.headers,
            response_body: exchange.response.body.to_vec(),
        })
    }
}

impl ControlBridge {
    fn bytes_of(&self, name: &ConnectionName) -> u64 {
        let current = self.running.current();
        let connection = current.deployment.config.connections.get(name);
        connection.and_then(|c| std::fs::metadata(&c.plugin).ok()).map_or(0, |meta| meta.len())
    }

    fn limits_of(&self, name: &ConnectionName) -> Vec<(String, u64)> {
        let current = self.running.current();
        let Some(connection) = current.deployment.config.connections.get(name) else { return Vec::new() };
        let limits = &connection.limits;
        let ms = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        [
            ("fuel_max", limits.fuel_max),
            ("wall_clock_ms", ms(limits.wall_clock)),
            ("memory_bytes_max", limits.memory_bytes_max),
            ("hostcall_bytes_max", limits.hostcall_bytes_max),
            ("seal_calls_max", u64::from(limits.seal_calls_max)),
            ("seal_bytes_max", limits.seal_bytes_max),
            ("http_calls_max", u64::from(limits.http_calls_max)),
            ("page_records_max", u64::from(limits.page_records_max)),
            ("page_bytes_max", limits.page_bytes_max),
            ("receipt_bytes_max", limits.receipt_bytes_max),
            ("answer_bytes_max", limits.answer_bytes_max),
            ("refreshes_max", u64::from(limits.refreshes_max)),
            ("findings_max", u64::from(limits.findings_max)),
            ("deletes_records_max", u64::from(limits.deletes_records_max)),
            ("log_lines_max", u64::from(limits.log_lines_max)),
            ("log_line_bytes_max", u64::from(limits.log_line_bytes_max)),
            ("request_timeout_ms", ms(limits.request_timeout)),
            ("request_bytes_max", limits.request_bytes_max),
            ("response_bytes_max", limits.response_bytes_max),
            ("retries_max", u64::from(limits.retries_max)),
            ("parallel_max", u64::from(limits.parallel_max)),
            ("refreshes_waiting_max", u64::from(limits.refreshes_waiting_max)),
            ("records_bytes_max", limits.records_bytes_max),
            ("exchanges_bytes_max", limits.exchanges_bytes_max),
            ("exchanges_age_max_ms", ms(limits.exchanges_age_max)),
            ("runs_age_max_ms", ms(limits.runs_age_max)),
            ("quarantine_age_max_ms", ms(limits.quarantine_age_max)),
            ("quarantine_records_max", u64::from(limits.quarantine_records_max)),
            ("quarantine_bytes_max", limits.quarantine_bytes_max),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
