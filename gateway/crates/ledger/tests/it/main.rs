//! Runs of payslips, and what becomes of them in the books.
#![allow(clippy::unwrap_used)]

mod draft;
mod posting;
mod world;
