//! `cargo bench --manifest-path tests/sandbox-bench/Cargo.toml`, after `cargo xtask test --all` has made the components and
//! `cargo build --manifest-path tests/sandbox-bench/Cargo.toml -p extism-guest --profile plugin --target wasm32-unknown-unknown`
//! the guest of Extism. What is not built is left out.

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sandbox_bench::{Ours, RECORDS, body};

fn plugins() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins")
}

fn extism_guest() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    target.join("wasm32-unknown-unknown/plugin/extism_guest.wasm")
}

fn mapping(criterion: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let cache = std::env::temp_dir().join(format!("renmen-sandbox-bench-{}", std::process::id()));
    let body = body();
    let mut group = criterion.benchmark_group("page of 1,000");
    group.throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("native", |bencher| {
        bencher.iter(|| black_box(example_staff_api::map(body.clone()).expect("a page").records.len()));
    });
    for name in ["staff-api", "staff-js", "staff-python"] {
        let component = plugins().join(format!("{name}.wasm"));
        if !component.exists() {
            eprintln!("{} is not built: left out", component.display());
            continue;
        }
        let ours = runtime.block_on(Ours::load(&component, &cache, &body)).expect("a plugin");
        assert_eq!(runtime.block_on(ours.page()), RECORDS);
        if name != "staff-api" {
            group.sample_size(10);
        }
        group.bench_function(name, |bencher| bencher.iter(|| black_box(runtime.block_on(ours.page()))));
    }
    group.sample_size(100);
    extism(&mut group, &body);
    group.finish();
    let _gone = std::fs::remove_dir_all(cache);
}

/// The same Rust mapping behind Extism: an instance that is used again, and a fresh one a call as ours.
fn extism(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, body: &[u8]) {
    let guest = extism_guest();
    if !guest.exists() {
        eprintln!("{} is not built: left out", guest.display());
        return;
    }
    let module = std::fs::read(guest).expect("the guest");
    let manifest = extism::Manifest::new([extism::Wasm::data(module)]);
    let compiled = extism::CompiledPlugin::new(extism::PluginBuilder::new(manifest).with_wasi(false)).expect("a guest");
    let records = |answer: &str| {
        let records: Vec<Record<'_>> = serde_json::from_str(answer).expect("records");
        records.iter().map(|one| one.payload.get().len()).sum::<usize>()
    };
    let mut warm = extism::Plugin::new_from_compiled(&compiled).expect("an instance");
    group.bench_function("extism, one instance", |bencher| {
        bencher.iter(|| black_box(records(warm.call::<&[u8], &str>("map", body).expect("a page"))));
    });
    group.bench_function("extism, fresh instance", |bencher| {
        bencher.iter(|| {
            let mut fresh = extism::Plugin::new_from_compiled(&compiled).expect("an instance");
            black_box(records(fresh.call::<&[u8], &str>("map", body).expect("a page")))
        });
    });
}

/// An envelope as the guest writes it.
#[derive(serde::Deserialize)]
struct Record<'a> {
    #[serde(rename = "external_id")]
    _external_id: &'a str,
    #[serde(rename = "pointer")]
    _pointer: &'a str,
    #[serde(borrow)]
    payload: &'a serde_json::value::RawValue,
}

criterion_group!(benches, mapping);
criterion_main!(benches);
