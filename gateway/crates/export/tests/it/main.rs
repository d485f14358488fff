//! Snapshots of a store: what is in them, what is not, and that they are whole or not there.
#![allow(clippy::unwrap_used)]

mod snapshots;
mod world;
