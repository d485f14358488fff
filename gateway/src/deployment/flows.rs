//! The flows of the configuration with the places that they send to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use renmen_config::LateProblem;
use renmen_flow::{
    Catalogue, Clock, DecisionLinks, Defect, DestinationEntry, ExpressionLimits, Fields, FlowEngine, FlowError,
    FlowOptions,
};
use renmen_schema::id::TenantId;
use renmen_store::Store;
use renmen_sync::ConnectionRuntime;
use serde_json::Value;

use super::Deployment;
use super::decision_links::Links;
use super::destination::PluginDestination;
use super::off::Unloaded;
use super::receivers::Receiver;
use super::writers::{Writers, sources};

/// What an attempt may take beyond the plugin's own time, before it is given up.
const BEYOND: Duration = Duration::from_secs(5);

/// What flows can send to, of each tenant.
pub(super) type Catalogues = BTreeMap<TenantId, Catalogue>;

impl Deployment {
    /// A flow engine over what can be sent to. Flows of the configuration are checked, not yet kept.
    pub(super) fn flow_engine(
        &self,
        store: &Arc<dyn Store>,
        catalogues: Catalogues,
        clock: Arc<dyn Clock>,
    ) -> Arc<FlowEngine> {
        FlowEngine::new(Arc::clone(store), catalogues, self.flow_options(), clock)
    }

    /// What flows can send to, of each tenant.
    pub(super) fn catalogues(
        &self,
        connections: &[Arc<ConnectionRuntime>],
        receivers: Vec<Receiver>,
        off: &[Unloaded],
        links: Option<&Arc<Links>>,
    ) -> Catalogues {
        let mut catalogues: Catalogues =
            self.tenants().into_iter().map(|tenant| (tenant, Catalogue::default())).collect();
        let sources = sources(&self.config, &Writers::of(&self.config, connections));
        let tells: BTreeSet<_> = sources.vendors.iter().chain(sources.beside.values().flatten()).collect();
        for runtime in connections {
            if runtime.source().manifest().actions.is_empty() {
                continue;
            }
            let Some(connection) = self.config.connections.get(runtime.name()) else { continue };
            let mut place = DestinationEntry::new(Arc::new(PluginDestination(Arc::clone(runtime))));
            place.scoring = connection.scoring;
            // Read when the file was: each of them leads to a field. One that did not would hold back everything.
            let withhold = Fields::parse(connection.withhold.iter().map(String::as_str));
            place.withhold = withhold.unwrap_or_else(|_| Fields::everything());
            place.is_source = tells.contains(runtime.name());
            place.parallel_max = connection.limits.parallel_max;
            place.push_timeout = connection.limits.wall_clock + BEYOND;
            catalogues.entry(runtime.tenant().clone()).or_default().add(runtime.name().clone(), place);
        }
        for receiver in receivers {
            catalogues.entry(receiver.tenant).or_default().add(receiver.name, receiver.entry);
        }
        for one in off {
            catalogues.entry(one.tenant.clone()).or_default().add_off(one.name.clone(), one.reason.clone());
        }
        for (catalogue, links) in catalogues.values_mut().filter_map(|catalogue| Some((catalogue, links?))) {
            catalogue.add_links(Arc::clone(links) as Arc<dyn DecisionLinks>);
        }
        catalogues
    }

    fn flow_options(&self) -> FlowOptions {
        let outbox = &self.config.outbox;
        FlowOptions {
            expression: ExpressionLimits {
                steps_max: u64::from(outbox.expression_steps_max),
                time_max: outbox.expression_time_max,
            },
            input_bytes_max: outbox.input_bytes_max as usize,
            hops_max: outbox.hops_max,
            echo_window: outbox.echo_window,
            repeats_max: outbox.repeats_max,
            repeats_window: outbox.repeats_window,
            keep: outbox.keep,
            ..FlowOptions::default()
        }
    }

    /// Everybody who has a connection or a flow.
    pub(crate) fn tenants(&self) -> BTreeSet<TenantId> {
        let connections = self.config.connections.values().map(|connection| &connection.tenant);
        let flows = self.config.flows.values().map(|flow| &flow.tenant);
        let endpoints = self.config.endpoints.values().map(|endpoint| &endpoint.tenant);
        connections.chain(flows).chain(endpoints).chain([&self.config.gateway.tenant]).cloned().collect()
    }

    /// Refuses a flow that cannot run, with its line.
    pub(super) fn check_flows(&self, flows: &FlowEngine) -> anyhow::Result<()> {
        for flow in self.config.flows.values() {
            if let Err(FlowError::Defects(defects)) = flows.check_configured(&flow.tenant, &flow.definition) {
                let problems: Vec<LateProblem> = defects.into_iter().map(problem).collect();
                return Err(flow.refuse(&self.config.path, &problems).into());
            }
        }
        self.check_endpoint_flows(flows)
    }

    /// Keeps the flows of the configuration: from here on they run.
    pub(crate) async fn register_flows(&self, flows: &FlowEngine) -> anyhow::Result<()> {
        for tenant in self.tenants() {
            let own = self.config.flows.iter().filter(|(_, flow)| flow.tenant == tenant);
            let mut own: BTreeMap<String, Value> =
                own.map(|(name, flow)| (name.clone(), flow.definition.clone())).collect();
            own.extend(self.endpoint_flows(&tenant));
            flows.register(&tenant, &own).await?;
        }
        Ok(())
    }
}

fn problem(defect: Defect) -> LateProblem {
    LateProblem { key: defect.key, at: defect.at, message: defect.message, help: defect.help }
}
