//! An engine that answers as told and remembers what it was asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_api::{
    CallsOfMonth, ConnectionInfo, Control, ControlError, HeldBack, OpenedExchange, PluginInfo, RetryOutcome,
    StreamActivity, StreamInfo,
};
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_schema::manifest::Manifest;
use renmen_schema::text;
use renmen_store::PluginRef;

pub(crate) const DIGEST: &str = "sha256:00";

/// `hr` with the stream `staff` belongs to `acme`; nothing belongs to anybody else.
pub(crate) struct ScriptedControl {
    /// What `start_run` answers.
    pub(crate) start: Result<RunId, ControlError>,
    /// How long `connections` takes.
    pub(crate) delay: Duration,
    /// Since when the connection is held back; then its stream is well.
    pub(crate) held_back_since_ms: Option<i64>,
    /// The month's calls of the connection; then its stream is well.
    pub(crate) budget: Option<CallsOfMonth>,
    /// Is `acme` the only tenant?
    pub(crate) alone: bool,
    /// What the manifest says of the plugin and of its stream.
    pub(crate) description: &'static str,
    /// Why the connection `lab` is off.
    pub(crate) off: Option<&'static str>,
}

impl Default for ScriptedControl {
    fn default() -> Self {
        let (start, description) = (Ok(RunId(7)), "A staff list");
        let off = Some("plugin lab.wasm: the file is not the one that was pinned");
        Self { start, delay: Duration::ZERO, held_back_since_ms: None, budget: None, alone: true, description, off }
    }
}

pub(crate) fn manifest() -> Manifest {
    serde_json::from_value(serde_json::json!({
        "name": "staff-api", "version": "0.1.0", "description": "A staff list", "contract": "0.2.0",
        "streams": { "staff": { "description": "People", "entities": ["employee"] } },
        "slots": { "token": { "description": "The API token" } },
        "lineage": { "employee": { "/number": "/no", "/person/names/formatted": { "from": "/first /last", "transform": "joined" } } },
    }))
    .unwrap()
}

pub(crate) fn plugin() -> PluginRef {
    PluginRef { name: "staff-api".into(), version: "0.1.0".into(), digest: DIGEST.into() }
}

fn ours(tenant: &TenantId) -> bool {
    tenant.as_str() == "acme"
}

#[async_trait]
impl Control for ScriptedControl {
    async fn connections(&self, tenant: &TenantId) -> Vec<ConnectionInfo> {
        tokio::time::sleep(self.delay).await;
        if !ours(tenant) {
            return Vec::new();
        }
        let well = self.held_back_since_ms.is_some() || self.budget.is_some();
        let stream = StreamInfo {
            name: "staff".into(),
            description: self.description.into(),
            entities: vec!["employee".into()],
            schedule: "every 15m".into(),
            enabled: true,
            state: if well { StreamActivity::Idle } else { StreamActivity::Retrying },
            last_run: Some(RunId(1)),
            last_success_at_ms: Some(1_700_000_000_000),
            next_run_at_ms: Some(1_700_000_900_000),
            finding_count: 0,
            failures: if well { 0 } else { 2 },
            dated_ahead: 3,
            error: Some(renmen_schema::Text::verbatim("rate_limited: the vendor asks to wait")),
        };
        vec![
            ConnectionInfo {
                name: "hr".into(),
                plugin: Some(plugin()),
                signer: None,
                enabled: true,
                held_back: self
                    .held_back_since_ms
                    .map(|since_ms| HeldBack { since_ms, message: renmen_schema::Text::verbatim("`cpu_share`") }),
                budget: self.budget.clone(),
                off: None,
                deliveries_refused: None,
                streams: vec![stream],
            },
            ConnectionInfo {
                name: "lab".into(),
                plugin: None,
                signer: None,
                enabled: true,
                held_back: None,
                budget: None,
                off: self.off.map(|off| renmen_schema::Text::kept(off, "插件文件与固定的摘要不符")),
                deliveries_refused: None,
                streams: Vec::new(),
            },
        ]
    }

    async fn only_tenant(&self, tenant: &TenantId) -> bool {
        ours(tenant) && self.alone
    }

    async fn start_run(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        stream: &StreamName,
    ) -> Result<RunId, ControlError> {
        if ours(tenant) && connection.as_str() == "hr" && stream.as_str() == "staff" {
            self.start.clone()
        } else {
            Err(ControlError::NotFound("no such stream".into()))
        }
    }

    async fn retry_quarantine(&self, tenant: &TenantId, id: i64) -> Result<RetryOutcome, ControlError> {
        match id {
            _ if !ours(tenant) => Err(ControlError::NotFound("no such record".into())),
            1 => Ok(RetryOutcome::Still {
                reason: text!("/number: a number; expected text", "/number：数字；应为文本"),
            }),
            2 => Ok(RetryOutcome::Accepted),
            _ => Err(ControlError::NotFound("no such record".into())),
        }
    }

    async fn plugins(&self, tenant: &TenantId) -> Vec<PluginInfo> {
        if !ours(tenant) {
            return Vec::new();
        }
        vec![PluginInfo {
            digest: DIGEST.into(),
            bytes: 4096,
            signer: None,
            manifest: Arc::new(Manifest { description: self.description.into(), ..manifest() }),
            connections: vec![ConnectionName::new("hr").unwrap()],
            limits: vec![("http_calls_max".into(), 500)],
        }]
    }

    fn manifest(&self, plugin: &PluginRef) -> Option<Arc<Manifest>> {
        (plugin.digest == DIGEST).then(|| Arc::new(manifest()))
    }

    fn open_exchange(&self, packed: &[u8]) -> Result<OpenedExchange, ControlError> {
        if packed == b"torn" {
            return Err(ControlError::Failed("the frame is torn".into()));
        }
        Ok(OpenedExchange {
            took_ms: 12,
            request_headers: vec![("accept".into(), "application/json".into())],
            request_body: None,
            response_headers: vec![("content-type".into(), "application/json".into())],
            response_body: packed.to_vec(),
        })
    }
}
