//! Vendors' deliveries: from the API's door to the engine's.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{HookAnswer, HookDelivery, HookRefusal, Hooks};
use renmen_config::Connection;
use renmen_egress::Share;
use renmen_plugin_host::{Delivery, Door};
use renmen_schema::id::ConnectionName;
use renmen_store::StoreError;
use renmen_sync::{IntakeError, Sender};

use crate::deployment::Running;

/// The account of deliveries in the memory budget: no connection's name has a blank.
const DELIVERIES: &str = "all deliveries";
/// A delivery as it came, as the connector gets it, and as it is kept.
const COPIES: u64 = 3;

/// The engine as the API's door for deliveries sees it.
pub(crate) struct HooksBridge {
    running: Arc<Running>,
    /// One account for the deliveries to all connections: what outsiders send costs no connection its own memory.
    memory: Share,
}

impl HooksBridge {
    pub(crate) fn new(running: Arc<Running>) -> Self {
        let memory = running.memory.share(&running.current().deployment.config.gateway.tenant, DELIVERIES);
        Self { running, memory }
    }

    /// A connection of the configuration that could not be loaded: its vendor is asked to come again.
    fn off(&self, connection: &ConnectionName) -> Option<Connection> {
        let current = self.running.current();
        let off = current.off.iter().any(|off| off.name == *connection);
        off.then(|| current.deployment.config.connections.get(connection).cloned()).flatten()
    }
}

#[async_trait]
impl Hooks for HooksBridge {
    fn body_bytes_max(&self, connection: &ConnectionName) -> Option<usize> {
        let receiving =
            self.running.engine.deliveries().receiving(connection).map(|found| found.hooks().body_bytes_max);
        receiving.or_else(|| usize::try_from(self.off(connection)?.limits.webhook_bytes_max).ok())
    }

    fn elsewhere(&self, connection: &ConnectionName) -> Option<String> {
        let current = self.running.current();
        let found = current.deployment.config.elsewhere.get(connection)?;
        Some(match &found.public_url {
            Some(url) => format!("{found} ({url})"),
            None => found.to_string(),
        })
    }

    fn reserve(&self, bytes: u64) -> Result<Box<dyn Send>, HookRefusal> {
        match self.memory.try_take(bytes.saturating_mul(COPIES)) {
            Ok(held) => Ok(Box::new(held)),
            Err(_none) => Err(HookRefusal::Unavailable),
        }
    }

    async fn take_in(&self, connection: &ConnectionName, delivery: HookDelivery) -> Result<HookAnswer, HookRefusal> {
        if self.off(connection).is_some() {
            return Err(HookRefusal::Unavailable);
        }
        let engine = &self.running.engine;
        let found = engine.deliveries().receiving(connection).ok_or(HookRefusal::Unknown)?;
        let sender = sender_of(delivery.sender);
        let delivery = Delivery {
            method: delivery.method,
            path_and_query: delivery.path_and_query,
            headers: delivery.headers,
            body: delivery.body,
            received_at_ms: engine.now_ms(),
            window: found.hooks().window,
            door: Door::Request,
        };
        let taken = engine.deliveries().take_in(found.tenant(), connection, sender, delivery).await.map_err(refusal)?;
        Ok(HookAnswer { status: taken.answer.status, headers: taken.answer.headers, body: taken.answer.body })
    }
}

fn sender_of(sender: renmen_api::Sender) -> Sender {
    match sender {
        renmen_api::Sender::Address(address) => Sender::Address(address),
        renmen_api::Sender::Socket(socket) => Sender::Socket(socket),
        renmen_api::Sender::Unknown => Sender::Unknown,
    }
}

fn refusal(error: IntakeError) -> HookRefusal {
    match error {
        IntakeError::Unknown => HookRefusal::Unknown,
        IntakeError::TooLarge { .. } => HookRefusal::TooLarge,
        IntakeError::TooMany | IntakeError::TurnedAway => HookRefusal::TooMany,
        IntakeError::Forged(_) => HookRefusal::Forged,
        IntakeError::Unreadable(_) => HookRefusal::Unreadable,
        IntakeError::Unusable(_) => HookRefusal::Unusable,
        IntakeError::Late { .. } => HookRefusal::Late,
        IntakeError::OutOfMemory(_) => HookRefusal::Unavailable,
        IntakeError::Store(
            StoreError::Unavailable(_) | StoreError::Configuration(_) | StoreError::Busy(_) | StoreError::Quota { .. },
        ) => HookRefusal::Unavailable,
        error @ (IntakeError::Failed(_) | IntakeError::Store(_)) => HookRefusal::Failed(error.to_string()),
    }
}
