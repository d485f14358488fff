//! A configuration that answers as told.

use async_trait::async_trait;
use renmen_api::{ChangedNames, Configuration, ConfigurationState, Reloaded, Roles};
use renmen_schema::Text;
use renmen_schema::id::TenantId;

/// Of a gateway that `acme` runs.
pub(crate) struct ScriptedConfiguration {
    pub(crate) reload: Result<Reloaded, Text>,
    pub(crate) state: ConfigurationState,
    pub(crate) roles: Roles,
}

impl Default for ScriptedConfiguration {
    fn default() -> Self {
        let connections = ChangedNames { added: vec!["hr".to_owned()], ..ChangedNames::default() };
        Self {
            reload: Ok(Reloaded { connections, ..Reloaded::default() }),
            state: ConfigurationState::default(),
            roles: Roles::ALL,
        }
    }
}

#[async_trait]
impl Configuration for ScriptedConfiguration {
    fn is_operators(&self, tenant: &TenantId) -> bool {
        tenant.as_str() == "acme"
    }

    async fn reload(&self) -> Result<Reloaded, Text> {
        self.reload.clone()
    }

    fn state(&self) -> ConfigurationState {
        self.state.clone()
    }

    fn roles(&self) -> Roles {
        self.roles
    }
}
