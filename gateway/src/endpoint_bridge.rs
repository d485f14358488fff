//! What the API asks of the endpoints: the bridge between two crates that do not know each other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_api::{
    ControlError, EndpointControl, EndpointDefinition, EndpointInfo, EndpointOffInfo, EndpointWithSecret, NewSecret,
};
use renmen_config::Endpoint as Planned;
use renmen_flow::FlowError;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{DeliveryQuery, DeliveryState};
use renmen_store::{EndpointOff, StoreError};
use tokio::sync::Mutex;

use crate::deployment::{KeptEndpoint, Running, now_ms};
use crate::exit::Usage;

/// Dead deliveries that are looked at in one go.
const LOOK_MAX: u32 = 500;

/// The endpoints of the running gateway as the API sees them.
pub(crate) struct EndpointBridge {
    running: Arc<Running>,
    /// One change of an endpoint after the other: flows, store and what is in use go together.
    turn: Mutex<()>,
}

impl EndpointBridge {
    pub(crate) fn new(running: Arc<Running>) -> Self {
        Self { running, turn: Mutex::default() }
    }

    async fn one(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        let all = self.endpoints(tenant).await?;
        all.into_iter().find(|one| one.name == name.as_str()).ok_or_else(|| ControlError::NotFound(name.to_string()))
    }

    /// An endpoint that was made here; none when there is none, or none that can be read.
    async fn kept(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<KeptEndpoint>, ControlError> {
        let row = self.running.store.endpoint(tenant, name).await.map_err(|error| store(&error))?;
        Ok(row.and_then(|row| KeptEndpoint::read(&row.definition?).ok()))
    }
}

#[async_trait]
impl EndpointControl for EndpointBridge {
    async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError> {
        let deployment = &self.running.deployment;
        let rows = self.running.store.endpoints().await.map_err(|error| store(&error))?;
        let rows: Vec<_> = rows.into_iter().filter(|row| row.tenant == *tenant).collect();
        let off = |name: &ConnectionName| rows.iter().find(|row| row.name == *name).and_then(|row| row.off.as_ref());
        let file = deployment.config.endpoints.iter().filter(|(_, endpoint)| endpoint.tenant == *tenant);
        let mut all: Vec<EndpointInfo> = file.map(|(name, endpoint)| info(name, endpoint, true, off(name))).collect();
        for row in &rows {
            let Some(Ok(kept)) = row.definition.as_deref().map(KeptEndpoint::read) else { continue };
            if let Ok(planned) = deployment.plan_endpoint(tenant, &row.name, &kept) {
                all.push(info(&row.name, &planned, false, row.off.as_ref()));
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError> {
        let _turn = self.turn.lock().await;
        let deployment = &self.running.deployment;
        deployment.check_endpoint(tenant, name, &definition).map_err(|error| refused(error.into()))?;
        let (signing, made) = match self.kept(tenant, name).await? {
            Some(kept) => (kept.signing, None),
            None => {
                let (signing, secret) = deployment.make_signing_secret(tenant, name).map_err(refused)?;
                (signing, Some(secret))
            }
        };
        let kept = KeptEndpoint { definition, signing };
        let put = async {
            let planned = deployment.plan_endpoint(tenant, name, &kept)?;
            self.running.put_endpoint(name, &planned, &kept).await
        };
        if let Err(error) = put.await {
            if made.is_some() {
                deployment.forget_signing_secrets(tenant, &kept.signing.names());
            }
            return Err(refused(error));
        }
        let secret = made.map(|secret| NewSecret::new(secret.expose().to_owned()));
        Ok(EndpointWithSecret { endpoint: self.one(tenant, name).await?, secret })
    }

    async fn rotate_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError> {
        let _turn = self.turn.lock().await;
        if self.one(tenant, name).await?.from_file {
            return Err(ControlError::Refused(format!(
                "endpoint `{name}` is of the configuration: change its slots there"
            )));
        }
        let before = self.kept(tenant, name).await?.ok_or_else(|| ControlError::NotFound(name.to_string()))?;
        let deployment = &self.running.deployment;
        let (made, secret) = deployment.make_signing_secret(tenant, name).map_err(refused)?;
        let (fresh, now_ms) = (made.names(), now_ms());
        let until_ms = now_ms.saturating_add(i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX));
        let (signing, unused) = made.after(before.signing, until_ms, now_ms);
        let kept = KeptEndpoint { definition: before.definition, signing };
        let sign = async {
            let planned = deployment.plan_endpoint(tenant, name, &kept)?;
            self.running.sign_endpoint(name, &planned, &kept).await
        };
        if let Err(error) = sign.await {
            deployment.forget_signing_secrets(tenant, &fresh);
            return Err(refused(error));
        }
        deployment.forget_signing_secrets(tenant, &unused);
        let secret = Some(NewSecret::new(secret.expose().to_owned()));
        Ok(EndpointWithSecret { endpoint: self.one(tenant, name).await?, secret })
    }

    async fn remove_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError> {
        let _turn = self.turn.lock().await;
        if self.one(tenant, name).await?.from_file {
            return Err(ControlError::Refused(format!("endpoint `{name}` is of the configuration: take it out there")));
        }
        let kept = self.kept(tenant, name).await?;
        self.running.remove_endpoint(tenant, name).await.map_err(refused)?;
        if let Some(kept) = kept {
            self.running.deployment.forget_signing_secrets(tenant, &kept.signing.names());
        }
        Ok(())
    }

    async fn enable_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        self.one(tenant, name).await?;
        let on = self.running.store.switch_endpoint(tenant, name, None, now_ms()).await;
        on.map_err(|error| store(&error))?;
        self.one(tenant, name).await
    }

    async fn replay_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        since_ms: i64,
    ) -> Result<u64, ControlError> {
        self.one(tenant, name).await?;
        let mut query = DeliveryQuery {
            state: Some(DeliveryState::Dead),
            connection: Some(name.clone()),
            limit: LOOK_MAX,
            ..DeliveryQuery::default()
        };
        // All are found before one is sent again: what is replayed may be dead again by then. Oldest first, as they were made.
        let mut found = Vec::new();
        loop {
            let rows = self.running.store.deliveries(tenant, &query).await.map_err(|error| store(&error))?;
            query.before = rows.last().map(|row| row.id);
            let whole = rows.len() < LOOK_MAX as usize;
            found.extend(rows.into_iter().filter(|row| row.updated_at_ms >= since_ms).map(|row| row.id));
            if whole {
                break;
            }
        }
        let mut replayed = 0;
        for id in found.into_iter().rev() {
            match self.running.flows.replay(tenant, id).await {
                Ok(_) => replayed += 1,
                // Somebody else was faster.
                Err(FlowError::Refused(_) | FlowError::NotFound(_)) => {}
                Err(error) => return Err(refused(error.into())),
            }
        }
        Ok(replayed)
    }
}

fn info(name: &ConnectionName, endpoint: &Planned, from_file: bool, off: Option<&EndpointOff>) -> EndpointInfo {
    let off = off.filter(|off| off.url == endpoint.url);
    EndpointInfo {
        name: name.to_string(),
        from_file,
        url: endpoint.url.clone(),
        enabled: endpoint.enabled,
        entities: endpoint.entities.clone(),
        changes: endpoint.changes.clone(),
        fields: endpoint.fields.clone(),
        previous_until_ms: endpoint.previous_until_ms,
        off: off.map(|off| EndpointOffInfo { reason: off.reason.clone(), since_ms: off.since_ms }),
    }
}

fn store(error: &StoreError) -> ControlError {
    match error {
        StoreError::Unavailable(why) | StoreError::Busy(why) => ControlError::Unavailable(why.clone()),
        other => ControlError::Failed(other.to_string()),
    }
}

fn is_caused_by<E: std::error::Error + 'static>(error: &anyhow::Error) -> bool {
    error.chain().any(<dyn std::error::Error>::is::<E>)
}

/// What the caller can mend is told; anything else is a fault.
#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn refused(error: anyhow::Error) -> ControlError {
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return store(error);
    }
    if let Some(FlowError::Store(error)) = error.downcast_ref::<FlowError>() {
        return store(error);
    }
    // It names files of the gateway's: for its operator, who finds it in the log.
    if is_caused_by::<renmen_vault::VaultError>(&error) {
        return ControlError::Unavailable(format!("{error:#}"));
    }
    let told = error.downcast_ref::<Usage>().is_some()
        || error.downcast_ref::<FlowError>().is_some()
        || is_caused_by::<renmen_egress::EgressError>(&error);
    if told { ControlError::Refused(format!("{error:#}")) } else { ControlError::Failed(format!("{error:#}")) }
}
