//! Where deliveries go: the one trait behind which stand the connections of plugins, mail, text messages and outgoing webhooks.
//!
//! A destination sends one action and says what became of it. The order of deliveries, their repetition, their idempotency keys
//! and what may leave are decided before it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_schema::FailureKind;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::ChangeKind;
use serde_json::{Map, Value};

/// A place that takes actions. It is shared by all deliveries, which call it side by side.
#[async_trait]
pub trait Destination: Send + Sync {
    /// What it can do, by name: `message.send`. A flow that names another action is refused when it is loaded.
    fn actions(&self) -> BTreeMap<String, ActionInfo>;

    /// How often, and after which waits, a delivery to it is repeated, where this is not the flow's to say. None: the flow says.
    fn retries(&self) -> Option<Retries> {
        None
    }

    /// Is it told of changes as they are? Then nothing is sent to it by hand: what it gets is signed as a change that happened.
    fn is_told_changes(&self) -> bool {
        false
    }

    /// Does one action. It may be called again with the same [`Push::idempotency_key`]: a receipt may have been lost.
    ///
    /// It must end by itself: the caller gives up on it after the delivery's lease, and then another attempt may run
    /// while this one, if it was only slow, is still running.
    ///
    /// # Errors
    /// A [`Failure`], whose kind says whether another attempt can help.
    async fn push(&self, push: Push) -> Result<Receipt, Failure>;
}

/// One action as its receiver declares it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActionInfo {
    /// One line for people.
    pub description: String,
    /// JSON Schema of the input; none takes any object.
    pub input_schema: Option<Value>,
    /// How a repeated attempt is recognised.
    pub identity: Identity,
    /// The action that reads back what became of this one, when a receipt can be unconfirmed: `message.result`. Its input is
    /// `{"reference": …, "detail": …}` of the receipt.
    pub confirm: Option<String>,
}

/// How a repeated attempt at an action is recognised where it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// The receiver knows the idempotency key.
    Key,
    /// The connector looks before it writes.
    ReadBeforeWrite,
    /// Not at all: an attempt whose answer was lost may be done twice.
    #[default]
    None,
}

/// One action on its way out.
#[derive(Clone)]
pub struct Push {
    /// The tenant that owns the delivery.
    pub tenant: TenantId,
    /// The delivery, as `/v1/deliveries` names it.
    pub delivery: i64,
    /// Why it is made.
    pub cause: Cause,
    /// As the destination declares it: `message.send`.
    pub action: String,
    /// The same for every attempt at this delivery, and for no other delivery: 32 hex digits.
    pub idempotency_key: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// JSON: an object, with nothing in it that may not leave. Personal data: never to be logged.
    pub input: Arc<[u8]>,
    /// Milliseconds since the epoch.
    pub now_ms: i64,
}

impl std::fmt::Debug for Push {
    /// The input may hold personal data, so only its size is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push")
            .field("tenant", &self.tenant)
            .field("delivery", &self.delivery)
            .field("cause", &self.cause)
            .field("action", &self.action)
            .field("attempt", &self.attempt)
            .field("input_bytes", &self.input.len())
            .finish_non_exhaustive()
    }
}

/// The change that a delivery was made for, and the flow that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The flow.
    pub flow: String,
    /// Which version of it, from 1.
    pub flow_version: i64,
    /// Position in the change feed.
    pub seq: i64,
    /// What happened.
    pub kind: ChangeKind,
    /// To which record.
    pub record: RecordId,
    /// Its entity.
    pub entity: String,
    /// The connection that the record came through.
    pub connection: String,
    /// The revision that the change made.
    pub revision: i64,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receipt {
    /// The receiver's id of what was written.
    pub reference: Option<String>,
    /// Facts worth keeping. They are stored and shown, so they must hold no secret and no personal data.
    pub detail: Map<String, Value>,
    /// False: the receiver took it, but only a later read can tell whether it arrived.
    pub confirmed: bool,
}

/// An action that was not done, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// What happens next depends on it alone: see [`Failure::passes`].
    pub kind: FailureKind,
    /// The receiver's own code where it has one.
    pub code: Option<String>,
    /// For the operator. Stored and shown, so it must hold no secret and no personal data.
    pub message: String,
    /// How long the receiver asked to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure without code and without a wait that was asked for.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after_ms: None }
    }

    /// Can another attempt help, either after some time or after someone fixed the cause? False: the same input will
    /// never be taken, and the delivery is dead at once.
    #[must_use]
    pub fn passes(&self) -> bool {
        !matches!(self.kind, FailureKind::InvalidInput)
    }
}

/// When a delivery that failed is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// Attempts in all, the first included; at least 1. After the last one the delivery is dead.
    pub attempts_max: u32,
    /// The waits between them.
    pub schedule: RetrySchedule,
}

/// The waits between attempts. A wait that the receiver asked for is kept when it is longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetrySchedule {
    /// Doubles from `base` to `max`; the wait is then drawn between nothing and that (full jitter).
    Backoff {
        /// Before the second attempt.
        base: Duration,
        /// Never more than this.
        max: Duration,
    },
    /// One wait after each attempt, the last one again after that; up to a tenth more or less is drawn.
    Steps(Vec<Duration>),
}
