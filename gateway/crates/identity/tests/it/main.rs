//! Who is the same person: by rules, by decisions, in any order, and how well.
#![allow(clippy::unwrap_used)]

mod any_order;
mod bodies;
mod labelled;
mod made_up;
mod people;
mod shelf;
