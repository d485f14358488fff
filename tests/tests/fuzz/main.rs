//! Everything that parses what an author, an operator or a vendor wrote, fed with what none of them would write (F18).
//!
//! Each target starts from the seeds in `corpus/`, which reach deep, and changes them: a run of random bytes alone would be
//! refused at the first one. `cargo test` tries some thousands; `RENMEN_FUZZ_SECONDS=600` tries for so long; under
//! `cargo bolero` the same targets run with a fuzzer that watches coverage. A seed that broke something stays in `corpus/`.
//! A target fails when the code under it panics, takes longer than a second, or breaks what the target asserts.
#![allow(clippy::unwrap_used)]

mod mutate;
mod operator;
mod sdk;
mod stored;
mod tables;

pub(crate) use mutate::{target, target_from};
