//! What every test needs: the built plugin, a host with a warm cache, a connection to a loopback server, a call.

mod build;
mod heavy;
mod server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{Connection, ConnectionSpec, Egress, EgressLimits, LogLimits, NoTape, OperatorGrant, SlotSpec};
use renmen_plugin_host::{
    Action, Call, CallError, CallLimits, Delivery, HostOptions, Page, Plugin, PluginHost, Pull, Receipt,
    ReceivedDelivery, inspect,
};
use renmen_schema::id::{ConnectionName, SlotName, StreamName, TenantId};
use renmen_schema::manifest::{HttpWish, SlotManifest};
use renmen_vault::Secret;

pub(crate) use build::{hostile_component, hostile_manifest, hostile_module};
pub(crate) use heavy::HEAVY_BYTES;
pub(crate) use server::Server;

/// What a connector must never get out.
pub(crate) const CANARY: &str = "canary-9f3e77a1c0d24b58";

/// A host whose cache is shared by all test processes: compiling once is slow enough.
pub(crate) fn host() -> PluginHost {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    PluginHost::new(HostOptions { cache_dir, dev: true }).unwrap()
}

/// The hostile plugin with a connection to a loopback server.
pub(crate) struct Bench {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) call: Call,
    pub(crate) server: Server,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(hostile_component()).await
    }

    pub(crate) async fn with(component: Vec<u8>) -> Self {
        let server = Server::start().await;
        let plugin = host().load_bytes(component, None).await.unwrap();
        let call = call(&server.url);
        Self { plugin, call, server }
    }

    /// As [`Bench::new`], with other limits of the log.
    pub(crate) async fn with_logs(logs: LogLimits) -> Self {
        let mut bench = Self::new().await;
        let config = serde_json::from_slice(&bench.call.config).unwrap();
        bench.call.egress = connection(config, logs);
        bench
    }

    /// One pull with the limits changed.
    pub(crate) async fn pull(&self, stream: &str, change: impl FnOnce(&mut CallLimits)) -> Result<Page, CallError> {
        self.plugin.pull(self.changed(change), first(stream)).await
    }

    /// One action with the limits changed.
    pub(crate) async fn push(
        &self,
        action: Action,
        change: impl FnOnce(&mut CallLimits),
    ) -> Result<Receipt, CallError> {
        self.plugin.push(self.changed(change), action).await
    }

    /// One delivery with the limits changed.
    pub(crate) async fn receive(
        &self,
        delivery: Delivery,
        change: impl FnOnce(&mut CallLimits),
    ) -> Result<ReceivedDelivery, CallError> {
        self.plugin.receive(self.changed(change), delivery).await
    }

    fn changed(&self, change: impl FnOnce(&mut CallLimits)) -> Call {
        let mut limits = (*self.call.limits).clone();
        change(&mut limits);
        Call { limits: Arc::new(limits), ..self.call.clone() }
    }

    /// The host is well: a plugin next to the hostile one still gives its page.
    pub(crate) async fn assert_healthy(&self) {
        let page = self.pull("healthy", |_| ()).await.unwrap();
        assert_eq!(page.records.len(), 10);
    }
}

/// The first page of a stream.
pub(crate) fn first(stream: &str) -> Pull {
    Pull { stream: StreamName::new(stream).unwrap(), cursor: None, only: Vec::new() }
}

/// A call for a connection that may reach the server alone, and holds the canary in the slot `key`.
pub(crate) fn call(base_url: &str) -> Call {
    let config = serde_json::json!({ "base_url": base_url, "canary": CANARY });
    Call {
        connection: ConnectionName::new("test").unwrap(),
        config: config.to_string().into_bytes().into(),
        limits: Arc::new(CallLimits::default()),
        egress: connection(config, LogLimits::default()),
        tape: Arc::new(NoTape),
        now_ms: 1_750_000_000_123,
    }
}

/// The slots of the hostile plugin. None shares a secret with another.
pub(crate) const SIGNING: &str = "signing-41c09a7e5be01f62";
pub(crate) const PROVING: &str = "proving-77b2f0d3a9c46e18";
pub(crate) const DIGEST: &str = "digest-c6e18a250d73fb94";
/// 32 bytes in base64. They share no piece with another secret, or a finding would name either slot.
pub(crate) const CIPHER: &str = "ugt0m+lYwds2Y/ppSYCrUZUWZG6lqqE5T3t/qYnOKjo=";
pub(crate) const PLAIN: &str = "plain-5d90be1467a2c83f";

fn slots() -> BTreeMap<SlotName, SlotSpec> {
    let manifest = inspect(&hostile_component()).unwrap().manifest;
    let secret = |name: &str| match name {
        "signing" => SIGNING,
        "proving" => PROVING,
        "digest" => DIGEST,
        "cipher" => CIPHER,
        "plain" => PLAIN,
        _ => CANARY,
    };
    let of = |(name, wish): (&SlotName, &SlotManifest)| {
        let secret = Some(Secret::new(secret(name.as_str()).to_owned()));
        let auth = wish.auth.clone();
        (name.clone(), SlotSpec { secret, to: None, audience: Vec::new(), auth, seal: wish.seal, public: Vec::new() })
    };
    manifest.slots.iter().map(of).collect()
}

fn connection(config: serde_json::Value, logs: LogLimits) -> Arc<Connection> {
    let spec = ConnectionSpec {
        tenant: TenantId::new("default").unwrap(),
        connection: ConnectionName::new("test").unwrap(),
        wish: HttpWish {
            hosts: vec!["{base_url}".into()],
            methods: vec!["GET".into(), "POST".into()],
            ..HttpWish::default()
        },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: vec!["127.0.0.0/8".parse().unwrap()],
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: Duration::from_secs(30),
            response_bytes_max: 8 << 20,
            request_bytes_max: 8 << 20,
            retries_max: 0,
            retry_wait_max: Duration::from_millis(1),
            parallel_max: 8,
            rate: None,
            budget: None,
            logs,
        },
        slots: slots(),
        config,
    };
    Egress::new().unwrap().connect(spec).unwrap()
}
