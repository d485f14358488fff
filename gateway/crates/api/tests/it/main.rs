//! The API against the real SQLite store, flows and endpoints and a scripted engine, through the same router that the gateway serves.
#![allow(clippy::unwrap_used)]

mod actions;
mod audit;
mod broken_endpoints;
mod broken_inbox;
mod broken_outbox;
mod broken_quota;
mod broken_sign;
mod broken_store;
mod broken_sweep;
mod changes;
mod connections;
mod decision_list;
mod decision_page;
mod deliveries_in;
mod document;
mod endpoints;
mod engine;
mod examples;
mod fairness;
mod interviews;
mod keys;
mod limits;
mod listening;
mod log_lines;
mod metrics;
mod parts;
mod problems;
mod records;
mod rig;
mod roles;
mod scripted_control;
mod served;
mod written;
