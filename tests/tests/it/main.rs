//! End-to-end tests over the real binary, real plugins and the vendors' simulators.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod adjust;
mod api;
mod architecture;
mod attendance;
mod author;
mod bad_cursors;
mod check;
mod circle;
mod cluster;
mod cluster_faults;
mod conformance;
mod crash;
mod declarative;
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
mod goals;
mod harness;
mod hooks;
mod init;
mod insight;
mod interview_loop;
mod kafka;
#[allow(dead_code, reason = "the receiver's tests use the rest")]
#[path = "../../../gateway/crates/receiver/tests/it/kafka_cluster.rs"]
mod kafka_cluster;
#[allow(dead_code, reason = "the receiver's tests use the rest")]
#[path = "../../../gateway/crates/receiver/tests/it/kafka_sasl.rs"]
mod kafka_sasl;
mod keys;
mod kingdee;
mod languages;
mod module_circles;
mod neighbours;
mod off;
mod operator;
mod pace;
mod people;
mod provenance;
mod records;
mod references;
mod reload;
mod running_gateway;
mod secrets;
mod security_page;
mod server_away;
mod skeleton;
mod staff;
mod store_copy;
mod storm;
mod story;
mod survey;
mod tenant_move;
mod terminal;
mod vault_watch;
mod words;
mod yonyou;
