//! One connection of the configuration, put together: its plugin, its secrets, its grant, its limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use renmen_config::{AboveTolerance, Connection, LateProblem, Limits, Schedule as Planned};
use renmen_egress::{Connection as Way, ConnectionSpec, Egress, EgressLimits, LogLimits, OperatorGrant, SlotSpec};
use renmen_plugin_host::{CallLimits, CpuShare, Plugin};
use renmen_schema::id::{ConnectionName, SlotName, StreamName};
use renmen_schema::manifest::{CallBudget, Manifest};
use renmen_schema::shown::line;
use renmen_schema::{Text, text};
use renmen_sync::{BoundPlugin, ConnectionRuntime, HookLimits, IngestLimits, PayslipRule, Schedule, StreamPlan};
use renmen_vault::Vault;

use super::{Deployment, permission, refusals, writers};
use crate::exit::Usage;

impl Deployment {
    /// Binds a loaded plugin to its connection. Everything that can be known to be wrong is said here, before a request is sent.
    pub(super) fn bind(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        name: &ConnectionName,
        plugin: Arc<Plugin>,
    ) -> anyhow::Result<BoundPlugin> {
        let connection = &self.config.connections[name];
        let manifest = plugin.manifest();
        let mut problems = refusals::config_problems(manifest, &connection.config)?;
        problems.extend(refusals::stream_problems(manifest, connection));
        if !self.config.dev {
            problems.extend(permission::missing(connection, manifest));
            problems.extend(writers::missing(connection, manifest));
        }
        let slots = self.slots(vault, connection, manifest, &mut problems);
        self.refuse(connection, &problems)?;
        let spec = ConnectionSpec {
            tenant: connection.tenant.clone(),
            connection: name.clone(),
            wish: manifest.http.clone(),
            grant: grant(connection),
            limits: egress_limits(connection, manifest),
            slots,
            config: connection.config.clone(),
        };
        let egress = egress.connect(spec)?;
        self.refuse(connection, &permission::idle(connection, manifest, &egress.reach()))?;
        check_event_socket(connection, manifest, &egress)?;
        Ok(BoundPlugin {
            connection: name.clone(),
            config: serde_json::to_vec(&connection.config)?.into(),
            limits: Arc::new(call_limits(&connection.limits)),
            egress,
            plugin,
        })
    }

    pub(super) fn refuse(&self, connection: &Connection, problems: &[LateProblem]) -> anyhow::Result<()> {
        if problems.is_empty() { Ok(()) } else { Err(connection.refuse(&self.config.path, problems).into()) }
    }

    /// The connection as the engine runs it.
    pub(super) fn runtime(&self, name: &ConnectionName, bound: BoundPlugin) -> anyhow::Result<ConnectionRuntime> {
        let connection = &self.config.connections[name];
        let plans = connection.streams.iter().map(|(stream, plan)| Ok((stream.clone(), plan_of(plan)?)));
        let plans = plans.collect::<anyhow::Result<BTreeMap<StreamName, StreamPlan>>>()?;
        let limits = &connection.limits;
        let ingest = IngestLimits {
            quarantine_ratio_max: limits.quarantine_ratio_max,
            quarantine_records_min: u64::from(limits.quarantine_records_min),
            deletes_ratio_max: limits.deletes_ratio_max,
            deletes_records_max: u64::from(limits.deletes_records_max),
            findings_max: limits.findings_max as usize,
            attention_wait_max: limits.attention_wait_max,
            slow_down_wait: limits.slow_down_wait,
            record_bytes_max: usize::try_from(limits.record_bytes_max)?,
            cursor_bytes_max: usize::try_from(limits.cursor_bytes_max)?,
            cursor_repeats_max: u64::from(limits.cursor_repeats_max),
            dated_ahead_max: limits.dated_ahead_max,
            pages_max: u64::from(limits.pages_max),
            empty_pages_max: u64::from(limits.empty_pages_max),
            runs_max: limits.runs_max as usize,
            ..IngestLimits::default()
        };
        let hooks = HookLimits {
            body_bytes_max: usize::try_from(limits.webhook_bytes_max)?,
            deadline: limits.webhook_deadline,
            window: limits.webhook_window,
            per_second: limits.webhooks_per_second,
            parallel_max: limits.webhooks_parallel_max as usize,
        };
        check_proof(&bound)?;
        for doubt in bound.egress.seal().doubts() {
            tracing::warn!(connection = %name, "A secret may not be in the intended format: {doubt}");
        }
        let runtime = ConnectionRuntime::new(connection.tenant.clone(), name.clone(), Arc::new(bound), plans, ingest)?;
        let runtime = runtime.with_entities(writers::granted(connection)).with_payslips(PayslipRule {
            tolerance: connection.payslips.tolerance,
            accept: connection.payslips.above == AboveTolerance::Accept,
        });
        announce(&runtime);
        Ok(runtime.with_hooks(hooks).with_event_socket(connection.event_socket))
    }

    fn slots(
        &self,
        vault: Option<&Vault>,
        connection: &Connection,
        manifest: &Manifest,
        problems: &mut Vec<LateProblem>,
    ) -> BTreeMap<SlotName, SlotSpec> {
        problems.extend(refusals::stray_slots(manifest, connection));
        let mut slots = BTreeMap::new();
        for (name, wish) in &manifest.slots {
            let given = connection.slots.get(name).or_else(|| connection.slots.get(wish.same_as.as_ref()?));
            let secret = match given.map(|slot| self.secret(vault, &connection.tenant, slot)) {
                Some(Ok(secret)) => Some(secret),
                Some(Err(error)) => {
                    problems.push(refusals::no_secret(name, connection, &error));
                    continue;
                }
                None if wish.optional => None,
                None => {
                    problems.push(refusals::empty_slot(wish.same_as.as_ref().unwrap_or(name), &wish.description));
                    continue;
                }
            };
            let to = given.and_then(|slot| slot.to.clone());
            let public = given.map(|slot| slot.public.clone()).unwrap_or_default();
            let (audience, auth) = (wish.audience.clone(), wish.auth.clone());
            slots.insert(name.clone(), SlotSpec { secret, to, audience, auth, public, seal: wish.seal });
        }
        slots
    }
}

/// What of a connection is off, and what of its grant leads nowhere.
fn announce(runtime: &ConnectionRuntime) {
    let connection = runtime.name();
    // A stream that the configuration does not name is not meant to run: a plugin may have one for every entity.
    let undeclared = runtime.undeclared_streams();
    for (stream, entities) in runtime.shut_streams().into_iter().filter(|(stream, _)| !undeclared.contains(stream)) {
        let entities = entities.iter().map(|name| line(name).into_owned()).collect::<Vec<_>>().join(", ");
        tracing::warn!(%connection, %stream, entities, "A stream is off because `grant.entities` names none of its entities");
    }
    for entity in runtime.entities().idle(runtime.source().manifest()) {
        tracing::warn!(%connection, %entity, "`grant.entities` names an entity that the plugin does not provide");
    }
}

fn check_event_socket(connection: &Connection, manifest: &Manifest, egress: &Way) -> anyhow::Result<()> {
    if !connection.event_socket {
        return Ok(());
    }
    let Some(socket) = manifest.webhook.as_ref().and_then(|webhook| webhook.socket.as_ref()) else {
        let name = &manifest.name;
        let why = text!(
            "plugin `{name}` names no connection for events (`[webhook.socket]`): take `event_socket` out",
            "插件 `{name}` 没有事件连接（`[webhook.socket]`）：请删除 `event_socket`"
        );
        return Err(Usage(why).into());
    };
    egress
        .event_reach(socket)
        .context(text!("its event connection (`event_socket`)", "其事件连接（`event_socket`）"))?;
    Ok(())
}

/// Deliveries are expected once a slot that proves or opens them is filled: then nothing else may be missing.
fn check_proof(bound: &BoundPlugin) -> Result<(), Usage> {
    let proof = bound.plugin.manifest().webhook.as_ref().and_then(|webhook| webhook.proof.as_ref());
    let Some(proof) = proof else { return Ok(()) };
    let checked = bound.egress.seal().check_proof(proof, bound.egress.config());
    checked.map_err(|error| Usage(text!("deliveries cannot be proved: {error}", "无法验证投递：{error}")))
}

/// The manifest's schema decides what a `config` may hold, so that a plugin never meets one that it cannot use.
pub(crate) fn check_config(manifest: &Manifest, config: &serde_json::Value) -> Result<(), Usage> {
    let problems = refusals::config_problems(manifest, config)?;
    if problems.is_empty() {
        return Ok(());
    }
    let told = || {
        problems
            .iter()
            .map(|LateProblem { key, message, help, .. }| {
                text!("{key}: {message} ({help})", "{key}：{message}（{help}）").to_string()
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    Err(Usage(Text::rendered(told)))
}

fn plan_of(plan: &renmen_config::Stream) -> anyhow::Result<StreamPlan> {
    let schedule = match &plan.schedule {
        Planned::Every(interval) => Schedule::every(*interval)?,
        Planned::Cron { expr, zone } => Schedule::cron(expr, zone)?,
        Planned::Manual => Schedule::Manual,
    };
    Ok(StreamPlan { schedule, enabled: plan.enabled })
}

fn grant(connection: &Connection) -> OperatorGrant {
    let grant = &connection.grant;
    OperatorGrant {
        hosts: grant.hosts.clone(),
        methods: grant.methods.clone(),
        plaintext: grant.plaintext,
        addresses: grant.addresses.clone(),
        drop: grant.drop.clone(),
    }
}

fn egress_limits(connection: &Connection, manifest: &Manifest) -> EgressLimits {
    let limits = &connection.limits;
    EgressLimits {
        request_timeout: limits.request_timeout,
        response_bytes_max: limits.response_bytes_max,
        request_bytes_max: limits.request_bytes_max,
        retries_max: limits.retries_max,
        retry_wait_max: limits.retry_wait_max,
        parallel_max: limits.parallel_max,
        rate: limits.rate.or(manifest.rate),
        budget: call_budget(limits, manifest),
        logs: log_limits(limits),
    }
}

/// The manifest's, with the operator's number in it where there is one.
fn call_budget(limits: &Limits, manifest: &Manifest) -> Option<CallBudget> {
    match limits.month_calls_max {
        None => manifest.budget.clone(),
        Some(0) => None,
        Some(calls) => Some(CallBudget { calls, ..manifest.budget.clone().unwrap_or_else(|| CallBudget::of(calls)) }),
    }
}

/// How much one connection may have written about it.
pub(super) fn log_limits(limits: &Limits) -> LogLimits {
    LogLimits { lines_per_minute: limits.log_lines_per_minute, refusals_per_minute: limits.refusals_logged_per_minute }
}

fn call_limits(limits: &Limits) -> CallLimits {
    CallLimits {
        fuel_max: limits.fuel_max,
        wall_clock: limits.wall_clock,
        memory_bytes_max: limits.memory_bytes_max,
        hostcall_bytes_max: limits.hostcall_bytes_max,
        seal_calls_max: limits.seal_calls_max,
        seal_bytes_max: limits.seal_bytes_max,
        http_calls_max: limits.http_calls_max,
        page_records_max: limits.page_records_max,
        page_bytes_max: limits.page_bytes_max,
        receipt_bytes_max: limits.receipt_bytes_max,
        answer_bytes_max: limits.answer_bytes_max,
        refreshes_max: limits.refreshes_max,
        cpu: CpuShare { share: limits.cpu_share, window: limits.cpu_window },
        calls_max: limits.calls_max,
        log_lines_max: limits.log_lines_max,
        log_line_bytes_max: limits.log_line_bytes_max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_number_of_calls_goes_before_the_manifests_and_none_switches_the_budget_off() {
        let text = "name = \"p\"\nversion = \"0.1.0\"\ndescription = \"p\"\ncontract = \"0.2.0\"\n";
        let plain = Manifest::parse(text).expect("a manifest");
        let declared = format!("{text}[budget]\ncalls = 10\nzone = \"UTC\"\nexcept = [\"/contacts/\"]\n");
        let declared = Manifest::parse(&declared).expect("a manifest");
        let limits = |month_calls_max| Limits { month_calls_max, ..Limits::default() };
        assert_eq!(call_budget(&limits(None), &plain), None);
        assert_eq!(call_budget(&limits(None), &declared), declared.budget);
        assert_eq!(call_budget(&limits(Some(0)), &declared), None);
        assert_eq!(call_budget(&limits(Some(7)), &plain), Some(CallBudget::of(7)));
        let both = call_budget(&limits(Some(7)), &declared).expect("a budget");
        assert_eq!((both.calls, both.zone.as_str(), both.except.len()), (7, "UTC", 1));
    }

    #[test]
    fn a_connector_is_tried_by_its_author_under_the_budgets_that_a_gateway_has_by_default() {
        assert_eq!(call_limits(&Limits::default()), renmen_kit::gateway_limits());
    }
}
