//! Egress from the outside: real sockets on the loopback, vendors that misbehave by script.
#![allow(clippy::unwrap_used)]

mod budgets;
mod deliver;
mod destinations;
mod drop_files;
mod event_socket;
mod faults;
mod mail;
mod mail_server;
mod once;
mod prefetch;
mod recipes;
mod seal;
mod secrets;
mod ssrf;
mod support;
mod tls;
mod tokens;
