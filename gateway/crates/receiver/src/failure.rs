//! What egress says, as a delivery's failure. A limit and a grant are the operator's to change, so the delivery waits for it; only
//! what no attempt could ever make right ends it.

use renmen_egress::EgressError;
use renmen_flow::Failure;
use renmen_schema::FailureKind;

pub(crate) fn from_egress(error: EgressError) -> Failure {
    match error {
        EgressError::NotGranted(message) => Failure::new(FailureKind::NotGranted, message),
        EgressError::Auth(message) => Failure::new(FailureKind::AuthRequired, message),
        EgressError::RateLimited { message, retry_after_ms } => {
            Failure { retry_after_ms, ..Failure::new(FailureKind::RateLimited, message) }
        }
        EgressError::OutOfMemory(message) => Failure::new(FailureKind::UpstreamUnavailable, message),
        EgressError::Unavailable(message) => Failure::new(FailureKind::UpstreamUnavailable, message),
        EgressError::Limit { limit, message } => {
            Failure { code: Some(limit.to_owned()), ..Failure::new(FailureKind::InvalidInput, message) }
        }
        EgressError::Unopened(message) => Failure::new(FailureKind::InvalidInput, message),
        EgressError::BadRequest(message) => Failure::new(FailureKind::BadConfig, message),
        EgressError::NotRecorded(what) => Failure::new(FailureKind::Internal, what),
    }
}
