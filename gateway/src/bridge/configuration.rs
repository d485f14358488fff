//! The configuration in use, as the API asks about it.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{ChangedNames, Configuration, ConfigurationState, Reloaded, Roles};
use renmen_schema::Text;
use renmen_schema::id::TenantId;

use crate::deployment::{Difference, Names, Running};

/// The running gateway as the API sees its configuration.
pub(crate) struct ConfigurationBridge {
    running: Arc<Running>,
    roles: Roles,
}

impl ConfigurationBridge {
    pub(crate) fn new(running: Arc<Running>, roles: Roles) -> Self {
        Self { running, roles }
    }
}

#[async_trait]
impl Configuration for ConfigurationBridge {
    fn is_operators(&self, tenant: &TenantId) -> bool {
        self.running.is_operators(tenant)
    }

    async fn reload(&self) -> Result<Reloaded, Text> {
        let running = Arc::clone(&self.running);
        // In a task of its own, so that a client that goes away does not leave a reload half done.
        let ended = tokio::spawn(async move { running.reload().await }).await;
        let told = |error: &anyhow::Error| Text::rendered(|| format!("{error:#}"));
        match ended {
            Ok(Ok(difference)) => Ok(reloaded(difference)),
            Ok(Err(error)) => Err(told(&error)),
            Err(error) => Err(Text::verbatim(error.to_string())),
        }
    }

    fn state(&self) -> ConfigurationState {
        let crate::deployment::ConfigurationState {
            loaded_at_ms,
            differs_since_ms,
            refused,
            needs_restart,
            secrets_loaded_at_ms,
            secrets_refused,
        } = self.running.configuration_state();
        ConfigurationState {
            loaded_at_ms,
            differs_since_ms,
            refused,
            needs_restart,
            secrets_loaded_at_ms,
            secrets_refused,
        }
    }

    fn roles(&self) -> Roles {
        self.roles
    }
}

fn reloaded(difference: Difference) -> Reloaded {
    let Difference { connections, channels, endpoints, flows, needs_restart } = difference;
    let names = |Names { added, changed, removed }: Names| ChangedNames { added, changed, removed };
    Reloaded {
        connections: names(connections),
        channels: names(channels),
        endpoints: names(endpoints),
        flows: names(flows),
        needs_restart,
    }
}
