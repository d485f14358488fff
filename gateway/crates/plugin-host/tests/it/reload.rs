//! Hot reload: the new one is tried before the old one goes; a failure is visible and changes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use renmen_plugin_host::{HostOptions, PluginHost, Registry, inspect};

use crate::harness::{Server, call, first, host, hostile_component};
use crate::modules::component;

fn at_version(version: &str) -> Vec<u8> {
    component(
        "(func (export \"renmen:connector/source@0.2.0#pull\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)",
        version,
    )
}

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plugin.wasm");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

#[tokio::test]
async fn a_reload_swaps_the_plugin_and_running_calls_keep_the_old_one() {
    let (_dir, path) = written(&at_version("1.0.0"));
    let registry = Registry::new(Arc::new(host()));
    let old = registry.load(&path, None).await.unwrap();
    std::fs::write(&path, at_version("1.1.0")).unwrap();
    registry.load(&path, None).await.unwrap();
    assert_eq!(old.manifest().version, "1.0.0");
    let status = &registry.statuses()[0];
    assert_eq!(status.serving.as_ref().unwrap().version, "1.1.0");
    assert_eq!((status.reloads, &status.failure), (1, &None));
}

#[tokio::test]
async fn a_failed_reload_keeps_the_old_plugin_and_says_why() {
    let (_dir, path) = written(&hostile_component());
    let registry = Registry::new(Arc::new(host()));
    registry.load(&path, None).await.unwrap();
    std::fs::write(&path, b"half a file").unwrap();
    assert!(registry.load(&path, None).await.is_err());
    let status = &registry.statuses()[0];
    assert_eq!(status.serving.as_ref().unwrap().name, "hostile");
    assert!(status.failure.as_ref().unwrap().contains("not WebAssembly"), "{:?}", status.failure);
    let server = Server::start().await;
    let page = registry.get(&path).unwrap().pull(call(&server.url), first("healthy")).await.unwrap();
    assert_eq!(page.records.len(), 10);
}

#[tokio::test]
async fn a_plugin_that_never_loaded_is_listed_with_its_failure() {
    let registry = Registry::new(Arc::new(host()));
    let missing = PathBuf::from("/nowhere/plugin.wasm");
    assert!(registry.load(&missing, None).await.is_err());
    let status = &registry.statuses()[0];
    assert_eq!(status.serving, None);
    assert!(status.failure.as_ref().unwrap().contains("/nowhere/plugin.wasm"));
    assert!(registry.get(&missing).is_none());
}

#[tokio::test]
async fn a_plugin_is_loaded_once_for_two_connections() {
    let bytes = hostile_component();
    let digest = inspect(&bytes).unwrap().digest;
    let (_dir, path) = written(&bytes);
    let registry = Registry::new(Arc::new(PluginHost::new(HostOptions { cache_dir: None, dev: false }).unwrap()));
    let first = registry.get_or_load(&path, Some(&digest));
    let second = registry.get_or_load(&path, Some(&digest));
    // Side by side, as a gateway loads its connections.
    let (first, second) = tokio::join!(first, second);
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    assert_eq!(registry.statuses()[0].reloads, 0);
    assert!(registry.get_or_load(&path, Some(&digest.replace('a', "b"))).await.is_err());
}
