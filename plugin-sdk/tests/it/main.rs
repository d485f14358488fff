//! What a connector author relies on, told through connectors.
#![allow(clippy::unwrap_used)]

mod distrust;
mod host;
mod pages;
mod since;
