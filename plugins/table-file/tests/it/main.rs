//! Files as people send them, through the connector.
#![allow(clippy::unwrap_used)]

mod bands;
mod cells;
mod days;
mod entities;
mod faults;
mod ids;
mod isolation;
mod kinds;
mod manifest;
mod money;
mod payroll;
mod produced;
mod quotes;
mod rows;
mod standing;
mod totals;
mod values;
mod world;
