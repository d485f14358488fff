//! From bytes to a plugin that is linked: digest, signature, manifest, contract, compilation. Nothing is run here.

use std::sync::Arc;

use renmen_turns::{Places, Threads};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::exports::renmen::connector::{probe, sink, source, webhook};
use crate::compile::Compiler;
use crate::contract;
use crate::digest;
use crate::inspect::{check_kind, inspect_component};
use crate::load_error::LoadError;
use crate::plugin::Plugin;
use crate::signature::Signer;
use crate::state::CallState;

/// What admits a plugin; shared with the threads for blocking work.
pub(crate) struct Gate {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<CallState>,
    pub(crate) places: Places,
    pub(crate) threads: Arc<Threads>,
    pub(crate) dev: bool,
}

impl Gate {
    pub(crate) fn admit(
        &self,
        bytes: &[u8],
        pinned: Option<&str>,
        compiler: &Compiler,
        signed: impl FnOnce(&[u8]) -> Result<Option<Signer>, LoadError>,
    ) -> Result<Plugin, LoadError> {
        check_kind(bytes)?;
        let digest = digest::of(bytes);
        digest::check(pinned, &digest, self.dev)?;
        let signer = signed(bytes)?;
        let inspection = inspect_component(bytes, digest)?;
        contract::check(&inspection)?;
        let plugin = || inspection.manifest.name.clone();
        let link = |error: wasmtime::Error| LoadError::Link { plugin: plugin(), reason: format!("{error:#}") };
        let component = compiler.compile(&self.engine, &inspection.manifest.name, &inspection.digest, bytes)?;
        let pre = self.linker.instantiate_pre(&component).map_err(link)?;
        let has = |interface| inspection.exports_interface(interface);
        let source = has("source").then(|| source::GuestIndices::new(&pre)).transpose().map_err(link)?;
        let sink = has("sink").then(|| sink::GuestIndices::new(&pre)).transpose().map_err(link)?;
        let webhook = has("webhook").then(|| webhook::GuestIndices::new(&pre)).transpose().map_err(link)?;
        let probe = has("probe").then(|| probe::GuestIndices::new(&pre)).transpose().map_err(link)?;
        Ok(Plugin {
            name: inspection.manifest.name.as_str().into(),
            manifest: inspection.manifest,
            digest: inspection.digest,
            signer,
            pre,
            places: self.places.clone(),
            threads: self.threads.clone(),
            source,
            sink,
            webhook,
            probe,
        })
    }
}
