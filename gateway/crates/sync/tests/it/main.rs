//! Runs over a real SQLite store with a scripted connector.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod by_hand;
mod dated_ahead;
mod grants;
mod kill;
mod neighbours;
mod payslips;
mod replays;
mod runs;
mod serving;
mod several_gateways;
mod sweeps;
mod vendor;
mod world;
