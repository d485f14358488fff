//! Rows for questions of insight, made from records that come through the real schema: what each row says, whose it is, and that the rows
//! stay true to the records.

#![allow(clippy::needless_pass_by_value, reason = "bodies are written in place")]

mod following;
mod hiring;
mod leaving;
mod people;
mod work;
mod world;
