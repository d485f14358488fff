//! Events that the vendor sends: what a connector that is called back implements.

use serde::de::DeserializeOwned;

use crate::http::{Response, header_of};
use crate::{Envelope, Failure, Page, Reject};

/// The header in which the gateway tells how old a delivery may be, in milliseconds. One that came from outside is taken
/// out before.
const WINDOW_HEADER: &str = "renmen-replay-window-ms";
/// The window when none is given: five minutes.
const WINDOW_DEFAULT_MS: i64 = 5 * 60 * 1000;

/// Takes what a vendor sends of its own accord.
pub trait Webhook {
    /// The connection's `config`, as in [`Source::Config`](crate::Source::Config).
    type Config: DeserializeOwned;

    /// Says what the delivery means; where the manifest has no `[webhook.proof]`, after a check of its signature.
    ///
    /// # Errors
    /// [`FailureKind::AuthRequired`](crate::FailureKind::AuthRequired) when the signature is wrong: nothing is kept.
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) when it is right and the delivery is of no use: the gateway
    /// keeps it, answers 400 so that the vendor stops, and tells the operator.
    fn receive(config: Self::Config, delivery: Delivery) -> Result<Outcome, Failure>;
}

/// One request of the vendor's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// `POST`, …
    pub method: String,
    /// What follows the connection's own path, with its query: `?timestamp=1&nonce=2`.
    pub path_and_query: String,
    /// Names are compared without case.
    pub headers: Vec<(String, String)>,
    /// The body as it came: a signature is over these bytes.
    pub body: Vec<u8>,
    /// Milliseconds since 1970-01-01T00:00Z.
    pub received_at_ms: i64,
    /// The plain text of the body, where `[webhook.proof.open]` of the manifest lets the gateway open it: then the delivery is
    /// proved, its age included. None for one that came over a connection to the vendor that the gateway itself holds.
    pub opened: Option<Vec<u8>>,
}

impl Delivery {
    /// The first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }

    /// The body as a response, for [`Page::map_items`]: to a record the delivery itself is exchange 0.
    #[must_use]
    pub fn as_response(&self) -> Response {
        Response::from_parts(200, self.headers.clone(), self.body.clone())
    }

    /// Is a delivery that was signed at this time (milliseconds since 1970-01-01T00:00Z) still to be believed? The
    /// operator says how far its time may lie from ours, either way; ask only after the signature has proved the time.
    ///
    /// # Errors
    /// [`FailureKind::AuthRequired`](crate::FailureKind::AuthRequired) with code `replay_window`: nothing is kept.
    pub fn check_age(&self, signed_at_ms: i64) -> Result<(), Failure> {
        let window_ms = self.header(WINDOW_HEADER).and_then(|text| text.parse().ok()).unwrap_or(WINDOW_DEFAULT_MS);
        let age_ms = self.received_at_ms.saturating_sub(signed_at_ms);
        if age_ms.saturating_abs() <= window_ms {
            return Ok(());
        }
        let message = format!("the delivery was signed {age_ms} ms before it came; allowed are {window_ms} either way");
        Err(Failure::auth_required(message).with_code("replay_window"))
    }
}

/// What the vendor is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers of the answer. The gateway lets these leave and no others: `content-type`, `retry-after`, `x-hook-secret`,
    /// `webhook-request-origin`, `webhook-allowed-origin`, `webhook-allowed-rate`.
    pub headers: Vec<(String, String)>,
    /// Body of the answer.
    pub body: Vec<u8>,
    /// The gateway frames, encrypts and signs the body as `[webhook.answer]` of the manifest says, and sets the headers. Only for
    /// a delivery with [`Delivery::opened`].
    pub sealed: bool,
}

impl Default for Answer {
    /// 200 with no body.
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), body: Vec::new(), sealed: false }
    }
}

/// Something changed, and the event does not say what: read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refresh {
    /// A stream of the manifest.
    pub stream: String,
    /// External ids; empty means the whole stream from its cursor.
    pub only: Vec<String>,
}

/// What a delivery means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the vendor is answered.
    pub answer: Answer,
    /// The vendor's id of this delivery, by which a repeated one is known.
    pub delivery_id: Option<String>,
    /// Records that came whole.
    pub records: Vec<Envelope>,
    /// Records that could not be read.
    pub rejects: Vec<Reject>,
    /// What is to be read again.
    pub refresh: Vec<Refresh>,
}

impl Outcome {
    /// Answers with this status and no body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { answer: Answer { status, ..Answer::default() }, ..Self::default() }
    }

    /// Answers with status 200 and this JSON: challenges, and vendors that want a word.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { answer: Answer { headers, body: body.into(), ..Answer::default() }, ..Self::default() }
    }

    /// Answers with status 200 and this text, sealed by the gateway: see [`Answer::sealed`].
    #[must_use]
    pub fn sealed(text: impl Into<Vec<u8>>) -> Self {
        Self { answer: Answer { body: text.into(), sealed: true, ..Answer::default() }, ..Self::default() }
    }

    /// The vendor's id of this delivery.
    #[must_use]
    pub fn with_id(mut self, delivery_id: impl Into<String>) -> Self {
        self.delivery_id = Some(delivery_id.into());
        self
    }

    /// Asks for these records to be read; none asks for the whole stream from its cursor.
    #[must_use]
    pub fn refresh(mut self, stream: &str, only: Vec<String>) -> Self {
        self.refresh.push(Refresh { stream: stream.to_owned(), only });
        self
    }

    /// The records and rejects of a page that was built from the delivery's body.
    #[must_use]
    pub fn with_page(mut self, page: Page) -> Self {
        self.records.extend(page.records);
        self.rejects.extend(page.rejects);
        self
    }
}
