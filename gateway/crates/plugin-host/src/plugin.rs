//! A loaded plugin. What can be asked of it is in `calls`.

use std::sync::Arc;

use renmen_schema::manifest::Manifest;
use renmen_turns::{Places, Threads};
use wasmtime::component::InstancePre;

use crate::bindings::exports::renmen::connector::{probe, sink, source, webhook};
use crate::signature::Signer;
use crate::state::CallState;

/// A loaded plugin; cheap to share; calls run side by side, each in a fresh store.
pub struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Manifest,
    pub(crate) digest: String,
    pub(crate) signer: Option<Signer>,
    pub(crate) pre: InstancePre<CallState>,
    /// Of the whole host: how many calls run at the same time.
    pub(crate) places: Places,
    /// Of the whole host: where guests run.
    pub(crate) threads: Arc<Threads>,
    pub(crate) source: Option<source::GuestIndices>,
    pub(crate) sink: Option<sink::GuestIndices>,
    pub(crate) webhook: Option<webhook::GuestIndices>,
    pub(crate) probe: Option<probe::GuestIndices>,
}

impl Plugin {
    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `sha256:…` of the bytes that were compiled.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Who signed it, of those that are trusted.
    #[must_use]
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    pub(crate) fn name(&self) -> Arc<str> {
        self.name.clone()
    }
}
