//! The kit as its callers see it.
#![allow(clippy::unwrap_used)]

mod card;
mod description;
mod scaffold;
