//! What a connector is written with: the Rust side of `wit/connector.wit`.
//!
//! A connector is a type that implements [`Source`] (and, if the vendor can be written to or calls back, [`Sink`] and
//! [`Webhook`]) and is exported with [`export_source!`] and, in addition, [`export_sink!`] and [`export_webhook!`] (or
//! [`export_connector!`] for all of them). It is compiled for `wasm32-unknown-unknown` and can do four things only:
//! send a request through [`http`], ask the [`clock`], [`log`] a line, and have something signed with a key that it
//! never sees ([`seal`]).
//!
//! It keeps nothing between calls. What it has to remember it puts into the cursor of a [`Page`]; the gateway commits
//! that cursor in the transaction that commits the page.
//!
//! Everything here also compiles natively: there the four imports are played by [`testing::Host`], so that
//! `cargo test` of a connector needs neither a vendor account nor a gateway.
//!
//! Reading order: [`Source`], [`page`], [`items`], [`http`], [`Failure`], [`paging`], [`testing`].
//!
//! This crate must not know the gateway, a vendor, or the network.

#![warn(missing_docs)]

#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
mod allocator;
#[doc(hidden)]
pub mod bindings;
pub mod clock;
mod export;
pub mod failure;
mod host;
pub mod http;
pub mod items;
mod level;
mod list_ends;
pub mod locate;
pub mod log;
pub mod page;
pub mod paging;
mod panic;
mod scan;
pub mod seal;
mod sink;
mod source;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod unfit;
mod webhook;
mod word;

pub use failure::{Failure, FailureKind};
pub use items::{Item, Rest};
pub use list_ends::ListEnds;
pub use page::{Coverage, Envelope, Omission, Page, PageFinding, Reject};
pub use schema::Remedy;
pub use sink::{Action, Receipt, Sink};
pub use source::{Finding, Pull, Source};
pub use unfit::Unfit;
pub use webhook::{Answer, Delivery, Outcome, Refresh, Webhook};
pub use word::word;

pub use renmen_schema as schema;

/// The connector's memory.
#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::new();

/// What [`export_source!`] and its kin expand to. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings;
    pub use crate::export::Exported;
}
