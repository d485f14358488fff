//! Receivers from the outside: real sockets on the loopback that behave by script, and the real outbox on SQLite.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod attempts;
mod endpoint;
mod http_receiver;
mod kafka;
mod kafka_cluster;
mod kafka_sasl;
mod mail;
#[path = "../../../egress/tests/it/mail_server.rs"]
#[allow(dead_code, reason = "egress's own tests use all of it")]
mod mail_server;
mod official;
mod registry;
mod rig;
mod sms;
#[path = "../../../flow/tests/it/world.rs"]
#[allow(dead_code, reason = "the flows' own tests use all of it")]
mod world;
