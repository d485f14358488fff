//! Files as people send them, through the connector.
#![allow(clippy::unwrap_used)]

mod bands;
mod faults;
mod manifest;
mod payroll;
mod values;
mod world;
