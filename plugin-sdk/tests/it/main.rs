//! What a connector author relies on, told through connectors.
#![allow(clippy::unwrap_used)]

mod contract;
mod distrust;
mod host;
mod pages;
mod since;
