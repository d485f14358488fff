//! Events that the vendor sends: what a connector that is called back implements.

use serde::de::DeserializeOwned;

use crate::http::header_of;
use crate::{Envelope, Failure, Page, Reject};

/// Takes what a vendor sends of its own accord.
pub trait Webhook {
    /// The connection's `config`, as in [`Source::Config`](crate::Source::Config).
    type Config: DeserializeOwned;

    /// Checks the signature, then says what the delivery means.
    ///
    /// # Errors
    /// [`FailureKind::AuthRequired`](crate::FailureKind::AuthRequired) when the signature is wrong: nothing is kept.
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
}

impl Delivery {
    /// The first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }
}

/// What the vendor is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
    /// Body of the answer.
    pub body: Vec<u8>,
}

impl Default for Answer {
    /// 200 with no body.
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), body: Vec::new() }
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
    /// The records and rejects of a page that was built from the delivery's body.
    #[must_use]
    pub fn with_page(mut self, page: Page) -> Self {
        self.records.extend(page.records);
        self.rejects.extend(page.rejects);
        self
    }
}
