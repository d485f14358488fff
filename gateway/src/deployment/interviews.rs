//! The interview loop as the configuration says it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use renmen_config::Config;
use renmen_interview::{
    AdjustOptions, BandOptions, InterviewLoop, LoopOptions, LoopWork, RuleSpec, Sources, SystemClock, WatchOptions,
};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_sync::ConnectionRuntime;

use super::{Deployment, Running, Writers, pay_bands, sources};

/// What the interview loop takes from the connections when it is opened, and keeps until the next start.
#[derive(PartialEq, Eq)]
pub(super) struct LoopBasis {
    tenants: BTreeSet<TenantId>,
    sources: Sources,
    pay_bands: BTreeSet<ConnectionName>,
}

impl LoopBasis {
    pub(super) fn of(deployment: &Deployment, connections: &[Arc<ConnectionRuntime>]) -> Self {
        let config = &deployment.config;
        let writers = Writers::of(config, connections);
        let tenants = config.connections.values().map(|connection| connection.tenant.clone()).collect();
        Self { tenants, sources: sources(config, &writers), pay_bands: pay_bands(config, &writers) }
    }
}

/// Opens the loop for every tenant that has a connection.
pub(crate) async fn open_interviews(running: &Running) -> anyhow::Result<(Arc<InterviewLoop>, LoopWork)> {
    let (current, store) = (running.current(), Arc::clone(&running.store));
    let config = &current.deployment.config;
    let mut tenants: Vec<TenantId> = config.connections.values().map(|connection| connection.tenant.clone()).collect();
    tenants.push(config.gateway.tenant.clone());
    tenants.sort();
    tenants.dedup();
    let options = loop_options(config, &running.writers(), current.deployment.gateway_name()?.to_owned());
    Ok(InterviewLoop::open(store, Arc::new(SystemClock), &tenants, options).await?)
}

/// What the configuration says of the interview loop.
pub(crate) fn loop_options(config: &Config, writers: &Writers, gateway: String) -> LoopOptions {
    let said = &config.interview;
    let rules = said.rules.iter().map(|rule| RuleSpec {
        name: rule.name.clone(),
        position: rule.position.clone(),
        profile_version: rule.profile_version,
        pass: rule.pass,
        border: rule.border,
    });
    LoopOptions {
        band: BandOptions {
            asks_per_minute: said.match_asks_per_minute,
            amounts_per_interview: said.match_amounts_per_interview as usize,
            asks_per_candidate: said.match_asks_per_candidate as usize,
            asks_per_band: said.match_asks_per_band as usize,
            window_ms: millis(said.match_window),
            digits: said.match_digits,
            sources: pay_bands(config, writers),
            ..BandOptions::default()
        },
        watch: WatchOptions {
            remind_before_ms: millis(said.remind_before),
            no_show_after_ms: millis(said.no_show_after),
            dropped_after_ms: millis(said.dropped_after),
            feedback_within_ms: millis(said.feedback_within),
            catch_up_ms: millis(said.catch_up),
            ..WatchOptions::default()
        },
        rules: rules.collect(),
        sources: sources(config, writers),
        children_max: said.children_max as usize,
        screen_token_life_ms: millis(said.screen_token_life),
        decide_within_ms: millis(said.decide_within),
        adjust_wait_ms: millis(said.adjust_wait),
        gateway,
        takeover_after: said.takeover_after,
        ..LoopOptions::default()
    }
}

/// What it says of adjust instructions.
pub(crate) fn adjust_options(config: &Config, writers: &Writers) -> AdjustOptions {
    let said = &config.interview;
    AdjustOptions {
        self_approval: said.adjust_self_approval,
        wait_ms: millis(said.adjust_wait),
        sources: sources(config, writers),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
