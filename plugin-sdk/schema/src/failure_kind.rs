//! Why a call or a delivery failed, as a closed list: what the gateway does next depends on the kind, and on nothing else.

use std::fmt;

/// The kind of a failure: the contract's frozen `failure-kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A credential is missing, wrong or expired: waits for a person.
    AuthRequired,
    /// The grant does not allow what was asked: waits for a person.
    NotGranted,
    /// The vendor asks to slow down: tried again after the wait that it asked for.
    RateLimited,
    /// The connection's configuration cannot work: waits for a person.
    BadConfig,
    /// The vendor is down, slow, or cut its answer: tried again with backoff.
    UpstreamUnavailable,
    /// The vendor answered in a shape that the connector does not know: waits for a new connector.
    UpstreamChanged,
    /// What the gateway passed in cannot be used: an unknown stream, a cursor of another connector, an input that is refused.
    InvalidInput,
    /// A fault of the connector or of the gateway itself.
    Internal,
}

impl FailureKind {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 8] = [
        Self::AuthRequired,
        Self::NotGranted,
        Self::RateLimited,
        Self::BadConfig,
        Self::UpstreamUnavailable,
        Self::UpstreamChanged,
        Self::InvalidInput,
        Self::Internal,
    ];

    /// As the contract spells it: `auth-required`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthRequired => "auth-required",
            Self::NotGranted => "not-granted",
            Self::RateLimited => "rate-limited",
            Self::BadConfig => "bad-config",
            Self::UpstreamUnavailable => "upstream-unavailable",
            Self::UpstreamChanged => "upstream-changed",
            Self::InvalidInput => "invalid-input",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
