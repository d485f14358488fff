//! Why an item of a vendor's list cannot become a record.

use std::fmt;

/// Why an item cannot become a record: any error, by `?`, or a reason of your own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which field, what was found (its type), what was expected: never a person's value.
    pub reason: String,
}

impl Unfit {
    /// A reason of your own.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// What is wrong, and with which vendor field.
    #[must_use]
    pub fn field(name: &str, problem: impl fmt::Display) -> Self {
        Self { reason: format!("{name}: {problem}") }
    }
}

impl<E: std::error::Error> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self { reason: error.to_string() }
    }
}
