//! Persons are kept through the store, on both backends: the same end in whichever order things come, and wherever a gateway is killed.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod any_order;
mod bed;
mod decisions;
mod gateways;
mod kept;
mod moved;
mod rules;
mod shown;
mod world;
