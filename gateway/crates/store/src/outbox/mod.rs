//! Flows and their deliveries: the shapes of [`OutboxStore`](crate::OutboxStore), and the statements that both backends run.

pub(crate) mod by_hand;
pub(crate) mod delivery;
pub(crate) mod flow;
pub(crate) mod rows;
pub(crate) mod sql;

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use serde::{Deserialize, Serialize};

use crate::ChangeRow;
pub use sql::{PRUNABLE_MAX, PRUNED_MAX};

/// Who defined a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowOrigin {
    /// The configuration: the API may read it only.
    File,
    /// The API.
    Api,
}

/// A flow to keep, or its new definition.
#[derive(Debug, Clone)]
pub struct FlowPut {
    pub tenant: TenantId,
    pub name: String,
    /// Who defines it.
    pub origin: FlowOrigin,
    /// Its definition, opaque here: another text is another version.
    pub definition: String,
    /// False: it makes no deliveries, and changes pass it by.
    pub enabled: bool,
    /// A flow that is new begins with the feed's first change; else with the next one.
    pub from_beginning: bool,
    pub now_ms: i64,
}

/// A flow as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRow {
    pub id: i64,
    pub tenant: TenantId,
    pub name: String,
    /// From 1, one more with each other definition.
    pub version: i64,
    /// Who defined it.
    pub origin: FlowOrigin,
    /// The current definition.
    pub definition: String,
    /// Does it make deliveries?
    pub enabled: bool,
    /// Taken away: kept for the deliveries that name it.
    pub retired: bool,
    /// The last change that it was asked about.
    pub position: i64,
    /// When it was last defined.
    pub changed_at_ms: i64,
}

/// One version of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVersionRow {
    /// From 1.
    pub version: i64,
    /// What it said.
    pub definition: String,
    /// Since when.
    pub at_ms: i64,
}

/// A change with what the record said after and before it.
#[derive(Debug, Clone)]
pub struct FeedEntry {
    pub change: ChangeRow,
    /// Canonical JSON of the revision that the change made; a tombstone's is the last body.
    pub body: Vec<u8>,
    /// Of the revision before; none for the first.
    pub before: Option<Vec<u8>>,
}

/// A piece of the feed.
#[derive(Debug, Clone)]
pub struct FeedPiece {
    /// In order.
    pub entries: Vec<FeedEntry>,
    /// Up to here nothing else was there: where the next piece begins.
    pub up_to: i64,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its time, for its turn, or for another attempt.
    Pending,
    /// An attempt is under way, or was when its process ended.
    InFlight,
    /// Taken by the receiver; a later read tells whether it arrived.
    Unconfirmed,
    /// Arrived.
    Delivered,
    /// Given up: waits for a person to replay it.
    Dead,
    /// Not sent on purpose: a loop, or a newer change took its place.
    Withheld,
    /// Its deadline passed first.
    Expired,
}

/// A delivery about to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The change it is made for.
    pub seq: i64,
    /// The record that the change happened to.
    pub record: RecordId,
    /// Where to.
    pub connection: ConnectionName,
    /// What to do there.
    pub action: String,
    /// The idempotency key.
    pub key: [u8; 16],
    /// Deliveries of one lane go one after the other, in the order in which they were made.
    pub lane: [u8; 16],
    /// Not before.
    pub not_before_ms: i64,
    /// Not after.
    pub deadline_ms: Option<i64>,
    /// `Pending`, or `Dead` or `Withheld` from the beginning.
    pub state: DeliveryState,
    /// JSON; personal data.
    pub input: Vec<u8>,
    /// Of the input.
    pub input_hash: [u8; 16],
    /// How many deliveries led to this one, one by the change that the last one caused.
    pub hops: u32,
    /// The last of them.
    pub caused_by: Option<i64>,
    /// Why it is not pending.
    pub error: Option<String>,
}

/// The action that posts a payroll journal. What people made of it is never pruned: it shows that a run is in the books, and that it is not to
/// be posted again.
pub const POSTING: &str = "journal.post";

/// The flow that the deliveries stand under which a person makes without one. No flow can be called so.
pub const BY_HAND: &str = "by:hand";

/// A delivery that a person makes.
#[derive(Debug, Clone)]
pub struct HandMade {
    pub tenant: TenantId,
    /// The flow that it was worked out by, with its version; none: it stands under [`BY_HAND`].
    pub flow: Option<(i64, i64)>,
    /// The delivery. One that a person made with this key before is not made again.
    pub delivery: NewDelivery,
    /// Who, why, and what they asked for: opaque here.
    pub by_hand: String,
    pub now_ms: i64,
}

/// A flow's step along the feed: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Advance {
    pub flow: i64,
    /// In which version it was asked.
    pub version: i64,
    /// Where it stood.
    pub from: i64,
    /// Where it stands now.
    pub to: i64,
    /// In the feed's order.
    pub deliveries: Vec<NewDelivery>,
    /// Lanes with the change since which their deliveries that were not attempted yet are out of date: withheld.
    pub supersede: Vec<([u8; 16], i64)>,
}

/// A request for work.
#[derive(Debug, Clone)]
pub struct Claim {
    pub tenant: TenantId,
    /// Of which destination.
    pub connection: ConnectionName,
    /// At most this many, each of another lane.
    pub limit: u32,
    pub now_ms: i64,
    /// After so long without an end another claim takes them. Milliseconds.
    pub lease_ms: i64,
}

/// A delivery that is now the claimer's.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery, its attempt counted.
    pub delivery: DeliveryRow,
    /// What its end must name.
    pub token: i64,
    /// True: it was sent; what is wanted is a read whether it arrived.
    pub confirm: bool,
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct Settle {
    pub delivery: i64,
    /// From [`Claimed::token`].
    pub token: i64,
    /// What became of it.
    pub end: AttemptEnd,
    /// A delivery that is made because this one died.
    pub notice: Option<NewDelivery>,
    pub now_ms: i64,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It arrived.
    Delivered(ReceiptKept),
    /// It was taken; ask at this time whether it arrived.
    Unconfirmed {
        receipt: ReceiptKept,
        /// When to ask.
        ask_at_ms: i64,
    },
    /// It is not known yet whether it arrived: the receipt stays as it is.
    AskAgain {
        /// When to ask.
        at_ms: i64,
        /// Why it is not known, where asking failed.
        error: Option<String>,
    },
    /// It failed and is tried again.
    Retry {
        at_ms: i64,
        error: String,
        /// Does it count towards the attempts that it has?
        counted: bool,
    },
    /// It failed for good.
    Dead { error: String },
    /// Its deadline passed.
    Expired {
        /// Says that its deadline passed.
        error: String,
    },
    /// It was not attempted: as if it had never been claimed.
    Released,
}

/// What the receiver said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptKept {
    /// The receiver's id of what was written.
    pub reference: Option<String>,
    /// A JSON object.
    pub detail: String,
}

/// A delivery as kept.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Number, in the order of making.
    pub id: i64,
    pub tenant: TenantId,
    /// Its flow.
    pub flow: String,
    /// The flow's version that made it.
    pub flow_version: i64,
    /// The change it is made for.
    pub change: ChangeRow,
    /// Where to.
    pub connection: ConnectionName,
    /// What to do there.
    pub action: String,
    /// The idempotency key.
    pub key: [u8; 16],
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempts: u32,
    /// Failed attempts that count towards the limit.
    pub failures: u32,
    /// Not before.
    pub not_before_ms: i64,
    /// When it is due next, while it is not at its end.
    pub next_at_ms: i64,
    /// Not after.
    pub deadline_ms: Option<i64>,
    /// JSON; personal data. Empty in lists.
    pub input: Vec<u8>,
    /// Of the input.
    pub input_hash: [u8; 16],
    /// What the receiver said.
    pub receipt: Option<ReceiptKept>,
    /// Why the last attempt failed, or why it was not sent.
    pub error: Option<String>,
    /// How many deliveries led to this one.
    pub hops: u32,
    /// The last of them.
    pub caused_by: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When its state last changed.
    pub updated_at_ms: i64,
    /// Of one that a person made: [`HandMade::by_hand`].
    pub by_hand: Option<String>,
}

/// Which deliveries to list: newest first.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Only of this flow.
    pub flow: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only to this destination.
    pub connection: Option<ConnectionName>,
    /// Only of this action.
    pub action: Option<String>,
    /// Only for changes of this record.
    pub record: Option<RecordId>,
    /// Only older than this one.
    pub before: Option<i64>,
    pub limit: u32,
}

/// Has a delivery probably caused this change?
#[derive(Debug, Clone)]
pub struct EchoAsk {
    /// The connection that the change came through.
    pub connection: ConnectionName,
    /// The vendor's id of the record.
    pub external_id: String,
    pub record: RecordId,
    /// Only a delivery that was touched at or after. Milliseconds since the epoch.
    pub since_ms: i64,
}

/// The delivery that probably caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    pub delivery: i64,
    /// How many led to it.
    pub hops: u32,
}

/// Which deliveries to count: those of one lane and record, with one input, since a time.
#[derive(Debug, Clone, Copy)]
pub struct Repeats {
    pub record: RecordId,
    pub lane: [u8; 16],
    /// Of the input.
    pub input_hash: [u8; 16],
    /// Made at or after. Milliseconds since the epoch.
    pub since_ms: i64,
}

/// A destination that has work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    pub tenant: TenantId,
    pub connection: ConnectionName,
    /// When its first delivery may be due; in the past: now.
    pub next_at_ms: i64,
}

/// How many deliveries of a flow are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryCount {
    pub flow: String,
    pub state: DeliveryState,
    pub count: i64,
}
