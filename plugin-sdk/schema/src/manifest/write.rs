//! The two ways besides streams: what a connector can do in the outside system, and what that system tells it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::not_carried;
use super::{AnswerManifest, EventSocketManifest, Manifest, ManifestFault, ProofManifest};
use crate::id::SlotName;

/// Bytes of an action's name.
const ACTION_NAME_BYTES_MAX: usize = 63;

/// One action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionManifest {
    /// One line for people.
    pub description: String,
    /// JSON Schema of its input, as a TOML table; none takes an object of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// What a second attempt does.
    #[serde(default)]
    pub idempotent: Idempotence,
    /// The action that reads back what became of this one, where a receipt can be unconfirmed: `message.result`. Its input is
    /// `{"reference": …, "detail": …}` of the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// What makes a second attempt at an action do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Idempotence {
    /// The vendor takes our key and does the action once for each.
    Key,
    /// The connector looks first whether it was done.
    ReadBeforeWrite,
    /// Nothing: it may be done twice.
    #[default]
    None,
}

/// What a vendor may send of its own accord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookManifest {
    /// One line for people: which events, and where to switch them on.
    pub description: String,
    /// The canonical entities that its deliveries carry; those that only tell what to read again need none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// The slots whose keys prove and open a delivery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<SlotName>,
    /// How the gateway proves and opens a delivery before the connector sees it; none leaves the proof to the connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofManifest>,
    /// How the gateway seals the connector's answer, where the vendor wants it sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerManifest>,
    /// A connection that the gateway can open to get the same events, where the vendor offers one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<EventSocketManifest>,
}

impl Manifest {
    pub(super) fn check_actions(&self, faults: &mut Vec<ManifestFault>) {
        for (name, action) in &self.actions {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
            if name.len() > ACTION_NAME_BYTES_MAX
                || !name.starts_with(|c: char| c.is_ascii_lowercase())
                || !name.bytes().all(plain)
            {
                let key = format!("actions.{}", name.chars().take(80).collect::<String>());
                let expected = "expected 1 to 63 of a-z, 0-9, '.', '-' and '_', beginning with a letter";
                faults.push(ManifestFault { key, message: format!("no name of an action; {expected}") });
            }
            if let Some(other) =
                action.confirm.as_ref().filter(|other| *other == name || !self.actions.contains_key(*other))
            {
                let message = format!("`{other}` is not another action of this connector");
                faults.push(ManifestFault { key: format!("actions.{name}.confirm"), message });
            }
            if action.input.as_ref().is_some_and(|schema| schema["type"] != "object") {
                let message = "expected a JSON Schema with type = \"object\"".to_owned();
                faults.push(ManifestFault { key: format!("actions.{name}.input"), message });
            }
        }
    }

    pub(super) fn check_webhook(&self, faults: &mut Vec<ManifestFault>) {
        let Some(webhook) = &self.webhook else { return };
        for message in webhook.entities.iter().filter_map(|entity| not_carried(entity)) {
            faults.push(ManifestFault { key: "webhook.entities".to_owned(), message });
        }
        for slot in webhook.slots.iter().filter(|slot| !self.slots.contains_key(*slot)) {
            let message = format!("`{slot}` is not a declared slot; declare it as [slots.{slot}]");
            faults.push(ManifestFault { key: "webhook.slots".to_owned(), message });
        }
        if let Some(socket) = &webhook.socket {
            self.check_socket(socket, faults);
        }
    }

    /// Does a stream or a delivery carry this entity?
    pub(super) fn carries(&self, entity: &str) -> bool {
        self.entities().contains(entity)
    }

    /// Every entity that a stream or a delivery carries.
    #[must_use]
    pub fn entities(&self) -> BTreeSet<&str> {
        let streams = self.streams.values().flat_map(|stream| &stream.entities);
        streams.chain(self.webhook.iter().flat_map(|webhook| &webhook.entities)).map(String::as_str).collect()
    }
}
