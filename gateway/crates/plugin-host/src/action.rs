//! One action and what became of it.
//!
//! Neither type implements `Debug`: input and detail are personal data.

use std::sync::Arc;

use renmen_egress::Exchange;

use crate::usage::Usage;

/// What to write.
#[derive(Clone)]
pub struct Action {
    /// As the manifest names it: `message.send`.
    pub name: String,
    /// The same for every attempt at this action.
    pub idempotency_key: String,
    /// From 1.
    pub attempt: u32,
    /// JSON.
    pub input: Vec<u8>,
}

/// What became of it.
pub struct Receipt {
    /// The vendor's id of what was written. Cleaned guest text of at most 256 bytes.
    pub reference: Option<String>,
    /// Facts worth keeping; no live secret is in them.
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// False: the vendor took it, but only a later read can tell whether it arrived.
    pub confirmed: bool,
    /// What was asked and answered on the way.
    pub exchanges: Vec<Arc<Exchange>>,
    /// What the call used up.
    pub usage: Usage,
}
