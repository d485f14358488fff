//! Why nothing usable came back, by what the caller can do about it.

use thiserror::Error;

/// A request that gave no response. Texts hold no secret and no personal data; they may be shown to a connector.
#[derive(Debug, Clone, Error)]
pub enum EgressError {
    /// The grant, the address rules or the header rules forbid it. Nothing was sent.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// The slot is empty, its secret is unusable, or the token endpoint refused it. Nothing was sent to the target.
    #[error("credential: {0}")]
    Auth(String),
    /// The vendor asked to slow down and the retries are used up.
    #[error("rate limited: {message}")]
    RateLimited {
        /// What was seen.
        message: String,
        /// How long the vendor asked to wait.
        retry_after_ms: Option<u64>,
    },
    /// No usable answer: refused, reset, timed out, cut, TLS, DNS; the retries are used up.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A limit of this connection: its name (the key under `[limits]`), what was seen, what is allowed.
    #[error("limit {limit}: {message}")]
    Limit {
        /// `response_bytes_max`, `http_calls_max`, …
        limit: &'static str,
        /// What was seen against what is allowed.
        message: String,
    },
    /// The gateway has no memory to read the answer into: try again later.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The request is malformed: bad URL, bad method, bad header.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// A delivery bears the vendor's signature, but its content cannot be opened or is meant for another receiver: the
    /// operator has to look at it.
    #[error("signed, but not opened: {0}")]
    Unopened(String),
    /// A sealed tape does not hold the answer.
    #[error("no recorded exchange for {0}")]
    NotRecorded(String),
}
