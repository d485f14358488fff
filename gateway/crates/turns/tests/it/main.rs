//! The threads with real work on them: who gets how much, what is dropped where, what nobody waits for.
#![allow(missing_docs, clippy::unwrap_used)]

mod fair;
mod given_up;
mod held_back;
mod work;
