//! From the module that cargo wrote and its `plugin.toml` to a plugin, in process: an author needs no other tool.

use std::borrow::Cow;

use renmen_schema::manifest::SECTION;
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::contract;
use crate::inspect::{inspect, malformed, not_wasm, parse_manifest};
use crate::load_error::LoadError;

/// Where wit-bindgen leaves the description of the bindings in a module.
const BINDINGS_SECTION: &str = "component-type";
/// Imports that the component encoder turns into those of the contract: interfaces, and names it made itself.
const OUR_IMPORTS: [&str; 4] = ["renmen:connector/", "[", "cm32p2", "$root"];

/// A core module made by cargo and its manifest's TOML text: a plugin, checked as far as it can be without compiling it.
///
/// # Errors
/// When the module asks for what no connector gets (the dependency is named), was not built with the SDK, or does not do
/// what its manifest says; and when the manifest cannot be read.
pub fn componentize(module: &[u8], manifest: &str) -> Result<Vec<u8>, LoadError> {
    if Parser::is_component(module) {
        return Err(LoadError::NotAModule);
    }
    if !Parser::is_core_wasm(module) {
        return Err(not_wasm(module));
    }
    parse_manifest(manifest.as_bytes())?;
    check_module(module)?;
    let encode = || ComponentEncoder::default().validate(true).module(module)?.encode();
    let mut component = encode().map_err(|error| LoadError::Encode { reason: format!("{error:#}") })?;
    CustomSection { name: SECTION.into(), data: Cow::Borrowed(manifest.as_bytes()) }
        .append_to_component(&mut component);
    contract::check(&inspect(&component)?)?;
    Ok(component)
}

/// The encoder would refuse these too, but without a word on where they come from.
fn check_module(module: &[u8]) -> Result<(), LoadError> {
    let mut foreign = Vec::new();
    let mut has_bindings = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(malformed)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(malformed)?;
                    if !OUR_IMPORTS.iter().any(|ours| import.module.starts_with(ours)) {
                        foreign.push(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::CustomSection(section) => has_bindings |= section.name().starts_with(BINDINGS_SECTION),
            _ => {}
        }
    }
    if !foreign.is_empty() {
        return Err(LoadError::ForeignModuleImports { names: foreign });
    }
    if !has_bindings {
        return Err(LoadError::NoBindings);
    }
    Ok(())
}
