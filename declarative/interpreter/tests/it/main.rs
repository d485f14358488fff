//! The interpreter over scripted answers, natively: no gateway, no vendor account.
#![allow(clippy::unwrap_used)]
#![allow(clippy::needless_pass_by_value, reason = "rows are made where they are used")]

mod actions;
mod author;
mod changes;
mod connectors;
mod errors;
mod hooks;
mod keyed;
mod lookups;
mod pages;
mod parents;
mod records;
mod signatures;
mod world;
