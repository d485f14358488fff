//! What is kept of people's own writing: who wrote a revision and why, and which answers a repeated request gets.

use renmen_schema::id::{RecordId, TenantId};

use super::RecordRow;

/// Who wrote the revisions of a commit, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub person: String,
    /// The key's id.
    pub key: String,
    /// In the person's own words.
    pub reason: String,
}

/// A revision that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRevision {
    pub revision: i64,
    /// Who, and why.
    pub signature: Signature,
    pub at_ms: i64,
}

/// A request that is answered once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What tells it from the requests of others: the id of the API key.
    pub scope: String,
    /// The client's own name for it.
    pub name: String,
    /// What was asked; another one under the same name is another request.
    pub fingerprint: [u8; 32],
    /// How long its answer is kept.
    pub until_ms: i64,
}

/// Which request is asked about.
#[derive(Debug, Clone, Copy)]
pub struct OnceKey<'a> {
    pub tenant: &'a TenantId,
    /// See [`Once::scope`].
    pub scope: &'a str,
    /// See [`Once::name`].
    pub name: &'a str,
}

/// What a request did that was answered before.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What was asked.
    pub fingerprint: [u8; 32],
    /// Which record it wrote.
    pub record: RecordId,
    /// That record as the request left it.
    pub row: RecordRow,
}
