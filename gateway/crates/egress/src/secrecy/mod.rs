//! What a secret is, in which forms it can appear, and how it is found: the one home of all three.
//!
//! It is part of egress and not of the vault, where `Secret` is, because which parts of a secret are secret depends on
//! what only egress knows: the slot's recipe, the members that the operator names as public, and the tokens that are
//! fetched while the gateway runs. The vault holds values and knows nothing of their use.
//!
//! In reading order: [`part`] (which texts of a slot's secret are looked for), [`piece`] (which cuts of such a text are enough
//! to be recognised), [`form`] (the encodings of a piece), [`plain`] (a text with one layer of escapes taken off), [`index`]
//! (finding many forms at once), [`search`] (all of it together: is there a secret in these bytes, and where?) and [`finder`]
//! (the same for one secret that a tool planted).
//!
//! What it promises is in docs/security.md, and so is what it does not: a search cannot find what a program disguises
//! on purpose. The first protection is that a connector never sees a secret; this is the second one, for when a vendor
//! sends one back.
//!
//! It must not know requests, answers, pages or logs.

mod finder;
mod form;
mod index;
mod part;
mod piece;
mod plain;
mod search;
#[cfg(test)]
mod tests;

pub use finder::SecretFinder;
pub(crate) use part::{Part, Parts, SECRET_BYTES_MIN, parts};
pub use search::FoundSecret;
pub(crate) use search::{Scratch, Search, Sight};
