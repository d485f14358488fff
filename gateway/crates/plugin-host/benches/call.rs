//! What a call costs: nothing at all, a page of 1,000 records of 460 bytes, and both with memory from a pool.
//!
//! `cargo bench -p renmen-plugin-host`. It needs the hostile plugin's module, which
//! `cargo build --release --target wasm32-unknown-unknown -p hostile-plugin` makes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_egress::{ConnectionSpec, Egress, EgressLimits, NoTape, OperatorGrant};
use renmen_plugin_host::{Allocation, Call, CallLimits, HostOptions, HostTuning, PluginHost, Pull, componentize};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::manifest::HttpWish;

fn component() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let module = target.join("wasm32-unknown-unknown/plugin/hostile_plugin.wasm");
    let manifest = std::fs::read_to_string(root.join("tests/plugins/hostile/plugin.toml")).unwrap();
    componentize(&std::fs::read(module).unwrap(), &manifest).unwrap()
}

/// A call that may go nowhere: the streams measured here send nothing.
fn call() -> Call {
    let spec = ConnectionSpec {
        tenant: TenantId::new("default").unwrap(),
        connection: ConnectionName::new("bench").unwrap(),
        wish: HttpWish::default(),
        grant: OperatorGrant { hosts: None, methods: None, plaintext: false, addresses: Vec::new(), drop: None },
        limits: EgressLimits {
            request_timeout: Duration::from_secs(1),
            response_bytes_max: 1 << 20,
            request_bytes_max: 1 << 20,
            retries_max: 0,
            retry_wait_max: Duration::ZERO,
            parallel_max: 1,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: BTreeMap::new(),
        config: serde_json::json!({}),
    };
    Call {
        connection: ConnectionName::new("bench").unwrap(),
        config: Arc::from(&b"{}"[..]),
        limits: Arc::new(CallLimits::default()),
        egress: Egress::new().unwrap().connect(spec).unwrap(),
        tape: Arc::new(NoTape),
        now_ms: 0,
    }
}

fn calls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let component = component();
    let call = call_within(&runtime);
    for (name, allocation) in [("on demand", Allocation::OnDemand), ("pooled", Allocation::Pooled)] {
        let options = HostOptions { cache_dir: None, dev: true };
        let tuning = HostTuning { allocation, ..HostTuning::default() };
        let host = PluginHost::with_tuning(options, tuning).unwrap();
        let plugin = runtime.block_on(host.load_bytes(component.clone(), None)).unwrap();
        for (stream, what) in [("idle", "empty page"), ("bulk", "page of 1,000")] {
            let pull = Pull { stream: StreamName::new(stream).unwrap(), cursor: None, only: Vec::new() };
            criterion.bench_function(&format!("{what}, {name}"), |bencher| {
                bencher.iter(|| {
                    let page = runtime.block_on(plugin.pull(call.clone(), pull.clone()));
                    black_box(page.ok().unwrap().records.len())
                });
            });
        }
    }
}

/// From nothing to a plugin that can be called, with its compiled code kept from an earlier start.
fn start(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let component = component();
    let dir = tempfile::tempdir().unwrap();
    criterion.bench_function("engine and plugin from the cache", |bencher| {
        bencher.iter(|| {
            let host =
                PluginHost::new(HostOptions { cache_dir: Some(dir.path().join("compiled")), dev: true }).unwrap();
            runtime.block_on(host.load_bytes(component.clone(), None)).ok().unwrap()
        });
    });
}

fn call_within(runtime: &tokio::runtime::Runtime) -> Call {
    let _inside = runtime.enter();
    call()
}

criterion_group!(benches, calls, start);
criterion_main!(benches);
