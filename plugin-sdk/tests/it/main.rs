//! What a connector author relies on, told through connectors.
#![allow(clippy::unwrap_used)]

mod host;
mod pages;
mod since;
