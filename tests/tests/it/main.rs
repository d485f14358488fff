//! End-to-end tests over the real binary, real plugins and the vendors' simulators.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod adjust;
mod api;
mod architecture;
mod author;
mod bad_cursors;

mod check;
mod circle;
mod conformance;
mod crash;
mod dependencies;
mod dingtalk;
mod documents;
mod events;
mod example;
mod exit_codes;
mod families;
mod faults;
mod feishu;
mod flows;
mod gateway;
mod harness;
mod hooks;
mod init;
mod interview_loop;
mod keys;
mod languages;
mod module_circles;
mod neighbours;
mod off;
mod operator;
mod pace;
mod provenance;
mod records;
mod references;
mod running_gateway;
mod secrets;
mod security_page;
mod staff;
mod storm;
mod story;
mod survey;
mod terminal;
mod words;
