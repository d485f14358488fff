//! Flows against the real SQLite store, with destinations that behave by script.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod by_hand;
mod deputies;
mod destinations;
mod ends;
mod keyed;
mod links;
mod lists;
mod loops;
mod outage;
mod pruning;
mod related;
mod schedules;
mod withheld;
mod world;
