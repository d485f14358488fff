//! What another gateway, or a command, changed in the store acts here within a second: endpoints, flows, keys. The store counts the
//! changes; this asks for the counts, and has read again what moved.

use std::sync::Arc;
use std::time::Duration;

use renmen_api::AppState;
use renmen_receiver::endpoint::EndpointError;
use renmen_store::RegistryVersions;

use super::Running;

/// Half of the second that is promised.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Goes on for as long as it is polled.
pub(crate) async fn watch(running: Arc<Running>, api: AppState) {
    // What was there at the start was read then, or is read once more.
    let mut seen = RegistryVersions::default();
    loop {
        match running.store.registry_versions().await {
            Ok(now) => seen = follow(&running, &api, seen, now).await,
            Err(error) => tracing::debug!(%error, "Failed to look for changes of other gateways"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Gives the versions that are in use now: what could not be read is looked at again.
async fn follow(running: &Running, api: &AppState, seen: RegistryVersions, now: RegistryVersions) -> RegistryVersions {
    let mut in_use = now;
    if now.keys != seen.keys {
        api.forget_keys();
    }
    if now.flows != seen.flows {
        running.flows.notice_flows();
    }
    if now.endpoints != seen.endpoints
        && let Err(error) = read_endpoints(running).await
    {
        tracing::warn!(%error, "Failed to read the endpoints that another gateway changed; trying again");
        in_use.endpoints = seen.endpoints;
    }
    in_use
}

async fn read_endpoints(running: &Running) -> Result<(), EndpointError> {
    let Some(registry) = running.endpoints.get() else { return Ok(()) };
    registry.load(&running.current().deployment.tenants()).await
}
