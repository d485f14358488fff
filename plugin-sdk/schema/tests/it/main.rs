//! The promises of the canonical schema, tried through its public names.
#![allow(clippy::unwrap_used)]

mod canonicalize;
mod generate;
mod manifest_page;
mod properties;
mod release;
mod seals;
mod sensitivity;
