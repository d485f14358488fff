//! What the API asks of the endpoints: the bridge between two crates that do not know each other.

use std::time::Duration;

use async_trait::async_trait;
use renmen_api::{
    ControlError, EndpointControl, EndpointDefinition, EndpointInfo, EndpointOffInfo, EndpointWithSecret, NewSecret,
};
use renmen_receiver::endpoint::{self, EndpointError, EndpointRegistry, EndpointView};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::StoreError;
use renmen_vault::Secret;

/// The endpoints of the running gateway as the API sees them.
pub(crate) struct EndpointBridge(pub(crate) EndpointRegistry);

#[async_trait]
impl EndpointControl for EndpointBridge {
    async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError> {
        Ok(self.0.endpoints(tenant).await.map_err(refused)?.into_iter().map(info).collect())
    }

    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError> {
        let EndpointDefinition { url, entities, changes, fields, enabled } = definition;
        let definition = endpoint::EndpointDefinition { url, entities, changes, fields, enabled };
        let (view, secret) = self.0.put(tenant, name, definition).await.map_err(refused)?;
        Ok(EndpointWithSecret { endpoint: info(view), secret: secret.as_ref().map(shown_once) })
    }

    async fn rotate_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError> {
        let (view, secret) = self.0.rotate(tenant, name, overlap).await.map_err(refused)?;
        Ok(EndpointWithSecret { endpoint: info(view), secret: Some(shown_once(&secret)) })
    }

    async fn remove_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError> {
        self.0.remove(tenant, name).await.map_err(refused)
    }

    async fn enable_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        self.0.enable(tenant, name).await.map(info).map_err(refused)
    }

    async fn replay_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        since_ms: i64,
    ) -> Result<u64, ControlError> {
        self.0.replay(tenant, name, since_ms).await.map_err(refused)
    }
}

fn shown_once(secret: &Secret) -> NewSecret {
    NewSecret::new(secret.expose().to_owned())
}

fn info(view: EndpointView) -> EndpointInfo {
    let endpoint::EndpointDefinition { url, entities, changes, fields, enabled } = view.definition;
    EndpointInfo {
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

fn refused(error: EndpointError) -> ControlError {
    match error {
        EndpointError::NotFound(name) => ControlError::NotFound(name.to_string()),
        EndpointError::Refused { en, .. } => ControlError::Refused(en),
        EndpointError::Store(StoreError::Unavailable(why) | StoreError::Busy(why)) => ControlError::Unavailable(why),
        // They name files of the gateway's: for its operator, who finds them in the log.
        EndpointError::Vault(_) | EndpointError::VaultUnavailable(_) => ControlError::Unavailable(error.to_string()),
        EndpointError::Store(_) | EndpointError::Fault(_) => ControlError::Failed(error.to_string()),
    }
}
