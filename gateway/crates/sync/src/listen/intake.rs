//! From a held connection into the one door for deliveries.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_egress::EventVerdict;
use renmen_plugin_host::Delivery;

use super::Taker;
use crate::{ConnectionRuntime, Deliveries, IntakeError, Sender};

/// The one door for deliveries, for a connection that is held open.
pub(crate) struct HeldIntake {
    pub(crate) deliveries: Deliveries,
    pub(crate) connection: Arc<ConnectionRuntime>,
}

#[async_trait]
impl Taker for HeldIntake {
    async fn take(&self, delivery: Delivery) -> (EventVerdict, Vec<u8>) {
        let name = self.connection.name();
        match self.deliveries.take_in(self.connection.tenant(), name, Sender::Held, delivery).await {
            Ok(taken) if taken.answer.status < 400 => (EventVerdict::Taken, taken.answer.body.to_vec()),
            Ok(taken) => {
                tracing::warn!(connection = %name, status = taken.answer.status, "The connector does not use an event");
                (EventVerdict::Refused, Vec::new())
            }
            // The same bytes again would end no other way.
            Err(
                error @ (IntakeError::Unreadable(_)
                | IntakeError::Unusable(_)
                | IntakeError::TooLarge { .. }
                | IntakeError::Forged(_)),
            ) => {
                tracing::warn!(connection = %name, %error, "Failed to process an event");
                (EventVerdict::Refused, Vec::new())
            }
            Err(error) => {
                tracing::warn!(connection = %name, %error, "Failed to store an event: the vendor is asked to send it again");
                (EventVerdict::Later, Vec::new())
            }
        }
    }
}
