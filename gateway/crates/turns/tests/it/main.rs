//! The threads with real work on them: who gets how much, what is dropped where, and work that is not waited for.
#![allow(clippy::unwrap_used)]

mod fair;
mod given_up;
mod held_back;
mod work;
