//! What is not loaded, and the sentence that says why and what to do.

use renmen_plugin_host::{CONTRACT, HostOptions, HostTuning, LoadError, PluginHost, inspect};

use crate::harness::{host, hostile_component};

async fn refused(bytes: &[u8]) -> LoadError {
    host().load_bytes(bytes.to_vec(), None).await.err().unwrap()
}

fn strict() -> PluginHost {
    PluginHost::new(HostOptions { cache_dir: None, dev: false }).unwrap()
}

/// A component of this text; with a manifest for the contract named.
fn text_component(text: &str, contract: &str) -> Vec<u8> {
    let manifest = format!(
        "name = \"by-hand\"\\0aversion = \"1.0.0\"\\0adescription = \"x\"\\0acontract = \"{contract}\"\\0a\
         [streams]\\0aall = {{ description = \"All\", entities = [\"employee\"] }}\\0a"
    )
    .replace('"', "\\22");
    wat::parse_str(format!("(component {text} (@custom \"renmen:manifest\" \"{manifest}\"))")).unwrap()
}

#[tokio::test]
async fn what_is_no_component_is_refused_by_kind() {
    insta::assert_snapshot!(refused(b"#!/bin/sh").await, @"this is not WebAssembly: it begins with 23212f62696e2f73; a plugin is a `.wasm` component, built with `renmen plugin build`");
    insta::assert_snapshot!(refused(b"").await, @"this is not WebAssembly: it begins with nothing; a plugin is a `.wasm` component, built with `renmen plugin build`");
    insta::assert_snapshot!(refused(b"\x7fELF\x02\x01").await, @"this is compiled machine code, not WebAssembly: it could do anything and is never accepted; give the `.wasm` that it was made from");
    insta::assert_snapshot!(refused(&wat::parse_str("(module)").unwrap()).await, @"this is a core module, not a component; make a plugin of it with `renmen plugin build`");
    insta::assert_snapshot!(refused(&wat::parse_str("(component)").unwrap()).await, @"the component carries no manifest; build it with `renmen plugin build`, which puts plugin.toml inside");
}

#[tokio::test]
async fn a_cut_component_is_called_damaged() {
    let bytes = hostile_component();
    let error = refused(&bytes[..bytes.len() / 2]).await;
    assert!(matches!(error, LoadError::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_flipped_byte_anywhere_never_takes_the_host_down() {
    let bytes = hostile_component();
    for at in (8..bytes.len()).step_by(bytes.len() / 40) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        // Loaded or refused: either is well.
        let _either = host().load_bytes(damaged, None).await;
    }
}

#[tokio::test]
async fn another_contract_is_refused_with_the_release_to_build_for() {
    insta::assert_snapshot!(refused(&text_component("", "0.1.0")).await, @"by-hand was built for renmen:connector@0.1.0, this gateway serves 0.2.0; rebuild it with the renmen-plugin of this release");
    let newer = text_component("(import \"renmen:connector/http@0.9.0\" (instance))", "0.2.0");
    insta::assert_snapshot!(refused(&newer).await, @"by-hand was built for renmen:connector@0.9.0, this gateway serves 0.2.0; rebuild it with the renmen-plugin of this release");
}

#[tokio::test]
async fn a_component_that_asks_for_more_is_refused_with_the_names() {
    let greedy = text_component(
        "(import \"wasi:filesystem/types@0.2.0\" (instance)) (import \"wasi:sockets/tcp@0.2.0\" (instance))",
        "0.2.0",
    );
    insta::assert_snapshot!(refused(&greedy).await, @"by-hand asks for wasi:filesystem/types@0.2.0, wasi:sockets/tcp@0.2.0, which no connector gets: only http, clock, log and seal of renmen:connector; remove the dependency that asks for it (WASI means the wrong target: build for wasm32-unknown-unknown)");
}

#[tokio::test]
async fn a_function_that_the_contract_does_not_have_is_refused_by_name() {
    let newer = text_component(
        "(import \"renmen:connector/clock@0.2.7\" (instance (export \"sleep\" (func (param \"ms\" u64)))))
         (instance $source) (export \"renmen:connector/source@0.2.7\" (instance $source))",
        "0.2.7",
    );
    let error = refused(&newer).await;
    assert!(matches!(error, LoadError::Link { .. }) && error.to_string().contains("sleep"), "{error}");
}

#[tokio::test]
async fn a_broken_manifest_is_refused_with_its_line() {
    let wat = "(component (@custom \"renmen:manifest\" \"name = \\22x\\22\\0aversio = 1\\0a\"))";
    let error = refused(&wat::parse_str(wat).unwrap()).await;
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_contradicts_itself_is_refused_with_every_fault() {
    let wat = "(component (@custom \"renmen:manifest\" \"name = \\22x\\22\\0aversion = \\221\\22\\0adescription = \\22x\\22\\0acontract = \\220.2.0\\22\\0a\"))";
    insta::assert_snapshot!(refused(&wat::parse_str(wat).unwrap()).await, @"plugin.toml of x: version: `1`; expected a semantic version, as 0.1.0; streams: neither streams nor actions nor a webhook; expected at least one of them; correct it and build the plugin again");
}

#[tokio::test]
async fn an_absurd_rate_is_a_fault_of_the_manifest() {
    for rate in [
        "requests = 1, per_ms = 9223372036854775807",
        "requests = 4294967295, per_ms = 1",
        "requests = 1, per_ms = 1, burst = 0",
    ] {
        let manifest = format!(
            "name = \"by-hand\"\\0aversion = \"1.0.0\"\\0adescription = \"x\"\\0acontract = \"{CONTRACT}\"\\0arate = {{ {rate} }}\\0a\
             [streams]\\0aall = {{ description = \"All\", entities = [\"employee\"] }}\\0a"
        )
        .replace('"', "\\22");
        let wat = format!("(component (@custom \"renmen:manifest\" \"{manifest}\"))");
        let error = refused(&wat::parse_str(wat).unwrap()).await;
        assert!(matches!(error, LoadError::ManifestFaults { .. }), "{rate}: {error}");
        assert!(error.to_string().contains("rate: `"), "{rate}: {error}");
    }
}

#[tokio::test]
async fn two_manifests_are_one_too_many() {
    let wat = "(component (@custom \"renmen:manifest\" \"\") (@custom \"renmen:manifest\" \"\"))";
    assert!(matches!(refused(&wat::parse_str(wat).unwrap()).await, LoadError::TwoManifests));
}

#[tokio::test]
async fn a_manifest_inside_a_nested_module_does_not_count() {
    let wat = "(component (core module (@custom \"renmen:manifest\" \"name = 1\")))";
    assert!(matches!(refused(&wat::parse_str(wat).unwrap()).await, LoadError::NoManifest));
}

#[tokio::test]
async fn the_digest_is_demanded_and_checked() {
    let bytes = hostile_component();
    let actual = inspect(&bytes).unwrap().digest;
    let host = strict();
    let missing = host.load_bytes(bytes.clone(), None).await.err().unwrap();
    assert!(missing.to_string().contains(&format!("digest = \"{actual}\"")), "{missing}");
    let wrong = format!("sha256:{}", "0".repeat(64));
    let mismatch = host.load_bytes(bytes.clone(), Some(&wrong)).await.err().unwrap();
    assert!(matches!(mismatch, LoadError::DigestMismatch { .. }), "{mismatch}");
    assert_eq!(host.load_bytes(bytes, Some(&actual)).await.unwrap().digest(), actual);
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_not_read_to_its_end() {
    let bytes = hostile_component();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plugin.wasm");
    std::fs::write(&path, &bytes).unwrap();
    let limited = |plugin_bytes_max| {
        let options = HostOptions { cache_dir: None, dev: true };
        PluginHost::with_tuning(options, HostTuning { plugin_bytes_max, ..HostTuning::default() }).unwrap()
    };
    let size = bytes.len() as u64;
    assert!(matches!(limited(size - 1).load(&path, None).await, Err(LoadError::TooBig { .. })));
    assert!(limited(size).load(&path, None).await.is_ok());
}

#[test]
fn a_component_is_inspected_without_running_it() {
    let bytes = hostile_component();
    let inspection = inspect(&bytes).unwrap();
    assert_eq!((inspection.manifest.name.as_str(), inspection.bytes), ("hostile", bytes.len() as u64));
    assert!(inspection.digest.starts_with("sha256:"));
    assert!(inspection.imports.iter().any(|name| name == "renmen:connector/http@0.2.0"), "{:?}", inspection.imports);
    assert!(inspection.exports.iter().any(|name| name == "renmen:connector/source@0.2.0"), "{:?}", inspection.exports);
    let can: Vec<_> = inspection.capabilities().into_iter().map(renmen_plugin_host::Capability::as_str).collect();
    assert_eq!(can, ["source", "sink", "webhook", "probe"]);
}

#[tokio::test]
async fn compiled_code_is_kept_for_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let cache_dir = Some(dir.path().join("compiled"));
    let bytes = hostile_component();
    for _ in 0..2 {
        let host = PluginHost::new(HostOptions { cache_dir: cache_dir.clone(), dev: true }).unwrap();
        host.load_bytes(bytes.clone(), None).await.unwrap();
    }
    let files = std::process::Command::new("find").arg(dir.path()).args(["-type", "f"]).output().unwrap().stdout;
    assert!(!files.is_empty(), "nothing was kept");
}
