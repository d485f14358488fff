//! What a connector may import, one file an interface. Each is implemented on [`CallState`], so that a test can call it
//! without a guest.

mod clock;
mod failure;
mod http;
mod log;
mod seal;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::renmen::connector::{clock as clock_import, http as http_import, log as log_import, types};
use crate::state::CallState;

/// Types alone: nothing to call.
impl types::Host for CallState {}

/// Puts the interfaces of the contract, and nothing else, into a linker.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    http_import::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    clock_import::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    log_import::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    seal::link(linker)
}
