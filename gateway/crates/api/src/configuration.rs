//! What the API asks about the configuration in use, and which parts of a gateway this process runs.

use async_trait::async_trait;
use renmen_schema::Text;
use renmen_schema::id::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

/// The configuration in use.
#[async_trait]
pub trait Configuration: Send + Sync {
    /// Is this the tenant of who runs the gateway? The file names every tenant's connections.
    fn is_operators(&self, tenant: &TenantId) -> bool;

    /// Reads the file again and puts it in the place of what is in use. Goes on to its end although the asker goes away.
    ///
    /// # Errors
    /// What is wrong with the file, with its lines. What was in use stays.
    async fn reload(&self) -> Result<Reloaded, Text>;

    /// How it stands to its file.
    fn state(&self) -> ConfigurationState;

    /// What this process does.
    fn roles(&self) -> Roles;
}

/// The parts of a gateway that a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Answers clients.
    pub api: bool,
    /// Takes vendors' deliveries in.
    pub hooks: bool,
    /// Pulls streams, reads what deliveries announced, and holds event connections.
    pub pull: bool,
    /// Sends what flows make, and runs the interview loop.
    pub push: bool,
}

impl Roles {
    /// A gateway that does everything.
    pub const ALL: Self = Self { api: true, hooks: true, pull: true, push: true };

    /// Their names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.api, "api"), (self.hooks, "hooks"), (self.pull, "pull"), (self.push, "push")];
        all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
    }
}

/// What a reload changed.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Reloaded {
    /// Connections of the file.
    pub connections: ChangedNames,
    /// Channels of the file.
    pub channels: ChangedNames,
    /// Endpoints of the file.
    pub endpoints: ChangedNames,
    /// Flows of the file.
    pub flows: ChangedNames,
    /// Keys of the file whose new values count from the next start on; until then the former ones do.
    pub needs_restart: Vec<String>,
}

/// Names under one section of the file.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ChangedNames {
    /// Names that were not there before.
    pub added: Vec<String>,
    /// Names that stand for something else now.
    pub changed: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
}

/// How the configuration in use stands to its file.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ConfigurationState {
    /// When the configuration in use was read. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "loaded_at", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub loaded_at_ms: i64,
    /// Since when the file says something else than what is in use; null while it does not. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "differs_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub differs_since_ms: Option<i64>,
    /// Why the last reload was refused, with the lines of the file; null when it was not.
    #[schema(value_type = Option<String>)]
    pub refused: Option<Text>,
    /// Keys of the file whose new values count from the next start on.
    pub needs_restart: Vec<String>,
    /// When secrets of the vault were last taken: at the start, by a reload, or because the vault was changed. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "secrets_loaded_at", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub secrets_loaded_at_ms: i64,
    /// Why the secrets that the vault holds now are not in use, and the former ones are; null when they are.
    #[schema(value_type = Option<String>)]
    pub secrets_refused: Option<Text>,
}

impl ConfigurationState {
    /// Waits for a person.
    pub(crate) fn is_troubled(&self) -> bool {
        self.refused.is_some() || self.secrets_refused.is_some() || !self.needs_restart.is_empty()
    }
}
