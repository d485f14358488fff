//! What the author of a connector works with: `renmen plugin new`, `build`, and what follows them.
//!
//! Owns the way from an empty folder to a component that can be trusted. It drives cargo, the host and the network client for
//! an author; it must not know the store, runs, or the API: what it reads from a real system is shown and thrown away, or
//! becomes a fixture without secrets and people in it.
//!
//! Reading order: [`scaffold`] (what is written), [`manifest`] (what an author is told about `plugin.toml`), [`component`],
//! [`build`] and [`declared`] (from sources, or from two files, to a component), [`mod@check`] (what can be seen without running it), [`trial`] (a page of a real system), [`disguise`] and [`fixture`] (that page without
//! people in it), [`sign`] (who stands behind a component), [`conformance`] (what a gateway relies on, proved), [`airbyte`] (a connector
//! without code, begun from a manifest of another system).

pub mod airbyte;
mod budget;
pub mod build;
pub mod check;
pub mod component;
pub mod conformance;
pub mod declared;
pub mod disguise;
mod error;
pub mod fixture;
pub mod manifest;
mod recorded;
pub mod scaffold;
pub mod sign;
pub mod trial;
mod watch;

pub use budget::gateway_limits;
pub use error::KitError;
