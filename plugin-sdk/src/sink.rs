//! Writing: what a connector that can be pushed to implements.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// Writes to an outside system, one action a call.
pub trait Sink {
    /// The connection's `config`, as in [`Source::Config`](crate::Source::Config).
    type Config: DeserializeOwned;

    /// Does one action. It may be called again with the same [`Action::idempotency_key`]: pass the key to the vendor
    /// where it takes one, and look before writing where it does not.
    ///
    /// # Errors
    /// A [`Failure`] whose kind says whether another attempt can help.
    fn push(config: Self::Config, action: Action) -> Result<Receipt, Failure>;
}

/// What to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl Action {
    /// The input as a type.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) with the place, without the value.
    pub fn input<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        crate::locate::parse(&self.input)
            .map_err(|fault| Failure::invalid_input(format!("input of action `{}`: {fault}", self.name)))
    }
}

/// What became of an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The vendor's id of what was written.
    pub reference: Option<String>,
    /// Facts worth keeping.
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// False: the vendor took it, but only a later read can tell whether it arrived.
    pub confirmed: bool,
}
