//! The configuration as an operator meets it: a text goes in, a configuration or an explanation comes out.
#![allow(clippy::unwrap_used)]

mod cells;
mod defaults;
mod errors;
mod files;
mod flows;
mod grants;
mod identity;
mod insight;
mod interview;
mod journals;
mod limits;
mod outside;
mod payslips;
mod plugins;
mod receivers;
mod reference;
mod secrets;
mod values;

use std::path::Path;

use renmen_config::{Config, ConfigError, LoadOptions};

/// A digest that is well formed.
pub(crate) const DIGEST: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

pub(crate) fn env(name: &str) -> Option<String> {
    match name {
        "DINGTALK_URL" => Some("http://127.0.0.1:9001".to_owned()),
        "CANARY" => Some("canary-from-the-environment".to_owned()),
        "DB_PASSWORD" | "RENMEN_DB_PASSWORD" => Some("canary-db".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

/// Reads a text as `/etc/renmen/connectors.toml`.
pub(crate) fn read(text: &str, dev: bool) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/renmen/connectors.toml"), LoadOptions { dev, env: &env })
}

pub(crate) fn read_dev(text: &str) -> Config {
    read(text, true).unwrap_or_else(|error| panic!("{error}"))
}

/// The explanation of a text that must not be taken.
pub(crate) fn refused(text: &str) -> String {
    read(text, false).unwrap_err().to_string()
}
