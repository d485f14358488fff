//! What can go wrong, by what the caller can do about it.

use renmen_store::StoreError;

/// Why the loop did not do as asked. No text holds a value of a record.
#[derive(Debug, thiserror::Error)]
pub enum InterviewError {
    /// This tenant has no record of this kind and id.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A value that was given cannot be used.
    #[error("`{field}` must be {expected}")]
    BadInput {
        /// The name of the field.
        field: &'static str,
        /// What it should be, in English.
        expected: String,
        /// The same in Chinese.
        expected_zh: String,
    },
    /// It cannot be done now: someone else was first, or it was done before.
    #[error("refused: {en}")]
    Refused {
        /// Why, and what to do, in English.
        en: String,
        /// The same in Chinese.
        zh: String,
    },
    /// Another decision took the place of the one that was asked about.
    #[error("refused: a later decision took the place of this one")]
    Superseded {
        /// The newest on the same result.
        by: renmen_schema::id::RecordId,
    },
    /// Asked too often.
    #[error("asked too often; again in {after_s} s")]
    TooMany {
        /// Seconds until it may be asked again.
        after_s: u32,
        /// Which limit it was: for the operator's figures, not for the asker.
        limit: &'static str,
    },
    /// More waits to be written than the queue holds.
    #[error("too much waits to be written")]
    Overloaded,
    /// The store failed, or refused what was asked of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be done, through no fault of the caller.
    #[error("fault: {0}")]
    Fault(String),
}

impl InterviewError {
    /// A value that cannot be used: what it should be, in English and Chinese.
    #[must_use]
    pub fn bad(field: &'static str, expected: impl Into<String>, expected_zh: impl Into<String>) -> Self {
        Self::BadInput { field, expected: expected.into(), expected_zh: expected_zh.into() }
    }

    /// What cannot be done now, and why, in English and Chinese.
    #[must_use]
    pub fn refused(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::Refused { en: en.into(), zh: zh.into() }
    }
}
