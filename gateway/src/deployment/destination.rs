//! A connection as a place where flows send to: its plugin's `sink`, as it is loaded at that moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_egress::{GATEWAY_MEMORY, NoTape};
use renmen_flow::{ActionInfo, Destination, Failure, Identity, Push, Receipt};
use renmen_plugin_host::{Action, CallError};
use renmen_schema::FailureKind;
use renmen_schema::manifest::Idempotence;
use renmen_sync::{ConnectionRuntime, Reading};

/// One connection whose plugin has actions.
pub(super) struct PluginDestination(pub(super) Arc<ConnectionRuntime>);

#[async_trait]
impl Destination for PluginDestination {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let source = self.0.source();
        let known = |(name, action): (&String, &renmen_schema::manifest::ActionManifest)| {
            let info = ActionInfo {
                description: action.description.clone(),
                input_schema: action.input.clone(),
                identity: match action.idempotent {
                    Idempotence::Key => Identity::Key,
                    Idempotence::ReadBeforeWrite => Identity::ReadBeforeWrite,
                    Idempotence::None => Identity::None,
                },
                confirm: action.confirm.clone(),
            };
            (name.clone(), info)
        };
        source.manifest().actions.iter().map(known).collect()
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        let source = self.0.source();
        let Some(pusher) = source.pusher() else {
            return Err(Failure::new(FailureKind::BadConfig, "the plugin has no actions any more: load one that has"));
        };
        let action = Action {
            name: push.action,
            idempotency_key: push.idempotency_key,
            attempt: push.attempt,
            input: push.input.to_vec(),
        };
        let reading = Reading { tape: Arc::new(NoTape), clock_ms: push.now_ms };
        let receipt = pusher.push(reading, action).await.map_err(failure)?;
        Ok(Receipt { reference: receipt.reference, detail: receipt.detail, confirmed: receipt.confirmed })
    }
}

fn failure(error: CallError) -> Failure {
    match error {
        // The action was done, and the same attempt would be done again and told in the same words.
        CallError::Failure { code: Some(code), message, .. } if code == "carries_secret" => Failure {
            code: Some(code),
            ..Failure::new(
                FailureKind::InvalidInput,
                format!("{message}; the action itself may have been done: look at the vendor, and at the connector"),
            )
        },
        CallError::Failure { kind, code, message, retry_after_ms, .. } => {
            Failure { kind, code, message, retry_after_ms }
        }
        CallError::Budget { budget: "wall_clock", message, .. } => {
            Failure::new(FailureKind::UpstreamUnavailable, format!("limit wall_clock: {message}"))
        }
        CallError::Budget { budget: GATEWAY_MEMORY, message, .. } => {
            Failure::new(FailureKind::UpstreamUnavailable, format!("limit {GATEWAY_MEMORY}: {message}"))
        }
        CallError::Budget { budget, message, .. } => Failure::new(
            FailureKind::Internal,
            format!("limit {budget}: {message}; raise it under the connection's [limits] if the connector is right"),
        ),
        CallError::Crashed { message, .. } => {
            Failure::new(FailureKind::Internal, format!("the connector crashed: {message}"))
        }
    }
}
