//! What a flow says of its failures: how often and how long a delivery is tried, and who is told when it is given up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_store::outbox::{Claimed, DeliveryRow};

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
    /// What the flow of each delivery says of failures; each flow is read once. The defaults for a flow that is gone or unreadable.
    pub(crate) async fn failure_policies(&self, claimed: &[Claimed]) -> Vec<Arc<FlowPolicy>> {
        let mut known: BTreeMap<&str, Arc<FlowPolicy>> = BTreeMap::new();
        let mut policies = Vec::with_capacity(claimed.len());
        for delivery in claimed.iter().map(|claimed| &claimed.delivery) {
            let policy = match (ByHand::of(delivery), known.get(delivery.flow.as_str())) {
                (Some(by_hand), _) => Arc::new(by_hand.definition().map(|said| policy(&said)).unwrap_or_default()),
                (None, Some(policy)) => Arc::clone(policy),
                (None, None) => {
                    let policy = Arc::new(self.flow_policy(delivery).await);
                    known.insert(&delivery.flow, Arc::clone(&policy));
                    policy
                }
            };
            policies.push(policy);
        }
        policies
    }

    async fn flow_policy(&self, delivery: &DeliveryRow) -> FlowPolicy {
        let DeliveryRow { tenant, flow, .. } = delivery;
        let Ok(Some(row)) = self.store.flow(tenant, flow).await else { return FlowPolicy::default() };
        self.definitions.of_row(&row, &self.catalogue(tenant)).map(|said| policy(&said)).unwrap_or_default()
    }
}

fn policy(definition: &Definition) -> FlowPolicy {
    FlowPolicy {
        attempt: AttemptPolicy { retries: definition.retries.clone(), patience: definition.patience },
        on_failure: definition.on_failure.clone(),
    }
}
