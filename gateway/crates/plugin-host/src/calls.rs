//! What can be asked of a loaded plugin: one function for each export.

use renmen_egress::Proved;

use renmen_schema::FailureKind;

use crate::action::{Action, Receipt};
use crate::bindings::exports::renmen::connector::{sink, source};
use crate::call::{Call, Pull};
use crate::delivery::{Delivery, Door, ReceivedDelivery};
use crate::export::{ProbeExport, PullExport, PushExport, ReceiveExport};
use crate::failure::CallError;
use crate::invoke::invoke;
use crate::page::{Finding, Page};
use crate::plugin::Plugin;
use crate::proof;
use crate::usage::Usage;

impl Plugin {
    /// Pulls one page.
    ///
    /// Needs a tokio runtime with a timer; the guest itself runs on the host's own threads. Dropping the future stops the guest
    /// where it is, at its next tick at the latest.
    ///
    /// # Errors
    /// The connector's own failure, the budget that ended the call, or the crash.
    pub async fn pull(&self, call: Call, pull: Pull) -> Result<Page, CallError> {
        let Some(indices) = self.source.clone() else {
            return Err(self.cannot("source", "its manifest names no stream"));
        };
        let request = source::PullRequest {
            config: call.config.to_vec(),
            stream: pull.stream.as_str().to_owned(),
            cursor: pull.cursor,
            only: pull.only,
            max_records: call.limits.page_records_max,
        };
        invoke(self, call, PullExport { indices, request }).await
    }

    /// Does one action.
    ///
    /// # Errors
    /// As [`Plugin::pull`]. Whether the vendor had done the action before the call ended is not known then: push it again
    /// with the same key.
    pub async fn push(&self, call: Call, action: Action) -> Result<Receipt, CallError> {
        let Some(indices) = self.sink.clone() else {
            return Err(self.cannot("sink", "its manifest names no action"));
        };
        let action = sink::Action {
            config: call.config.to_vec(),
            name: action.name,
            idempotency_key: action.idempotency_key,
            attempt: action.attempt,
            input: action.input,
        };
        invoke(self, call, PushExport { indices, action }).await
    }

    /// Hands over what the vendor sent of its own accord. Where the manifest has a `[webhook.proof]`, the host proves and opens it
    /// first, and the connector never hears of what is not the vendor's.
    ///
    /// # Errors
    /// As [`Plugin::pull`]. A failure of kind [`FailureKind::AuthRequired`] means that the delivery is not the vendor's:
    /// nothing of it may be kept.
    pub async fn receive(&self, call: Call, delivery: Delivery) -> Result<ReceivedDelivery, CallError> {
        let Some(indices) = self.webhook.clone() else {
            return Err(self.cannot("webhook", "its manifest has no [webhook]"));
        };
        let opened = match proof::prove(self, &call, &delivery).await? {
            Proved::Delivery { opened } => opened,
            Proved::Question { answer } => return Ok(proof::answered(answer)),
        };
        let sealing = opened.as_ref().and(self.manifest.webhook.clone());
        let by_manifest = self.manifest.webhook.as_ref().is_some_and(|webhook| webhook.proof.is_some());
        let proved = by_manifest || delivery.door == Door::Held;
        let delivery = delivery.into_wit(&call.config, opened);
        let made = invoke(self, call, ReceiveExport { indices, delivery, sealing }).await;
        made.map_err(|error| if proved { error.of_proved() } else { error })
    }

    /// Asks the connector whether its connection works; empty where it has no `probe`.
    ///
    /// # Errors
    /// As [`Plugin::pull`].
    pub async fn probe(&self, call: Call) -> Result<Vec<Finding>, CallError> {
        let Some(indices) = self.probe.clone() else {
            return Ok(Vec::new());
        };
        let config = call.config.to_vec();
        invoke(self, call, ProbeExport { indices, config }).await.map(|(findings, _usage)| findings)
    }

    fn cannot(&self, export: &str, because: &str) -> CallError {
        CallError::Failure {
            kind: FailureKind::InvalidInput,
            code: Some("not_exported".to_owned()),
            message: format!("{} has no `{export}`: {because}", self.name),
            retry_after_ms: None,
            proved: false,
            usage: Usage::default(),
        }
    }
}
