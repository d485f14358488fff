//! What crosses: requests, responses, and the exchange that is kept of them.

use bytes::Bytes;
use renmen_schema::id::SlotName;

/// A request as a connector states it: nothing in it is trusted.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute URL; `drop:///name` for a file of the connection's drop directory.
    pub url: String,
    /// In the connector's order.
    pub headers: Vec<(String, String)>,
    /// Body bytes.
    pub body: Option<Bytes>,
    /// The slot whose credential is to be added.
    pub slot: Option<SlotName>,
}

/// What a connector gets to see of an answer: live secrets and cookies taken out.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status; 200 for a file.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// Decompressed body within the connection's cap.
    pub body: Bytes,
}

/// One request with its response, as it is kept: no credential, no cookie, no live secret in any part.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// URL without the credential.
    pub url: String,
    /// The connector's headers.
    pub request_headers: Vec<(String, String)>,
    /// The connector's body.
    pub request_body: Option<Bytes>,
    /// What the connector saw.
    pub response: Response,
    /// When the answer was complete, in milliseconds since the epoch.
    pub at_ms: i64,
    /// From the first byte sent to the last byte read.
    pub took_ms: u32,
}

impl Exchange {
    /// The identity of the request alone (method, URL, headers, body, slot name): by this a tape finds its answer.
    #[must_use]
    pub fn key_of(request: &Request) -> RequestKey {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(request.method.as_bytes());
        part(request.url.as_bytes());
        for (name, value) in &request.headers {
            part(name.to_ascii_lowercase().as_bytes());
            part(value.as_bytes());
        }
        part(request.body.as_deref().unwrap_or_default());
        part(request.slot.as_ref().map_or("", SlotName::as_str).as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        RequestKey(key)
    }
}

/// See [`Exchange::key_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestKey(pub [u8; 16]);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(url: &str, header: (&str, &str), body: Option<&'static str>, slot: Option<&str>) -> RequestKey {
        Exchange::key_of(&Request {
            method: "GET".into(),
            url: url.into(),
            headers: vec![(header.0.into(), header.1.into())],
            body: body.map(Bytes::from),
            slot: slot.map(|name| SlotName::new(name).unwrap()),
        })
    }

    #[test]
    fn a_request_is_known_by_each_of_its_parts() {
        let same = key("https://a.test/", ("X-A", "1"), Some("b"), Some("app"));
        assert_eq!(same, key("https://a.test/", ("x-a", "1"), Some("b"), Some("app")));
        for other in [
            key("https://a.test/2", ("x-a", "1"), Some("b"), Some("app")),
            key("https://a.test/", ("x-a", "2"), Some("b"), Some("app")),
            key("https://a.test/", ("x-a", "1"), Some("c"), Some("app")),
            key("https://a.test/", ("x-a", "1"), Some("b"), Some("app2")),
            key("https://a.test/", ("x-a", "1"), Some("b"), None),
            key("https://a.test/", ("x-a1", ""), Some("b"), Some("app")),
        ] {
            assert_ne!(same, other);
        }
    }
}
