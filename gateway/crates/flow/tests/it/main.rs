//! Flows against the real SQLite store, and destinations from the outside: real sockets on the loopback, receivers that behave by
//! script.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod attempts;
mod by_hand;
mod deputies;
mod endpoint;
mod ends;
mod keyed;
mod links;
mod lists;
mod loops;
mod mail;
#[path = "../../../egress/tests/it/mail_server.rs"]
#[allow(dead_code, reason = "egress's own tests use all of it")]
mod mail_server;
mod official;
mod outage;
mod receiver;
mod related;
mod rig;
mod sms;
mod withheld;
mod world;
