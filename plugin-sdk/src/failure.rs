//! Why a call could not do its work: a closed list of kinds, because what the gateway does next depends on the kind alone.

use std::fmt;

pub use renmen_schema::FailureKind;

use crate::locate;
use crate::word::is_word;

/// A call that could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the gateway does next.
    pub kind: FailureKind,
    /// The vendor's own code where it has one: `90002`.
    pub code: Option<String>,
    /// For the operator: what happened and what to do. Never a secret, never a person's data.
    pub message: String,
    /// How long the vendor asked to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(FailureKind::$kind, message)
        }
    )*};
}

impl Failure {
    /// A failure of a kind, with a message for the operator.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after_ms: None }
    }

    constructors! {
        /// See [`FailureKind::AuthRequired`].
        auth_required => AuthRequired;
        /// See [`FailureKind::NotGranted`].
        not_granted => NotGranted;
        /// See [`FailureKind::RateLimited`]; [`Failure::after_ms`] says for how long.
        rate_limited => RateLimited;
        /// See [`FailureKind::BadConfig`].
        bad_config => BadConfig;
        /// See [`FailureKind::UpstreamUnavailable`].
        upstream_unavailable => UpstreamUnavailable;
        /// See [`FailureKind::UpstreamChanged`].
        upstream_changed => UpstreamChanged;
        /// See [`FailureKind::InvalidInput`].
        invalid_input => InvalidInput;
        /// See [`FailureKind::Internal`].
        internal => Internal;
    }

    /// Adds the vendor's own code. A text that is not a plain word is left out: it could be personal data.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into()).filter(|code| is_word(code));
        self
    }

    /// With the wait that the vendor asked for, in milliseconds.
    #[must_use]
    pub fn after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Failure {}

impl From<serde_json::Error> for Failure {
    /// JSON that ends too early counts as cut by the vendor; any other fault as a shape that is not known.
    fn from(error: serde_json::Error) -> Self {
        let message = format!("JSON: {}", locate::describe(&error));
        if error.is_eof() { Self::upstream_unavailable(message) } else { Self::upstream_changed(message) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_json_error_says_where_but_never_what_was_found() {
        let error = serde_json::from_str::<Vec<u32>>("[1,\n \"Alice Example\"]").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::UpstreamChanged);
        assert!(failure.message.contains("line 2"), "{failure}");
        assert!(!failure.message.contains("Alice"), "{failure}");
    }

    #[test]
    fn json_that_ends_too_early_counts_as_cut_and_is_tried_again() {
        let failure = Failure::from(serde_json::from_str::<Vec<u32>>("[1,").unwrap_err());
        assert_eq!(failure.kind, FailureKind::UpstreamUnavailable);
    }
}
