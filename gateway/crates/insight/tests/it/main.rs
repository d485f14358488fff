//! The crate from outside: its statistics against SciPy and statsmodels, and its questions over rows in memory.
#![allow(clippy::unwrap_used)]

mod acceptance;
mod audit;
mod effects;
mod joined;
mod numbers;
mod offers;
mod order;
mod predictions;
mod promises;
mod purposes;
mod reference_values;
mod rows;
mod ways;
