//! What a vendor sends of its own accord, and what the connector makes of it.
//!
//! None of the types implements `Debug`: a body is personal data.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_egress::{CallMemory, Exchange};

use crate::bindings::exports::renmen::connector::webhook;
use crate::bindings::renmen::connector::types::Header;
use crate::page::{Envelope, Reject};
use crate::usage::Usage;

/// One request of the vendor's.
#[derive(Clone)]
pub struct Delivery {
    /// `POST`, …
    pub method: String,
    /// What follows the connection's own path, with its query: `?timestamp=1&nonce=2`.
    pub path_and_query: String,
    /// As they came.
    pub headers: Vec<(String, String)>,
    /// The body as it came: a signature is over these bytes.
    pub body: Bytes,
    /// Milliseconds since the epoch.
    pub received_at_ms: i64,
    /// How far the vendor's time of it may lie from ours, either way.
    pub window: Duration,
    /// Which way it came.
    pub door: Door,
}

/// Which way a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A request from outside: anybody can send one, so it is proved.
    Request,
    /// A connection to the vendor that the gateway itself opened: what comes over it is the vendor's.
    Held,
}

impl Delivery {
    pub(crate) fn into_wit(self, config: &[u8], opened: Option<Vec<u8>>) -> webhook::Delivery {
        webhook::Delivery {
            config: config.to_vec(),
            method: self.method,
            path_and_query: self.path_and_query,
            headers: self.headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
            body: self.body.to_vec(),
            received_at_ms: self.received_at_ms,
            opened,
        }
    }
}

/// The answer for the vendor. Untrusted except for its size and its status: the code that sends it decides which
/// headers may leave.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body; holds no live secret of the connection.
    pub body: Bytes,
}

/// Something changed, and the event does not say what: read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// As the connector names it: whether there is such a stream is not checked here.
    pub stream: String,
    /// External ids; empty means the whole stream from its cursor.
    pub only: Vec<String>,
}

/// What a delivery means.
pub struct ReceivedDelivery {
    /// What the vendor is answered.
    pub answer: Answer,
    /// The vendor's id of this delivery, by which a repeated one is known. As the connector gave it: of any length within
    /// `page_bytes_max`.
    pub delivery_id: Option<String>,
    /// Records that came whole, not yet validated.
    pub records: Vec<Envelope>,
    /// What the connector could not turn into a record.
    pub rejects: Vec<Reject>,
    /// What is to be read again.
    pub refresh: Vec<Refresh>,
    /// It was a question that the host answered by itself: not proved, so nothing of it may be kept.
    pub question: bool,
    /// What the connector asked the vendor meanwhile. To an envelope the delivery itself is exchange 0, and these are
    /// counted from 1.
    pub exchanges: Vec<Arc<Exchange>>,
    /// The memory of the process that is reserved for all this; to be held until it is kept or given up.
    pub memory: Option<Arc<CallMemory>>,
    /// What the call used up.
    pub usage: Usage,
}
