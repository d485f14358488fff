//! The vault as its users meet it: on a real file system.
#![allow(clippy::unwrap_used)]

mod at_rest;
mod sharing;
