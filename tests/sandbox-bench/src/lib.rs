//! What the mapping of one page costs: natively, in the sandbox, in other languages, and in another plugin host.
//!
//! One page of 1,000 staff records (489 bytes each) becomes 1,000 canonical employees, by the very same Rust code where the
//! guest is Rust. Ours goes through the contract: the guest asks for the page, a tape answers at once, records come back as
//! envelopes. Extism has no contract of ours: its guest gets the body as input and gives the records as one JSON text, which
//! the host parses as far as the envelopes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_egress::{ConnectionSpec, Egress, EgressLimits, Exchange, OperatorGrant, RequestKey, Response, Tape};
use renmen_plugin_host::{Call, CallLimits, HostOptions, Plugin, PluginHost, Pull};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::manifest::HttpWish;

/// Records of the page.
pub const RECORDS: usize = 1_000;

/// A page as the vendor sends it.
#[must_use]
pub fn body() -> Vec<u8> {
    let rows: Vec<_> = (0..RECORDS).map(row).collect();
    serde_json::to_vec(&serde_json::json!({ "data": rows, "next_cursor": "1000" })).expect("JSON of JSON")
}

fn row(i: usize) -> serde_json::Value {
    let second = i / 4;
    let time = format!("2024-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    serde_json::json!({
        "id": format!("emp-{i:08}"), "employeeNumber": format!("E{i:07}"),
        "firstName": "Wei", "lastName": "Example", "displayName": "Wei Example",
        "workEmail": format!("wei.example.{i}@example.test"), "mobile": format!("+86199{i:08}"),
        "department": { "id": format!("dept-{:03}", i % 40), "name": "Engineering" },
        "jobTitle": "Senior Engineer", "managerId": format!("emp-{:08}", i / 10), "location": "Shanghai",
        "employmentType": if i % 7 == 0 { "contract" } else { "full_time" },
        "status": if i % 11 == 0 { "terminated" } else { "active" },
        "hireDate": format!("{}-{:02}-{:02}", 2005 + i % 20, 1 + i % 12, 1 + i % 28),
        "salary": { "amount": 60_000 + i, "currency": "CNY" },
        "createdAt": time, "updatedAt": time,
    })
}

/// Answers every request with the same page.
struct Page(Arc<Exchange>);

impl Tape for Page {
    fn recall(&self, _: RequestKey) -> Option<Arc<Exchange>> {
        Some(Arc::clone(&self.0))
    }

    fn record(&self, _: RequestKey, _: Arc<Exchange>) {}
}

/// One plugin of ours, ready to be called.
pub struct Ours {
    plugin: Arc<Plugin>,
    call: Call,
    pull: Pull,
}

impl Ours {
    /// Loads a component into a host that keeps its compiled code in `cache`.
    ///
    /// # Errors
    /// When it cannot be read or loaded.
    pub async fn load(component: &Path, cache: &Path, body: &[u8]) -> anyhow::Result<Self> {
        let host = PluginHost::new(HostOptions { cache_dir: Some(cache.to_owned()), dev: true })?;
        let plugin = host.load_bytes(std::fs::read(component)?, None).await?;
        let pull = Pull { stream: StreamName::new("employees")?, cursor: None, only: Vec::new() };
        Ok(Self { plugin: plugin.into(), call: call(body)?, pull })
    }

    /// The page through the sandbox; how many records came back.
    ///
    /// # Panics
    /// When the connector fails.
    pub async fn page(&self) -> usize {
        match self.plugin.pull(self.call.clone(), self.pull.clone()).await {
            Ok(page) => page.records.len(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn call(body: &[u8]) -> anyhow::Result<Call> {
    let config = serde_json::json!({ "base_url": "http://127.0.0.1:9/v1" });
    let spec = ConnectionSpec {
        tenant: TenantId::new("default")?,
        connection: ConnectionName::new("bench")?,
        wish: HttpWish { hosts: vec!["{base_url}".into()], ..HttpWish::default() },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: vec!["127.0.0.0/8".parse()?],
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: Duration::from_secs(1),
            response_bytes_max: 16 << 20,
            request_bytes_max: 1 << 20,
            retries_max: 0,
            retry_wait_max: Duration::ZERO,
            parallel_max: 1,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: BTreeMap::new(),
        config: config.clone(),
    };
    let exchange = Exchange {
        method: "GET".into(),
        url: "http://127.0.0.1:9/v1/employees".into(),
        request_headers: Vec::new(),
        request_body: None,
        response: Response {
            status: 200,
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes::copy_from_slice(body),
        },
        at_ms: 0,
        took_ms: 0,
    };
    let mut limits = CallLimits::default();
    limits.fuel_max = u64::MAX;
    limits.memory_bytes_max = 512 << 20;
    Ok(Call {
        connection: ConnectionName::new("bench")?,
        config: serde_json::to_vec(&config)?.into(),
        limits: Arc::new(limits),
        egress: Egress::new()?.connect(spec)?,
        tape: Arc::new(Page(Arc::new(exchange))),
        now_ms: 1_735_689_600_000,
    })
}
