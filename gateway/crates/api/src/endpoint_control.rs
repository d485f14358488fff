//! What the API asks of the endpoints of outgoing events. Owned here; the binary puts them together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::ControlError;

/// The endpoints of the running gateway.
#[async_trait]
pub trait EndpointControl: Send + Sync {
    /// A tenant's endpoints by name.
    ///
    /// # Errors
    /// [`ControlError`].
    async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError>;

    /// Makes an endpoint with a signing secret of its own, or changes one that was made here and leaves its secret as it is. One
    /// that was off is on again.
    ///
    /// # Errors
    /// [`ControlError::Refused`] with what is wrong, or for one of the configuration.
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError>;

    /// Makes a new signing secret for an endpoint that was made here. The one before signs too for the overlap.
    ///
    /// # Errors
    /// [`ControlError::NotFound`]; [`ControlError::Refused`] for one of the configuration.
    async fn rotate_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError>;

    /// Takes one away; what it still has to get is withheld.
    ///
    /// # Errors
    /// [`ControlError::NotFound`]; [`ControlError::Refused`] for one of the configuration.
    async fn remove_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError>;

    /// Switches one on that its receiver had switched off.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    async fn enable_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError>;

    /// Sends every event again that died at or after a time; how many.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    async fn replay_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        since_ms: i64,
    ) -> Result<u64, ControlError>;
}

/// An endpoint as it stands. No secret is in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointInfo {
    /// Name.
    pub name: String,
    /// True: of the configuration, and read-only here.
    pub from_file: bool,
    /// Address that events are sent to.
    pub url: String,
    /// Whether it is enabled in its definition.
    pub enabled: bool,
    /// Entities whose changes are sent.
    pub entities: Vec<String>,
    /// `created`, `updated`, `deleted`.
    pub changes: BTreeSet<String>,
    /// What leaves of each entity's records.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Until when the previous secret signs too. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "previous_until", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub previous_until_ms: Option<i64>,
    /// Why nothing is sent to it by now: its receiver said that it wants no more.
    pub off: Option<EndpointOffInfo>,
}

/// An endpoint, with its signing secret where that was made just now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointInfo,
    /// What signs from now on: `whsec_` and base64. Shown in this answer and never again; absent when no secret was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^whsec_")]
    pub secret: Option<NewSecret>,
}

/// A secret on its way to whom it was made for. Nothing but the answer shows it.
#[derive(Clone, Serialize)]
pub struct NewSecret(String);

impl NewSecret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why an endpoint is off.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointOffInfo {
    /// Explanation for people.
    pub reason: String,
    /// Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
}

/// An endpoint as it is defined over the API. Only public addresses and https: what else it may reach is the
/// configuration's to say.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointDefinition {
    /// Where events go: `https://…`.
    pub url: String,
    /// Entities whose changes are sent, such as `employee`.
    #[schema(min_items = 1)]
    pub entities: Vec<String>,
    /// Which changes; all of `created`, `updated`, `deleted` when it is absent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub changes: BTreeSet<String>,
    /// What may leave of each entity's records, as JSON Pointers. Nothing where it is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Vec<String>>,
    /// False: nothing is sent.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// The endpoints of a gateway that has none.
pub(crate) struct NoEndpoints;

#[async_trait]
impl EndpointControl for NoEndpoints {
    async fn endpoints(&self, _tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError> {
        Ok(Vec::new())
    }
    async fn put_endpoint(
        &self,
        _tenant: &TenantId,
        _name: &ConnectionName,
        _definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError> {
        Err(ControlError::Refused("this gateway sends no events".into()))
    }
    async fn rotate_endpoint(
        &self,
        _tenant: &TenantId,
        name: &ConnectionName,
        _overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError> {
        Err(ControlError::NotFound(name.to_string()))
    }
    async fn remove_endpoint(&self, _tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError> {
        Err(ControlError::NotFound(name.to_string()))
    }
    async fn enable_endpoint(&self, _tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        Err(ControlError::NotFound(name.to_string()))
    }
    async fn replay_endpoint(
        &self,
        _tenant: &TenantId,
        name: &ConnectionName,
        _since_ms: i64,
    ) -> Result<u64, ControlError> {
        Err(ControlError::NotFound(name.to_string()))
    }
}
