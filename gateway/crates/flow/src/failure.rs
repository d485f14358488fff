//! What egress says, as a delivery's failure. A limit and a grant are the operator's to change, so the delivery waits for it; only
//! what no attempt could ever make right ends it.

use renmen_egress::EgressError;
use renmen_schema::FailureKind;

use crate::Failure;

impl From<EgressError> for Failure {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::NotGranted(message) => Self::new(FailureKind::NotGranted, message),
            EgressError::Auth(message) => Self::new(FailureKind::AuthRequired, message),
            EgressError::RateLimited { message, retry_after_ms } => {
                Self { retry_after_ms, ..Self::new(FailureKind::RateLimited, message) }
            }
            EgressError::OutOfMemory(message) => Self::new(FailureKind::UpstreamUnavailable, message),
            EgressError::Unavailable(message) => Self::new(FailureKind::UpstreamUnavailable, message),
            EgressError::Limit { limit, message } => {
                Self { code: Some(limit.to_owned()), ..Self::new(FailureKind::InvalidInput, message) }
            }
            EgressError::Unopened(message) => Self::new(FailureKind::InvalidInput, message),
            EgressError::BadRequest(message) => Self::new(FailureKind::BadConfig, message),
            EgressError::NotRecorded(what) => Self::new(FailureKind::Internal, what),
        }
    }
}
