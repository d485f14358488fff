//! What a flow says of its failures: how often and how long a delivery is tried, and who is told when it is given up.

use std::time::Duration;

use renmen_store::outbox::DeliveryRow;

use crate::by_hand::ByHand;
use crate::definition::{Definition, Target};
use crate::destination::{Retries, RetrySchedule};
use crate::engine::FlowEngine;

/// What a delivery's flow says of failures; for a flow that is gone or unreadable the defaults.
#[derive(Clone, Default)]
pub(crate) struct FlowPolicy {
    pub(crate) attempt: AttemptPolicy,
    pub(crate) on_failure: Option<Target>,
}

/// How often and how long a delivery is tried.
#[derive(Debug, Clone)]
pub(crate) struct AttemptPolicy {
    pub(crate) retries: Retries,
    pub(crate) patience: Duration,
}

impl Default for AttemptPolicy {
    fn default() -> Self {
        let schedule = RetrySchedule::Backoff { base: Duration::from_secs(5), max: Duration::from_secs(15 * 60) };
        Self { retries: Retries { attempts_max: 20, schedule }, patience: Duration::from_secs(3 * 86_400) }
    }
}

impl FlowEngine {
    /// What a delivery's flow says of failures; the defaults for a flow that is gone or unreadable.
    pub(crate) async fn failure_policy(&self, delivery: &DeliveryRow) -> FlowPolicy {
        let of = |definition: &Definition| FlowPolicy {
            attempt: AttemptPolicy { retries: definition.retries.clone(), patience: definition.patience },
            on_failure: definition.on_failure.clone(),
        };
        if let Some(by_hand) = ByHand::of(delivery) {
            return by_hand.definition().map(|definition| of(&definition)).unwrap_or_default();
        }
        let DeliveryRow { tenant, flow, .. } = delivery;
        let Ok(Some(row)) = self.store.flow(tenant, flow).await else { return FlowPolicy::default() };
        self.definitions.of_row(&row, &self.catalogue(tenant)).map(|definition| of(&definition)).unwrap_or_default()
    }
}
