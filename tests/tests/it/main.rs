//! End-to-end tests over the real binary, real plugins and the vendors' simulators.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod architecture;
mod author;
mod bad_cursors;
mod conformance;
mod crash;
mod families;
mod faults;
mod feishu;
mod gateway;
mod harness;
mod interview_loop;
mod languages;
mod provenance;
mod staff;
