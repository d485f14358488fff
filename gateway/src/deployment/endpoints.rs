//! The endpoints of the configuration as the registry and the flows know them, and the registry over the running gateway.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_config::Endpoint as EndpointConfig;
use renmen_flow::{FlowEngine, SystemClock};
use renmen_receiver::endpoint::{
    ConfiguredEndpoint, EndpointDefinition, EndpointError, EndpointNames, EndpointParts, EndpointRegistry,
};
use renmen_schema::id::TenantId;
use renmen_schema::text;
use serde_json::Value;

use super::receivers::receiver_limits;
use super::secrets::open_vault;
use super::{Deployment, Running};
use crate::exit::Usage;

/// What an endpoint of the configuration is told.
fn definition(endpoint: &EndpointConfig) -> EndpointDefinition {
    EndpointDefinition {
        url: endpoint.url(),
        entities: endpoint.entities.clone(),
        changes: endpoint.changes.clone(),
        fields: endpoint.fields.clone(),
        enabled: endpoint.enabled,
    }
}

impl Deployment {
    /// The flows that feed the endpoints of the configuration of one tenant.
    pub(super) fn endpoint_flows(&self, tenant: &TenantId) -> BTreeMap<String, Value> {
        let own = self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.tenant == *tenant && endpoint.enabled);
        own.flat_map(|(name, endpoint)| definition(endpoint).flows(name)).collect()
    }

    /// Refuses an endpoint whose fields are not those of its entities.
    pub(super) fn check_endpoint_flows(&self, flows: &FlowEngine) -> anyhow::Result<()> {
        for (name, endpoint) in self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.enabled) {
            for source in definition(endpoint).flows(name).values() {
                if let Err(error) = flows.check_configured(&endpoint.tenant, source) {
                    let path = self.config.path.display();
                    return Err(
                        Usage(text!("{path}: endpoint `{name}`: {error}", "{path}：端点 `{name}`：{error}")).into()
                    );
                }
            }
        }
        Ok(())
    }
}

impl Deployment {
    /// What the configuration says of endpoints.
    pub(super) fn endpoint_names(&self) -> EndpointNames {
        let config = &self.config;
        let configured = |(name, endpoint): (&_, &EndpointConfig)| {
            let (definition, previous_until_ms) = (definition(endpoint), endpoint.previous_until_ms());
            ((endpoint.tenant.clone(), Clone::clone(name)), ConfiguredEndpoint { definition, previous_until_ms })
        };
        let connections = config.connections.iter().map(|(name, one)| (one.tenant.clone(), name.clone()));
        let channels = config.channels.iter().map(|(name, one)| (one.tenant.clone(), name.clone()));
        EndpointNames {
            configured: config.endpoints.iter().map(configured).collect(),
            taken: connections.chain(channels).collect(),
        }
    }
}

impl Running {
    /// The endpoints over what runs, begun with the first call. None of the API is in use before [`EndpointRegistry::load`].
    pub(crate) fn endpoint_registry(&self) -> &Arc<EndpointRegistry> {
        self.endpoints.get_or_init(|| Arc::new(self.new_endpoint_registry()))
    }

    fn new_endpoint_registry(&self) -> EndpointRegistry {
        let current = self.current();
        let config = &current.deployment.config;
        let vault = (config.vault.clone(), config.gateway.tenant.clone(), config.dev);
        EndpointRegistry::new(EndpointParts {
            store: Arc::clone(&self.store),
            flows: Arc::clone(&self.flows),
            egress: Arc::clone(&self.egress),
            clock: Arc::new(SystemClock),
            open_vault: Box::new(move || {
                let opened = open_vault(vault.0.as_ref(), &vault.1, vault.2);
                opened.map_err(|error| EndpointError::VaultUnavailable(format!("{error:#}")))
            }),
            limits: receiver_limits(&config.limits),
            names: current.deployment.endpoint_names(),
        })
    }
}
