//! Why a call gave nothing, by what the caller does next.

use renmen_schema::FailureKind;

use crate::usage::Usage;

/// Why a call gave nothing. Data, not an error of the host: texts are cleaned and may be shown and stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The connector says so itself.
    #[error("{kind}: {message}")]
    Failure {
        /// What the host does next depends on it, and on nothing else.
        kind: FailureKind,
        /// The vendor's own code, or the host's: `not_recorded`, `bad_request`, `bad_receipt`, `bad_answer`.
        code: Option<String>,
        /// For the operator; at most 4 KiB.
        message: String,
        /// How long the vendor asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
        /// Of a delivery: it is known to be the vendor's, by the manifest's proof, by the connection that it came over or by a
        /// signature that the connector had compared. What such a delivery holds may be kept although the call failed.
        proved: bool,
        /// What was used up to there.
        usage: Usage,
    },
    /// A budget of this connection ended the call: its key under `[limits]`.
    #[error("limit {budget}: {message}")]
    Budget {
        /// The key under `[limits]`: `fuel_max`, `wall_clock`, …
        budget: &'static str,
        /// What was seen against what is allowed.
        message: String,
        /// What was used up to there.
        usage: Usage,
    },
    /// The guest trapped; the panic's message and line where it left one.
    #[error("the connector crashed: {message}")]
    Crashed {
        /// The panic line, or the trap and the innermost functions; at most 4 KiB.
        message: String,
        /// What was used up to there.
        usage: Usage,
    },
}

impl CallError {
    /// What the call had used up when it ended.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        match self {
            Self::Failure { usage, .. } | Self::Budget { usage, .. } | Self::Crashed { usage, .. } => usage,
        }
    }

    /// The delivery that the call was about had been proved before it.
    pub(crate) fn of_proved(mut self) -> Self {
        if let Self::Failure { proved, .. } = &mut self {
            *proved = true;
        }
        self
    }

    /// The connector answered what no caller can use: its own fault, told as such.
    pub(crate) fn unusable(code: &str, message: String, usage: Usage) -> Self {
        let kind = FailureKind::Internal;
        Self::Failure { kind, code: Some(code.to_owned()), message, retry_after_ms: None, proved: false, usage }
    }

    /// A short stable word for spans and metrics: `failure:rate-limited`, `limit:fuel_max`, `crashed`.
    #[must_use]
    pub fn outcome(&self) -> String {
        match self {
            Self::Failure { kind, .. } => format!("failure:{kind}"),
            Self::Budget { budget, .. } => format!("limit:{budget}"),
            Self::Crashed { .. } => "crashed".to_owned(),
        }
    }
}
