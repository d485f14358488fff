//! From what egress says to what a connector is told.

use renmen_egress::{EgressError, GATEWAY_MEMORY};

use crate::bindings::renmen::connector::types::{Failure, FailureKind};
use crate::state::CallState;

/// A failure of the host's making.
pub(super) fn failure(kind: FailureKind, code: Option<&str>, message: impl Into<String>) -> Failure {
    Failure { kind, code: code.map(str::to_owned), message: message.into(), retry_after_ms: None }
}

/// Tells the connector, or ends the call where a limit of the connection was met: the operator sets the limit, and
/// a connector that meets it must not be able to hide that.
pub(super) fn told(state: &mut CallState, error: EgressError) -> wasmtime::Result<Failure> {
    Ok(match error {
        EgressError::NotGranted(message) => failure(FailureKind::NotGranted, None, message),
        EgressError::Auth(message) => failure(FailureKind::AuthRequired, None, message),
        EgressError::RateLimited { message, retry_after_ms } => {
            Failure { retry_after_ms, ..failure(FailureKind::RateLimited, None, message) }
        }
        EgressError::Unavailable(message) => failure(FailureKind::UpstreamUnavailable, None, message),
        EgressError::Unopened(message) => failure(FailureKind::InvalidInput, None, message),
        EgressError::BadRequest(message) => failure(FailureKind::Internal, Some("bad_request"), message),
        EgressError::NotRecorded(what) => failure(
            FailureKind::UpstreamUnavailable,
            Some("not_recorded"),
            format!("the recording holds no answer to {what}: the connector now asks for something else"),
        ),
        EgressError::Limit { limit, message } => return Err(state.stop(limit, message)),
        EgressError::OutOfMemory(message) => return Err(state.stop(GATEWAY_MEMORY, message)),
    })
}

/// Does this error end the call, no matter what the connector would make of it? Agrees with [`told`].
pub(super) fn ends_the_call(error: &EgressError) -> bool {
    matches!(error, EgressError::Limit { .. } | EgressError::OutOfMemory(_))
}
