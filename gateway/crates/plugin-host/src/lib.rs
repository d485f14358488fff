//! Runs connectors: the only user of wasmtime.
//!
//! A connector is a WebAssembly component with its manifest inside. This crate loads it ([`PluginHost::load`]), gives
//! it exactly the four interfaces of the contract (`http`, `clock`, `log`, `seal`), calls its exports within the limits
//! of one connection ([`CallLimits`]) and gives the outcome: a [`Page`], a [`Receipt`], a [`ReceivedDelivery`], or a
//! [`CallError`] that names the budget, the connector's own failure, or the crash.
//!
//! What it must not know: how a request is granted, signed and sent (that is `renmen-egress`), what a record means (that
//! is `renmen-schema` and the run that normalizes it), where anything is kept, and when a call is due.
//!
//! The rules that the rest relies on:
//! - a fresh store for each call, thrown away afterwards: a connector keeps nothing, and a failed one is never repaired;
//! - three budgets that do not replace one another: fuel for work, epochs so that others get their turn, wall clock for
//!   waiting;
//! - what a guest says (log lines, messages, names) is untrusted text: secrets are taken out, it is cut, control
//!   characters are escaped;
//! - only `.wasm` is accepted, checked by digest on the very bytes that are compiled;
//! - what is compiled is counted before, and compiled by a child process with limits of memory and time.
//!
//! Reading order: [`limits`](CallLimits), `engine`, `inspect`, `contract`, `compile`, `load`, `plugin`, `invoke`, `export/*`, `host/*`.

mod action;
mod bindings;
mod call;
mod calls;
mod compile;
mod componentize;
mod contract;
mod convert;
mod delivery;
mod digest;
mod engine;
mod export;
mod failure;
mod gate;
mod guest_text;
mod host;
mod inspect;
mod invoke;
mod limits;
mod load;
mod load_error;
mod memory;
mod page;
mod plugin;
mod proof;
mod registry;
mod release;
mod scan;
mod signature;
mod span;
mod state;
mod usage;
mod verdict;

pub use action::{Action, Receipt};
pub use call::{Call, Pull};
pub use compile::{COMPILE_WORKER, ChildCompiler, CompileLimits, compile_worker};
pub use componentize::componentize;
pub use delivery::{Answer, Delivery, Door, ReceivedDelivery, Refresh};
pub use engine::{Allocation, HostOptions, HostTuning, PluginHost};
pub use failure::CallError;
pub use inspect::{Capability, Inspection, inspect};
pub use limits::CallLimits;
pub use load_error::LoadError;
pub use page::{Coverage, Envelope, Finding, Page, Reject};
pub use plugin::Plugin;
pub use registry::{PluginStatus, Registry, Serving};
pub use release::CONTRACT;
pub use renmen_schema::{RunFinding, RunOmission};
pub use renmen_turns::{Account, CpuShare};
pub use signature::{SIGNATURE_BYTES_MAX, Signer, Trust, TrustedKey, signature_path};
pub use usage::Usage;
