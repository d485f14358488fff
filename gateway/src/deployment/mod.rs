//! From connectors.toml to parts that run: the only place that sees all crates. Each part is built when a command needs
//! it: reading records loads no plugin, and inspecting a plugin opens no store.

mod budgets;
mod connection;
mod decision_links;
mod destination;
mod endpoints;
mod engine;
mod exports;
mod flows;
mod identity;
mod insights;
mod interviews;
mod journals;
mod loading;
mod memory;
mod off;
mod people;
mod permission;
mod places;
mod reached;
mod receiver_check;
mod receivers;
mod references;
mod refresh_tokens;
mod refusals;
mod registry_watch;
mod reload;
mod secrets;
mod shared_places;
mod shared_rate;
mod store;
mod store_clock;
mod vault_watch;
mod writers;

use std::path::Path;

use renmen_config::{Config, LoadOptions};
use renmen_schema::text;

use crate::cli::Common;
use crate::exit::Usage;

pub(crate) use budgets::keep as keep_budgets;
pub(crate) use connection::check_config;
pub(crate) use decision_links::Links;
pub(crate) use engine::Running;
pub(crate) use exports::export_at_times;
pub(crate) use insights::{Counted, Insights, analysis, open_insights};
pub(crate) use interviews::{adjust_options, loop_options, open_interviews};
pub(crate) use journals::open_ledger;
pub(crate) use memory::report as report_memory;
pub(crate) use off::Unloaded;
pub(crate) use people::{open as open_people, over as people_over};
pub(crate) use permission::Asked;
pub(crate) use reached::Reached;
pub(crate) use receiver_check::ReceiverCheck;
pub(crate) use references::report as report_references;
pub(crate) use registry_watch::watch as watch_registries;
pub(crate) use reload::{ConfigurationState, Difference, Names};
pub(crate) use secrets::env_key;
pub(crate) use vault_watch::watch as watch_vault;
pub(crate) use writers::{Writers, pay_bands, remarks, sources};

/// A configuration that was read and checked.
pub(crate) struct Deployment {
    pub(crate) config: Config,
}

impl Deployment {
    /// Reads the configuration that the command line names.
    pub(crate) fn load(common: &Common) -> anyhow::Result<Self> {
        let env = |name: &str| std::env::var(name).ok();
        let mut config = Config::load(&common.config, LoadOptions { dev: common.dev, env: &env })?;
        config.enter(common.cell.as_ref()).map_err(Usage)?;
        if let Some(dir) = &common.cache_dir {
            config.gateway.cache_dir.clone_from(dir);
        }
        Ok(Self { config })
    }

    /// The data directory, made for its owner alone.
    ///
    /// # Errors
    /// [`Usage`] when it exists and is not its owner's alone, or when another user could replace it.
    pub(crate) fn data_dir(&self) -> anyhow::Result<&Path> {
        let dir = &self.config.gateway.data_dir;
        self.private_places()?;
        if !dir.exists() {
            use std::os::unix::fs::DirBuilderExt as _;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| {
                anyhow::anyhow!(text!(
                    "the data directory {} cannot be made: {e}",
                    "无法创建数据目录 {}：{e}",
                    dir.display()
                ))
            })?;
        }
        Ok(dir)
    }
}

/// The machine's clock in milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
