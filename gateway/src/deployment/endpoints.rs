//! Endpoints that are made while the gateway runs, and the flows that feed all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use renmen_api::EndpointDefinition;
use renmen_config::{Endpoint as Planned, Grant, Limits, Slot, SlotSource};
use renmen_flow::endpoint::{Endpoint, SEND};
use renmen_flow::{Definition, Destination, FlowEngine, FlowError, Place};
use renmen_schema::EntityKind;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use serde_json::{Value, json};
use url::Url;

use super::endpoint_secret::KeptEndpoint;
use super::receivers::{Receiver, endpoint_switch};
use super::{Deployment, Running, now_ms};
use crate::exit::Usage;

/// What can happen to a record.
const CHANGES: [&str; 3] = ["created", "updated", "deleted"];

/// The endpoints in use, so that one can be given another URL or secret in its place.
pub(super) type Live = BTreeMap<(TenantId, ConnectionName), Arc<Endpoint>>;

/// The flows that feed an endpoint, by name: one for each entity, so that each has its own fields.
pub(super) fn flows_of(name: &ConnectionName, endpoint: &Planned) -> BTreeMap<String, Value> {
    let flow = |entity: &String| {
        let fields = endpoint.fields.get(entity).cloned().unwrap_or_default();
        let definition = json!({
            "enabled": endpoint.enabled,
            "when": { "entity": entity, "change": endpoint.changes },
            "fields": fields,
            "map": "record",
            "to": { "connection": name.as_str(), "action": SEND },
        });
        (format!("{}{entity}", flow_prefix(name)), definition)
    };
    endpoint.entities.iter().map(flow).collect()
}

/// What the names of an endpoint's flows begin with.
fn flow_prefix(name: &ConnectionName) -> String {
    // No flow of the file or the API can have this name.
    format!("events:{name}:")
}

/// The endpoints among the receivers.
pub(super) fn live(receivers: &[Receiver]) -> Live {
    let endpoint =
        |receiver: &Receiver| Some(((receiver.tenant.clone(), receiver.name.clone()), receiver.endpoint.clone()?));
    receivers.iter().filter_map(endpoint).collect()
}

impl Deployment {
    /// The flows that feed the endpoints of the configuration of one tenant.
    pub(super) fn endpoint_flows(&self, tenant: &TenantId) -> BTreeMap<String, Value> {
        let own = self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.tenant == *tenant && endpoint.enabled);
        own.flat_map(|(name, endpoint)| flows_of(name, endpoint)).collect()
    }

    /// Refuses an endpoint whose fields are not those of its entities.
    pub(super) fn check_endpoint_flows(&self, flows: &FlowEngine) -> anyhow::Result<()> {
        for (name, endpoint) in self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.enabled) {
            for source in flows_of(name, endpoint).values() {
                if let Err(error) = flows.check_configured(&endpoint.tenant, source) {
                    let path = self.config.path.display();
                    return Err(Usage(format!("{path}: endpoint `{name}`: {error}")).into());
                }
            }
        }
        Ok(())
    }

    /// Refuses an endpoint of the API that cannot be, as far as its name and its definition tell. Names of other tenants are no
    /// hindrance, so that nothing is learnt of them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: &EndpointDefinition,
    ) -> Result<(), Usage> {
        let config = &self.config;
        let connection = config.connections.get(name).map(|connection| &connection.tenant);
        let channel = config.channels.get(name).map(|channel| &channel.tenant);
        if connection == Some(tenant) || channel == Some(tenant) {
            return Err(Usage(format!("`{name}` is a connection or a channel: take another name")));
        }
        if config.endpoints.get(name).is_some_and(|endpoint| endpoint.tenant == *tenant) {
            return Err(Usage(format!("endpoint `{name}` is of the configuration: change it there")));
        }
        plan(tenant, definition, &config.limits).map(drop).map_err(Usage)
    }

    /// An endpoint that was made over the API, checked as one of the file is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn plan_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        kept: &KeptEndpoint,
    ) -> anyhow::Result<Planned> {
        self.check_endpoint(tenant, name, &kept.definition)?;
        let mut planned = plan(tenant, &kept.definition, &self.config.limits).map_err(Usage)?;
        let slot = |(slot, vault): (SlotName, &str)| {
            (slot, Slot { source: SlotSource::Vault(vault.to_owned()), to: None, public: Vec::new() })
        };
        planned.slots = kept.signing.slots().map(slot).collect();
        planned.previous_until_ms = kept.signing.previous_until_ms();
        Ok(planned)
    }
}

fn plan(tenant: &TenantId, definition: &EndpointDefinition, limits: &Limits) -> Result<Planned, String> {
    let url = Url::parse(&definition.url).map_err(|_| "`url` is no URL".to_owned())?;
    if url.scheme() != "https" || url.host_str().is_none() {
        return Err("`url` must begin with https://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`url` has a user or a password in it: take them out".into());
    }
    let unknown = |entity: &&String| EntityKind::from_name(entity).is_none();
    if let Some(entity) = definition.entities.iter().find(unknown) {
        let shown: String = entity.chars().take(80).collect();
        return Err(format!("`entities` names `{shown}`, which is no entity; `/v1/schema` lists them"));
    }
    if definition.entities.is_empty() {
        return Err("`entities` names nothing".into());
    }
    if definition.changes.iter().any(|change| !CHANGES.contains(&change.as_str())) {
        return Err("`changes` may name created, updated and deleted".into());
    }
    if definition.fields.keys().any(|entity| !definition.entities.contains(entity)) {
        return Err("`fields` names an entity that is not among `entities`".into());
    }
    let all: BTreeSet<String> = CHANGES.map(str::to_owned).into();
    Ok(Planned {
        url: definition.url.clone(),
        tenant: tenant.clone(),
        enabled: definition.enabled,
        entities: definition.entities.clone(),
        changes: if definition.changes.is_empty() { all } else { definition.changes.clone() },
        fields: definition.fields.clone(),
        previous_until_ms: None,
        grant: Grant::default(),
        slots: BTreeMap::new(),
        limits: limits.clone(),
    })
}

impl Running {
    /// Puts the endpoints of the API into use, as they are kept. One that cannot be is told of and passed over: its events wait.
    pub(crate) async fn load_endpoints(&self) -> anyhow::Result<()> {
        for row in self.store.endpoints().await? {
            let Some(definition) = &row.definition else { continue };
            let loaded = async {
                let kept = KeptEndpoint::read(definition)?;
                let planned = self.deployment.plan_endpoint(&row.tenant, &row.name, &kept)?;
                self.use_endpoint(&row.name, &planned)
            };
            if let Err(error) = loaded.await {
                tracing::error!(tenant = %row.tenant, endpoint = %row.name, %error, "An endpoint cannot be used");
            }
        }
        Ok(())
    }

    /// Makes an endpoint of the API, or gives it another definition.
    pub(crate) async fn put_endpoint(
        &self,
        name: &ConnectionName,
        planned: &Planned,
        kept: &KeptEndpoint,
    ) -> anyhow::Result<()> {
        let tenant = &planned.tenant;
        let flows = flows_of(name, planned);
        // Before anything is changed.
        for source in flows.values() {
            Definition::read(source).map_err(FlowError::Defects)?;
        }
        self.use_endpoint(name, planned)?;
        for (flow, source) in &flows {
            self.flows.put(tenant, flow, source).await?;
        }
        for flow in self.flows_feeding(tenant, name).await?.iter().filter(|flow| !flows.contains_key(*flow)) {
            self.flows.remove(tenant, flow).await?;
        }
        self.store.put_endpoint(tenant, name, serde_json::to_string(kept)?, now_ms()).await?;
        Ok(self.store.switch_endpoint(tenant, name, None, now_ms()).await?)
    }

    /// Gives an endpoint of the API other secrets. Kept before they sign: what signed is never unknown after a restart.
    pub(crate) async fn sign_endpoint(
        &self,
        name: &ConnectionName,
        planned: &Planned,
        kept: &KeptEndpoint,
    ) -> anyhow::Result<()> {
        let vault = self.deployment.vault()?;
        self.deployment.endpoint_way(&self.egress, vault.as_ref(), name, planned)?;
        self.store.put_endpoint(&planned.tenant, name, serde_json::to_string(kept)?, now_ms()).await?;
        self.use_endpoint(name, planned)
    }

    /// Ends an endpoint of the API. Its deliveries are withheld with its flows.
    pub(crate) async fn remove_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> anyhow::Result<()> {
        for flow in self.flows_feeding(tenant, name).await? {
            self.flows.remove(tenant, &flow).await?;
        }
        self.store.drop_endpoint(tenant, name).await?;
        Ok(())
    }

    async fn flows_feeding(&self, tenant: &TenantId, name: &ConnectionName) -> anyhow::Result<Vec<String>> {
        let prefix = flow_prefix(name);
        let feeds = |flow: &renmen_flow::FlowView| {
            flow.row.name.strip_prefix(&prefix).is_some_and(|entity| EntityKind::from_name(entity).is_some())
        };
        let all = self.flows.flows(tenant).await?;
        Ok(all.into_iter().filter(feeds).map(|flow| flow.row.name).collect())
    }

    fn use_endpoint(&self, name: &ConnectionName, planned: &Planned) -> anyhow::Result<()> {
        let vault = self.deployment.vault()?;
        let (connection, options) = self.deployment.endpoint_way(&self.egress, vault.as_ref(), name, planned)?;
        let key = (planned.tenant.clone(), name.clone());
        let mut live = self.endpoints.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = live.get(&key) {
            return known.replace(connection, options).context("the endpoint's secret");
        }
        let switch = endpoint_switch(&self.store, name, planned);
        let endpoint = Arc::new(Endpoint::new(connection, switch, options)?);
        let receiver =
            Receiver::new(&planned.tenant, name, Arc::clone(&endpoint) as Arc<dyn Destination>, &planned.limits);
        let mut catalogue = (*self.flows.catalogue(&planned.tenant)).clone();
        catalogue.add(name.clone(), receiver.place());
        self.flows.replace_catalogue(planned.tenant.clone(), catalogue);
        live.insert(key, endpoint);
        Ok(())
    }
}

impl Receiver {
    /// The receiver as flows see it.
    pub(super) fn place(&self) -> Place {
        let mut place = Place::new(Arc::clone(&self.destination));
        place.parallel_max = self.parallel_max;
        place.push_timeout = self.push_timeout;
        place
    }
}
