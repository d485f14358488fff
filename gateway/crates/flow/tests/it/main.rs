//! Destinations from the outside: real sockets on the loopback, receivers that behave by script.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod endpoint;
mod mail;
#[path = "../../../egress/tests/it/mail_server.rs"]
#[allow(dead_code, reason = "egress's own tests use all of it")]
mod mail_server;
mod official;
mod receiver;
mod rig;
mod sms;
