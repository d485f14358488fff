//! The plugins that a tenant's connections use: which code exactly, what it asks for, and its budgets.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use renmen_schema::Language;
use renmen_schema::manifest::Manifest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::control::{PluginInfo, PluginSigner};
use crate::params::Params;
use crate::problem::Problem;
use crate::shown_json::ShownJson;
use crate::state::AppState;

/// One plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginView {
    /// Name.
    name: String,
    /// Its version.
    version: String,
    /// `sha256:…` of the component.
    digest: String,
    /// Size of the component.
    bytes: u64,
    /// The trusted key that signed it; null when no trusted key did.
    signer: Option<PluginSigner>,
    /// The connections of the tenant that use it.
    connections: Vec<String>,
    /// Budgets of its calls, by name.
    limits: BTreeMap<String, u64>,
    /// Its manifest: streams, actions, hosts, slots (never what is in them), configuration, rate, field lineage.
    #[schema(value_type = Object)]
    manifest: Arc<Manifest>,
}

/// Every plugin that the tenant's connections use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginList {
    /// Each once.
    data: Vec<PluginView>,
}

impl PluginView {
    fn of(info: PluginInfo) -> Self {
        Self {
            name: info.manifest.name.clone(),
            version: info.manifest.version.clone(),
            digest: info.digest,
            bytes: info.bytes,
            signer: info.signer,
            connections: info.connections.iter().map(ToString::to_string).collect(),
            limits: info.limits.into_iter().collect(),
            manifest: info.manifest,
        }
    }
}

/// The plugins that the tenant's connections use.
#[utoipa::path(get, path = "/v1/plugins", tag = "connections", operation_id = "list_plugins", responses((status = 200, body = PluginList)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
) -> Result<ShownJson<PluginList>, Problem> {
    params.end()?;
    let plugins = state.control.plugins(&caller.tenant).await;
    Ok(ShownJson(PluginList { data: plugins.into_iter().map(PluginView::of).collect() }, language))
}
