//! People at two gateways over one store.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod bed;
mod races;
