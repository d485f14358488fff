//! The kit as its callers see it.
#![allow(clippy::unwrap_used)]

mod airbyte;
mod card;
mod description;
mod scaffold;
