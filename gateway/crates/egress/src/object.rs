//! Files in an S3-compatible storage: put and get by name, each request signed for itself. The key is used here alone and goes nowhere;
//! what goes out is an address that is good for one request of a few minutes.
//!
//! Addresses are `ENDPOINT/BUCKET/NAME`, which every such storage knows. The body is not part of the signature: https keeps it, and its
//! hash stands in the caller's own list of files.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use renmen_vault::Secret;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::{Connection, EgressError, Request};

/// How long an address is good for. Seconds.
const GOOD_FOR_S: u32 = 300;
/// Characters of an answer that are told.
const TOLD_CHARS_MAX: usize = 200;

/// Where files are kept.
pub struct ObjectStore {
    connection: Arc<Connection>,
    endpoint: Url,
    bucket: String,
    prefix: String,
    region: String,
    key: Key,
}

/// Who signs.
struct Key {
    id: String,
    secret: Zeroizing<String>,
}

/// The secret of the slot.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    access_key_id: String,
    secret_access_key: String,
}

impl ObjectStore {
    /// `credential` is JSON: `{"access_key_id": "…", "secret_access_key": "…"}`. The connection's grant must have the endpoint, with GET and
    /// PUT. `prefix` stands before every name; it may be empty.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] for a credential that is not of this form.
    pub fn new(
        connection: Arc<Connection>,
        (endpoint, bucket, prefix, region): (Url, &str, &str, &str),
        credential: &Secret,
    ) -> Result<Self, EgressError> {
        let given: Given = serde_json::from_str(credential.expose()).map_err(|_| {
            EgressError::BadRequest(
                "the key of the storage is not JSON with `access_key_id` and `secret_access_key` alone".into(),
            )
        })?;
        Ok(Self {
            connection,
            endpoint,
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            region: region.to_owned(),
            key: Key { id: given.access_key_id, secret: Zeroizing::new(given.secret_access_key) },
        })
    }

    /// Puts a file there, whole. One of this name is replaced.
    ///
    /// # Errors
    /// As [`Connection::send_once`]; [`EgressError::Unavailable`] for an answer that is not good.
    pub async fn put(&self, name: &str, body: Bytes) -> Result<(), EgressError> {
        let (status, answer) = self.ask("PUT", name, Some(body)).await?;
        if (200..300).contains(&status) { Ok(()) } else { Err(refused("PUT", status, &answer)) }
    }

    /// The bytes of a file; none where there is none.
    ///
    /// # Errors
    /// As of [`ObjectStore::put`].
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, EgressError> {
        match self.ask("GET", name, None).await? {
            (200, body) => Ok(Some(body)),
            (404, _) => Ok(None),
            (status, answer) => Err(refused("GET", status, &answer)),
        }
    }

    async fn ask(&self, method: &str, name: &str, body: Option<Bytes>) -> Result<(u16, Bytes), EgressError> {
        let url = self.address(method, name, Timestamp::now());
        let request = Request { method: method.to_owned(), url, headers: Vec::new(), body, slot: None };
        let answer = self.connection.send_once(request).await?.response;
        Ok((answer.status, answer.body))
    }

    /// The address of a file, signed for one method.
    fn address(&self, method: &str, name: &str, now: Timestamp) -> String {
        let base = self.endpoint.path().trim_end_matches('/');
        let mut path = format!("{base}/{}", encoded(&self.bucket));
        for segment in self.prefix.split('/').chain(name.split('/')).filter(|segment| !segment.is_empty()) {
            let _ = write!(path, "/{}", encoded(segment));
        }
        let host = match (self.endpoint.host_str().unwrap_or_default(), self.endpoint.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let query = self.key.signed((method, &host, &path), &self.region, now, GOOD_FOR_S);
        format!("{}://{host}{path}?{query}", self.endpoint.scheme())
    }
}

fn refused(method: &str, status: u16, answer: &[u8]) -> EgressError {
    // The storage's own code and message; it has no secret of ours.
    let told: String =
        String::from_utf8_lossy(answer).chars().filter(|c| !c.is_control()).take(TOLD_CHARS_MAX).collect();
    EgressError::Unavailable(format!("the storage answered {status} to {method}: {told}"))
}

impl Key {
    /// The query by which an address is good, for so many seconds.
    fn signed(
        &self,
        (method, host, path): (&str, &str, &str),
        region: &str,
        now: Timestamp,
        good_for_s: u32,
    ) -> String {
        let (time, day) = (now.strftime("%Y%m%dT%H%M%SZ").to_string(), now.strftime("%Y%m%d").to_string());
        let scope = format!("{day}/{region}/s3/aws4_request");
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={time}&X-Amz-Expires={good_for_s}&X-Amz-SignedHeaders=host",
            encoded(&format!("{}/{scope}", self.id))
        );
        let asked = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex::encode(Sha256::digest(asked.as_bytes())));
        let first = Zeroizing::new(format!("AWS4{}", *self.secret));
        let mut key = hmac(first.as_bytes(), day.as_bytes());
        for part in [region, "s3", "aws4_request"] {
            key = hmac(&key[..], part.as_bytes());
        }
        format!("{query}&X-Amz-Signature={}", hex::encode(&hmac(&key[..], text.as_bytes())[..]))
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Everything but letters, digits, `-`, `.`, `_` and `~` as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of the protocol's own description: an address that is good for a day.
    #[test]
    fn an_address_is_signed_as_the_protocol_says() {
        let key = Key {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        };
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let query = key.signed(("GET", "examplebucket.s3.amazonaws.com", "/test.txt"), "us-east-1", now, 86_400);
        assert!(
            query.ends_with("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
            "{query}"
        );
    }

    #[test]
    fn a_name_is_encoded_as_it_is_signed() {
        assert_eq!(encoded("day=2026-11-29"), "day%3D2026-11-29");
        assert_eq!(encoded("a b/é~"), "a%20b%2F%C3%A9~");
    }
}
