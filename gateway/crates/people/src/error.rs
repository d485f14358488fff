//! What can go wrong, by what the caller can do about it.

use renmen_schema::Text;
use renmen_store::StoreError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The store is away, or at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record is not there, or it is deleted.
    #[error("not found")]
    NotFound,
    /// What was asked cannot be meant: what is wrong, and what to do.
    #[error("{0}")]
    BadInput(Text),
    /// It is understood, and what stands forbids it.
    #[error("{0}")]
    Refused(Text),
}
