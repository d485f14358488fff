//! Components that no compiler would make: written by hand as text.

use renmen_plugin_host::{CallError, LoadError, componentize, inspect};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::harness::{Server, call, first, host};

const WIT: &str = include_str!("../../../../../plugin-sdk/wit/connector.wit");
pub(crate) const PULL: &str = "(func (export \"renmen:connector/source@0.2.0#pull\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)";

pub(crate) fn manifest(version: &str) -> String {
    format!(
        "name = \"by-hand\"\nversion = \"{version}\"\ndescription = \"Written by hand\"\ncontract = \"0.2.0\"\n\
         [streams]\nall = {{ description = \"All\", entities = [\"employee\"] }}\n"
    )
}

/// A module with this text and what every connector exports, without its bindings section.
fn bare_module(text: &str) -> Vec<u8> {
    let wat = format!(
        "(module (memory (export \"memory\") 1)
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
           (func (export \"renmen:connector/probe@0.2.0#check\") (param i32 i32) (result i32) unreachable)
           {text})"
    );
    wat::parse_str(wat).unwrap()
}

fn module(text: &str) -> Vec<u8> {
    with_bindings(bare_module(text))
}

/// With the section that wit-bindgen would have left.
fn with_bindings(mut module: Vec<u8>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("connector.wit", WIT).unwrap();
    let world = resolve.select_world(&[package], Some("source-connector")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

pub(crate) fn component(text: &str, version: &str) -> Vec<u8> {
    componentize(&module(text), &manifest(version)).unwrap()
}

/// The verdict over one pull of a module whose `cabi_realloc` does not trap.
async fn verdict(text: &str) -> CallError {
    let wat = format!(
        "(module (memory (export \"memory\") 1) (global $top (mut i32) (i32.const 1024))
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
             (global.get $top) (global.set $top (i32.and (i32.const -8) (i32.add (i32.const 7) (i32.add (global.get $top) (local.get 3))))))
           (func (export \"renmen:connector/probe@0.2.0#check\") (param i32 i32) (result i32) unreachable)
           {text})"
    );
    let bytes = componentize(&with_bindings(wat::parse_str(wat).unwrap()), &manifest("1.0.0")).unwrap();
    let plugin = host().load_bytes(bytes, None).await.unwrap();
    let server = Server::start().await;
    plugin.pull(call(&server.url), first("all")).await.err().unwrap()
}

#[tokio::test]
async fn a_table_bomb_is_stopped_by_memory_bytes_max() {
    let text = format!(
        "(table $t 1 funcref) {PULL}
           (loop $more (br_if $more (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000000)))))
           unreachable)"
    );
    let error = verdict(&text).await;
    assert_eq!(error.outcome(), "limit:memory_bytes_max", "{error}");
    assert!(error.usage().memory_peak_bytes > 32 << 20, "the bomb did not go off");
}

#[tokio::test]
async fn a_result_that_points_outside_is_a_crash_and_no_more() {
    let error = verdict(&format!("{PULL} (i32.const 0x7fffff00))")).await;
    assert_eq!(error.outcome(), "crashed", "{error}");
}

#[tokio::test]
async fn a_trap_without_words_names_the_trap() {
    let error = verdict(&format!("{PULL} unreachable)")).await;
    assert!(error.to_string().starts_with("the connector crashed: wasm trap: wasm `unreachable`"), "{error}");
}

#[tokio::test]
async fn what_fails_before_its_first_call_is_found_at_load() {
    let trap = component(&format!("{PULL} unreachable) (func $start unreachable) (start $start)"), "1.0.0");
    let error = host().load_bytes(trap, None).await.err().unwrap();
    assert!(matches!(error, LoadError::Trial { .. }), "{error}");
    let spin = component(&format!("{PULL} unreachable) (func $start (loop $l (br $l))) (start $start)"), "1.0.0");
    let error = host().load_bytes(spin, None).await.err().unwrap();
    assert!(error.to_string().contains("fuel_max"), "{error}");
}

#[tokio::test]
async fn a_memory_that_begins_too_big_is_found_at_load() {
    let big = component(&format!("{PULL} unreachable)"), "1.0.0");
    assert!(host().load_bytes(big, None).await.is_ok());
    let wat = format!("(table 9000000 funcref) {PULL} unreachable)");
    let error = host().load_bytes(component(&wat, "1.0.0"), None).await.err().unwrap();
    assert!(error.to_string().contains("memory_bytes_max"), "{error}");
}

#[test]
fn a_module_from_the_browsers_world_names_the_dependency() {
    let text =
        format!("(import \"__wbindgen_placeholder__\" \"__wbindgen_describe\" (func (param i32))) {PULL} unreachable)");
    let wat = format!("(module {text} (memory (export \"memory\") 1))");
    let error = componentize(&wat::parse_str(wat).unwrap(), &manifest("1.0.0")).unwrap_err();
    insta::assert_snapshot!(error, @"the module asks for __wbindgen_placeholder__.__wbindgen_describe, which no connector gets; a dependency thinks it runs in a browser: look with `cargo tree -i js-sys -i wasm-bindgen` and switch off the default features of chrono, uuid or getrandom (time comes from `clock`)");
}

#[test]
fn a_module_for_wasi_says_which_target_to_build_for() {
    let wat = "(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32))))";
    let error = componentize(&wat::parse_str(wat).unwrap(), &manifest("1.0.0")).unwrap_err();
    insta::assert_snapshot!(error, @"the module asks for wasi_snapshot_preview1.fd_write, which no connector gets; it was built for WASI: build it for wasm32-unknown-unknown");
}

#[test]
fn a_module_without_the_sdk_says_what_to_depend_on() {
    let error = componentize(&bare_module(&format!("{PULL} unreachable)")), &manifest("1.0.0")).unwrap_err();
    insta::assert_snapshot!(error, @"the module says nothing of the connector contract; depend on renmen-plugin and export your type with `export_source!`");
}

#[test]
fn a_manifest_that_promises_more_than_the_code_does_is_refused() {
    let promising = format!("{}[actions]\n\"message.send\" = {{ description = \"Sends\" }}\n", manifest("1.0.0"));
    let error = componentize(&module(&format!("{PULL} unreachable)")), &promising).unwrap_err();
    insta::assert_snapshot!(error, @"by-hand does not export `sink` although its manifest names actions; export it, or take that out of plugin.toml");
}

#[test]
fn a_manifest_that_promises_a_webhook_without_code_is_refused() {
    let promising = format!("{}[webhook]\ndescription = \"Tells\"\n", manifest("1.0.0"));
    let error = componentize(&module(&format!("{PULL} unreachable)")), &promising).unwrap_err();
    insta::assert_snapshot!(error, @"by-hand does not export `webhook` although its manifest has a [webhook]; export it, or take that out of plugin.toml");
}

#[test]
fn code_that_the_manifest_says_nothing_of_is_refused() {
    let full = |manifest: &str| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("connector.wit", WIT).unwrap();
        let world = resolve.select_world(&[package], Some("full-connector")).unwrap();
        let mut module = wit_component::dummy_module(&resolve, world, wit_parser::ManglingAndAbi::Standard32);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        componentize(&module, manifest)
    };
    let silent = manifest("1.0.0");
    insta::assert_snapshot!(full(&silent).unwrap_err(), @"by-hand exports `sink`, but nothing in its manifest names an action; declare it in plugin.toml, or take the export out");
    let half = format!("{silent}[actions]\nwrite = {{ description = \"Writes\" }}\n");
    insta::assert_snapshot!(full(&half).unwrap_err(), @"by-hand exports `webhook`, but nothing in its manifest has a [webhook]; declare it in plugin.toml, or take the export out");
    assert!(full(&format!("{half}[webhook]\ndescription = \"Tells\"\n")).is_ok());
}

#[test]
fn a_plugin_is_not_given_a_second_manifest() {
    let plugin = component(&format!("{PULL} unreachable)"), "1.0.0");
    assert!(matches!(componentize(&plugin, &manifest("1.0.0")), Err(LoadError::HasManifest)));
}

#[test]
fn a_component_that_another_tool_made_gets_its_manifest() {
    let module = module(&format!("{PULL} unreachable)"));
    let bare = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    assert!(matches!(inspect(&bare), Err(LoadError::NoManifest)));
    assert_eq!(componentize(&bare, &manifest("1.0.0")).unwrap(), componentize(&module, &manifest("1.0.0")).unwrap());
}
