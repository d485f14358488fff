//! The id of a request, by which people find its line in the log.

use axum::extract::Request;
use axum::http::HeaderName;
use rand::TryRngCore as _;

/// The header that a request's id comes in and goes out with.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The id of a request: the client's own where it sent a harmless one, else ours.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    pub(crate) fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent {
            Some(text) if harmless(text) => Self(text.to_owned()),
            _ => Self::random(),
        }
    }

    fn random() -> Self {
        let mut bytes = [0_u8; 8];
        // An id only helps people to find a line: without randomness a request is still answered.
        if rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err() {
            tracing::warn!("The system provided no random bytes for a request id");
        }
        Self(hex::encode(bytes))
    }
}

/// Nothing that could forge a line of a log or run in a terminal.
fn harmless(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= REQUEST_ID_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_not_taken() {
        for good in ["a", "0194-x_Y", &"x".repeat(64)] {
            assert!(harmless(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "a\u{1b}[2J", "ä", &"x".repeat(65)] {
            assert!(!harmless(bad), "{bad}");
        }
    }
}
