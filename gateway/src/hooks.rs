//! Vendors' deliveries: from the API's door to the engine's.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{HookAnswer, HookDelivery, HookRefusal, Hooks};
use renmen_plugin_host::{Delivery, Door};
use renmen_schema::id::ConnectionName;
use renmen_store::StoreError;
use renmen_sync::{Engine, IntakeError, Sender};

/// The engine as the API's door for deliveries sees it.
pub(crate) struct Intake(pub(crate) Arc<Engine>);

#[async_trait]
impl Hooks for Intake {
    fn body_bytes_max(&self, connection: &ConnectionName) -> Option<usize> {
        self.0.receiving(connection).map(|found| found.hooks().body_bytes_max)
    }

    async fn take_in(&self, connection: &ConnectionName, delivery: HookDelivery) -> Result<HookAnswer, HookRefusal> {
        let found = self.0.receiving(connection).ok_or(HookRefusal::Unknown)?;
        let sender = sender_of(delivery.sender);
        let delivery = Delivery {
            method: delivery.method,
            path_and_query: delivery.path_and_query,
            headers: delivery.headers,
            body: delivery.body,
            received_at_ms: self.0.now_ms(),
            window: found.hooks().window,
            door: Door::Request,
        };
        let taken = self.0.take_in(found.tenant(), connection, sender, delivery).await.map_err(refusal)?;
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
        IntakeError::Late { .. } => HookRefusal::Late,
        IntakeError::Store(StoreError::Unavailable(_) | StoreError::Busy(_)) => HookRefusal::Unavailable,
        error @ (IntakeError::Failed(_) | IntakeError::Store(_)) => HookRefusal::Failed(error.to_string()),
    }
}
