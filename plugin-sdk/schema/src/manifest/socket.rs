//! Events over a connection that the gateway opens itself, for vendors that offer one: no address of ours has to be reachable
//! from outside. What is said on it is host code, named by its protocol; the connector sees the events alone.

use serde::{Deserialize, Serialize};

use super::{Manifest, ManifestFault};
use crate::id::SlotName;

/// A WebSocket on which the vendor sends its events, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSocketManifest {
    /// How it is spoken: `dingtalk` (Stream mode).
    pub protocol: EventProtocol,
    /// Where a connection is asked for; may begin with a `{key}` of the configuration.
    pub open_url: String,
    /// The slot whose secret opens it: JSON with `client_id` and `client_secret`.
    pub slot: SlotName,
    /// The origins that the WebSocket may lead to, written as in [`HttpWish::hosts`](super::HttpWish::hosts): `https://` also
    /// stands for `wss://`. The connector cannot reach them by this.
    pub hosts: Vec<String>,
}

/// A way of sending events over a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventProtocol {
    /// DingTalk's Stream mode.
    Dingtalk,
}

impl Manifest {
    pub(super) fn check_socket(&self, socket: &EventSocketManifest, faults: &mut Vec<ManifestFault>) {
        let mut fault = |key: &str, message: String| {
            faults.push(ManifestFault { key: format!("webhook.socket.{key}"), message });
        };
        if !self.slots.contains_key(&socket.slot) {
            fault("slot", format!("`{0}` is no slot; declare it as [slots.{0}]", socket.slot));
        }
        if !["https://", "http://", "{"].iter().any(|begin| socket.open_url.starts_with(begin)) {
            fault("open_url", format!("`{}` is not absolute; expected https://", socket.open_url));
        }
        if socket.hosts.is_empty() {
            fault("hosts", "nothing; expected the origins that the connection may lead to".to_owned());
        }
    }
}
