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

/// A core module made by cargo, or a component made by another language's tool, and its manifest's TOML text: a plugin,
/// checked as far as it can be without compiling it.
///
/// # Errors
/// When the code asks for what no connector gets (the dependency is named), was not built with the SDK, has a manifest
/// already, or does not do what its manifest says; and when the manifest cannot be read.
pub fn componentize(code: &[u8], manifest: &str) -> Result<Vec<u8>, LoadError> {
    parse_manifest(manifest.as_bytes())?;
    let mut component = if Parser::is_component(code) { without_manifest(code)?.to_vec() } else { encode(code)? };
    CustomSection { name: SECTION.into(), data: Cow::Borrowed(manifest.as_bytes()) }
        .append_to_component(&mut component);
    contract::check(&inspect(&component)?)?;
    Ok(component)
}

fn encode(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    if !Parser::is_core_wasm(module) {
        return Err(not_wasm(module));
    }
    check_module(module)?;
    let encode = || ComponentEncoder::default().validate(true).module(module)?.encode();
    encode().map_err(|error| LoadError::Encode { reason: format!("{error:#}") })
}

/// Checks that there is no manifest yet: with a second one, it would be left to chance which of the two counts.
fn without_manifest(component: &[u8]) -> Result<&[u8], LoadError> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(malformed)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                return Err(LoadError::HasManifest);
            }
            _ => {}
        }
    }
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
