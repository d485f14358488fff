//! Endpoints as clients write and read them.

use std::collections::{BTreeMap, BTreeSet};

use renmen_receiver::endpoint::{self, EndpointView, SigningSecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An endpoint as it stands. No secret is in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EndpointInfo {
    /// Name.
    name: String,
    /// True: of the configuration, and read-only here.
    from_file: bool,
    /// Address that events are sent to.
    url: String,
    /// Whether it is enabled in its definition.
    enabled: bool,
    /// Entities whose changes are sent.
    entities: Vec<String>,
    /// `created`, `updated`, `deleted`.
    changes: BTreeSet<String>,
    /// What leaves of each entity's records.
    fields: BTreeMap<String, Vec<String>>,
    /// Until when the previous secret signs too. Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "previous_until", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until_ms: Option<i64>,
    /// Why nothing is sent to it by now: its receiver said that it wants no more.
    off: Option<EndpointOffInfo>,
}

/// Why an endpoint is off.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EndpointOffInfo {
    /// Explanation for people.
    reason: String,
    /// Milliseconds since the epoch; a time in JSON.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    since_ms: i64,
}

/// An endpoint, with its signing secret where that was made just now.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: EndpointInfo,
    /// What signs from now on: `whsec_` and base64. Shown in this answer and never again; absent when no secret was made.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shown_once")]
    #[schema(value_type = Option<String>, pattern = "^whsec_")]
    secret: Option<SigningSecret>,
}

/// An endpoint as it is defined over the API. Only public addresses and https: what else it may reach is the
/// configuration's to say.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointDefinition {
    /// Where events go: `https://…`.
    url: String,
    /// Entities whose changes are sent, such as `employee`.
    #[schema(min_items = 1)]
    entities: Vec<String>,
    /// Which changes; all of `created`, `updated`, `deleted` when it is absent.
    #[serde(default)]
    changes: BTreeSet<String>,
    /// What may leave of each entity's records, as JSON Pointers. Nothing where it is absent.
    #[serde(default)]
    fields: BTreeMap<String, Vec<String>>,
    /// False: nothing is sent.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// The one place where a signing secret leaves the gateway.
fn shown_once<S: serde::Serializer>(secret: &Option<SigningSecret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SigningSecret::expose).serialize(serializer)
}

impl EndpointWithSecret {
    pub(crate) fn of(view: EndpointView, secret: Option<SigningSecret>) -> Self {
        Self { endpoint: view.into(), secret }
    }
}

impl From<EndpointView> for EndpointInfo {
    fn from(view: EndpointView) -> Self {
        let endpoint::EndpointDefinition { url, entities, changes, fields, enabled } = view.definition;
        Self {
            name: view.name.to_string(),
            from_file: view.from_file,
            url,
            enabled,
            entities,
            changes,
            fields,
            previous_until_ms: view.previous_until_ms,
            off: view.off.map(|off| EndpointOffInfo { reason: off.reason, since_ms: off.since_ms }),
        }
    }
}

impl From<EndpointDefinition> for endpoint::EndpointDefinition {
    fn from(definition: EndpointDefinition) -> Self {
        let EndpointDefinition { url, entities, changes, fields, enabled } = definition;
        Self { url, entities, changes, fields, enabled }
    }
}
