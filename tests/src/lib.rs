//! Simulators of the vendors' systems, for tests and for the demo. Each plays the published contract, its limits and its
//! errors included, and knows nothing of the gateway: what they accept is what the vendor would accept.
//!
//! Everything they serve is made up here.
#![allow(clippy::unwrap_used)]

pub mod assertion;
pub mod bamboohr;
pub mod checkr;
pub mod checks;
pub mod deployment;
pub mod desk;
pub mod dingtalk;
pub mod feeds;
pub mod feishu;
pub mod files;
pub mod front;
pub mod greenhouse_board;
pub mod http;
pub mod interview_vendor;
pub mod kingdee;
pub mod ledger;
pub mod moka;
pub mod oak;
pub mod objects;
pub mod odoo;
pub mod office;
pub mod oracle_hcm;
pub mod people;
pub mod personio;
pub mod portal;
pub mod push;
pub mod salesforce;
pub mod sap_business_one;
pub mod showmebug;
pub mod sms;
pub mod staff_api;
pub mod story;
pub mod successfactors;
pub mod workable;
pub mod yonyou;
