//! What a page of 1,000 staff records (489 bytes each) takes through the sandbox: a whole call, with the page's bytes in and the records
//! out. `cargo bench -p renmen-plugin-host --bench mapping [-- COMPONENT...]`; without a component that of `cargo xtask plugins`.
//!
//! Several components are measured in turns, so that other work on the machine falls on each alike: that is how a change of the SDK, of
//! a compiler flag or of the engine is judged. The time is that of a processor.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_egress::{ConnectionSpec, Egress, EgressLimits, Exchange, OperatorGrant, RequestKey, Response, Tape};
use renmen_plugin_host::{Call, CallLimits, HostOptions, Plugin, PluginHost, Pull, Usage};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::manifest::HttpWish;

const RECORDS: usize = 1_000;
/// Pages of one turn, and turns of each component.
const PAGES: u32 = 10;
const TURNS: usize = 25;

/// Answers every request with the same page.
struct Page(Arc<Exchange>);

impl Tape for Page {
    fn recall(&self, _: RequestKey) -> Option<Arc<Exchange>> {
        Some(Arc::clone(&self.0))
    }

    fn record(&self, _: RequestKey, _: Arc<Exchange>) {}
}

fn body() -> Vec<u8> {
    let row = |i: usize| {
        let second = i / 4;
        let time = format!("2024-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        serde_json::json!({
            "id": format!("emp-{i:08}"), "employeeNumber": format!("E{i:07}"),
            "firstName": "Wei", "lastName": "Example", "displayName": "Wei Example",
            "workEmail": format!("wei.example.{i}@example.test"), "mobile": format!("+86199{i:08}"),
            "department": { "id": format!("dept-{:03}", i % 40), "name": "Engineering" },
            "jobTitle": "Senior Engineer", "managerId": format!("emp-{:08}", i / 10), "location": "Shanghai",
            "employmentType": if i.is_multiple_of(7) { "contract" } else { "full_time" },
            "status": if i.is_multiple_of(11) { "terminated" } else { "active" },
            "hireDate": format!("{}-{:02}-{:02}", 2005 + i % 20, 1 + i % 12, 1 + i % 28),
            "salary": { "amount": 60_000 + i, "currency": "CNY" },
            "createdAt": time, "updatedAt": time,
        })
    };
    let rows: Vec<_> = (0..RECORDS).map(row).collect();
    serde_json::to_vec(&serde_json::json!({ "data": rows, "next_cursor": "1000" })).unwrap()
}

fn call() -> Call {
    let config = serde_json::json!({ "base_url": "http://127.0.0.1:9/v1" });
    let spec = ConnectionSpec {
        tenant: TenantId::new("default").unwrap(),
        connection: ConnectionName::new("bench").unwrap(),
        wish: HttpWish { hosts: vec!["{base_url}".into()], ..HttpWish::default() },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: vec!["127.0.0.0/8".parse().unwrap()],
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
    let headers = vec![("content-type".into(), "application/json".into())];
    let exchange = Exchange {
        method: "GET".into(),
        url: "http://127.0.0.1:9/v1/employees".into(),
        request_headers: Vec::new(),
        request_body: None,
        response: Response { status: 200, headers, body: Bytes::from(body()) },
        at_ms: 0,
        took_ms: 0,
    };
    Call {
        connection: ConnectionName::new("bench").unwrap(),
        config: serde_json::to_vec(&config).unwrap().into(),
        limits: Arc::new(CallLimits::default()),
        egress: Egress::new().unwrap().connect(spec).unwrap(),
        tape: Arc::new(Page(Arc::new(exchange))),
        now_ms: 1_735_689_600_000,
    }
}

/// What the process used of the processors so far, in milliseconds.
fn used_ms() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
    let ns: f64 =
        threads.map(|thread| of(thread.unwrap())).filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum();
    ns / 1e6
}

async fn turn(plugin: &Plugin, call: &Call) -> (f64, Usage) {
    let (before, mut usage) = (used_ms(), Usage::default());
    for _ in 0..PAGES {
        let pull = Pull { stream: StreamName::new("employees").unwrap(), cursor: None, only: Vec::new() };
        let page = plugin.pull(call.clone(), pull).await.ok().unwrap();
        assert_eq!(page.records.len(), RECORDS);
        usage = page.usage;
    }
    ((used_ms() - before) / f64::from(PAGES), usage)
}

#[tokio::main]
async fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let named: Vec<PathBuf> =
        std::env::args().skip(1).filter(|name| !name.starts_with("--")).map(PathBuf::from).collect();
    let named = if named.is_empty() { vec![root.join("target/plugins/staff-api.wasm")] } else { named };
    let host = PluginHost::new(HostOptions { cache_dir: None, dev: true }).unwrap();
    let call = call();
    let mut plugins = Vec::new();
    for component in &named {
        let plugin = host.load_bytes(std::fs::read(component).unwrap(), None).await.unwrap();
        turn(&plugin, &call).await;
        plugins.push((component, plugin, Vec::new(), Usage::default()));
    }
    for _ in 0..TURNS {
        for (_, plugin, times, usage) in &mut plugins {
            let (time, used) = turn(plugin, &call).await;
            times.push(time);
            *usage = used;
        }
    }
    for (component, _, mut times, usage) in plugins {
        times.sort_by(f64::total_cmp);
        println!(
            "{}: {:.2} ms a page (median; fastest {:.2}), {} units of fuel a record, {} KiB of memory",
            component.display(),
            times[times.len() / 2],
            times[0],
            usage.fuel / RECORDS as u64,
            usage.memory_peak_bytes >> 10
        );
    }
}
