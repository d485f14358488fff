//! The kit as whoever calls it sees it.
#![allow(clippy::unwrap_used)]

mod card;
mod description;
mod scaffold;
