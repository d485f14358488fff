//! The host against real components: a hostile one for each limit, and hand-written ones for what no compiler would make.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod budgets;
mod cancel;
mod compatibility;
mod compile;
mod contain;
mod contract_page;
mod endure;
mod harness;
mod leaks;
mod load;
mod memory;
mod memory_returns;
mod modules;
mod neighbours;
mod network;
mod prefetch;
mod proof;
mod push;
mod receive;
mod reload;
mod seal;
mod spans;
mod telling;
