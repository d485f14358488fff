//! What came back.

use serde::Deserialize;

use super::header_of;
use crate::{Failure, clock, locate};

/// An answer with any status, live secrets taken out by the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) exchange: u32,
}

impl Response {
    /// A response by its parts: for the tests of a mapping, and for webhooks, whose body is a page without an exchange.
    #[must_use]
    pub fn from_parts(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body, exchange: 0 }
    }

    /// HTTP status; 200 for a file.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The number of this exchange within the current call: what a record's provenance refers to.
    #[must_use]
    pub fn exchange(&self) -> u32 {
        self.exchange
    }

    /// The body as a type, which may borrow from it.
    ///
    /// # Errors
    /// As [`Failure::from`] a JSON error, with the pointer to the place in the body.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_json::<T>(error))
    }

    fn not_json<'a, T: Deserialize<'a>>(&'a self, error: serde_json::Error) -> Failure {
        let mut failure = Failure::from(error);
        if let Err(place) = locate::parse::<T>(&self.body) {
            failure.message = format!("the answer ({}) is not what was expected: {place}", self.kind_of_body());
        }
        failure
    }

    /// For messages: the content type and the size, never the content.
    pub(crate) fn kind_of_body(&self) -> String {
        let kind: String = self.header("content-type").unwrap_or("no content type").chars().take(60).collect();
        format!("status {}, {kind}, {} bytes", self.status, self.body.len())
    }

    /// This response if its status is 2xx.
    ///
    /// # Errors
    /// 401 is [`FailureKind::AuthRequired`](crate::FailureKind), 403 [`NotGranted`](crate::FailureKind), 429
    /// [`RateLimited`](crate::FailureKind) with the vendor's wait, 408 and 5xx
    /// [`UpstreamUnavailable`](crate::FailureKind), 400 and 422 and any other
    /// [`UpstreamChanged`](crate::FailureKind), 404 and 410 [`BadConfig`](crate::FailureKind): an address that the
    /// vendor does not have. A vendor that means something else by a status is asked with [`Response::status`].
    pub fn ok(self) -> Result<Self, Failure> {
        let status = self.status;
        let failure = match status {
            200..=299 => return Ok(self),
            401 => Failure::auth_required("the vendor refused the credential (401): check the secret of the slot"),
            403 => Failure::not_granted("the vendor forbids this (403): give the credential the permission it lacks"),
            404 | 410 => {
                Failure::bad_config(format!("the vendor has nothing at this address ({status}): check the URL"))
            }
            429 => Failure::rate_limited("the vendor asks to slow down (429)"),
            408 | 500..=599 => Failure::upstream_unavailable(format!("the vendor could not answer ({status})")),
            _ => Failure::upstream_changed(format!(
                "the vendor answered in a way that is not known: {}",
                self.kind_of_body()
            )),
        };
        Err(match self.retry_after_ms() {
            Some(wait_ms) => failure.with_code(status.to_string()).after_ms(wait_ms),
            None => failure.with_code(status.to_string()),
        })
    }

    /// `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3).
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(seconds.saturating_mul(1000));
        }
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
        u64::try_from(at.saturating_sub(clock::now_ms())).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::FailureKind;
    use crate::testing::Host;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Response::from_parts(status, headers, body.into())
    }

    #[test]
    fn each_status_has_the_kind_that_decides_what_happens_next() {
        let cases = [
            (401, FailureKind::AuthRequired),
            (403, FailureKind::NotGranted),
            (404, FailureKind::BadConfig),
            (429, FailureKind::RateLimited),
            (500, FailureKind::UpstreamUnavailable),
            (503, FailureKind::UpstreamUnavailable),
            (302, FailureKind::UpstreamChanged),
            (422, FailureKind::UpstreamChanged),
        ];
        for (status, kind) in cases {
            assert_eq!(response(status, &[], "").ok().unwrap_err().kind, kind, "{status}");
        }
        assert!(response(204, &[], "").ok().is_ok());
    }

    #[test]
    fn the_wait_that_a_vendor_asks_for_is_read_as_seconds_and_as_a_date() {
        assert_eq!(response(429, &[("Retry-After", "7")], "").ok().unwrap_err().retry_after_ms, Some(7000));
        let dated = response(503, &[("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT")], "");
        let failure = Host::new().at_ms(20_000).run(|| dated.ok()).unwrap_err();
        assert_eq!(failure.retry_after_ms, Some(40_000));
        assert_eq!(response(429, &[("retry-after", "soon")], "").retry_after_ms(), None);
    }

    #[test]
    fn html_where_json_was_expected_is_told_by_its_type_and_not_quoted() {
        let failure =
            response(200, &[("content-type", "text/html")], "<html>Alice</html>").json::<Vec<u8>>().unwrap_err();
        assert_eq!(failure.kind, FailureKind::UpstreamChanged);
        assert!(failure.message.contains("text/html") && !failure.message.contains("Alice"), "{failure}");
    }
}
