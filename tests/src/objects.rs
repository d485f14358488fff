//! An S3-compatible storage: it keeps files by name, and refuses a request that is not signed as the protocol says, is signed for another
//! method or name, or too old.
//!
//! `PUT` and `GET /BUCKET/NAME` with the signature in the query. Written from the protocol's description, not from what the gateway sends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Who may.
pub const KEY_ID: &str = "made-up-key-id";
/// And by which secret.
pub const SECRET: &str = "made-up-secret-access-key";
/// The only bucket.
pub const BUCKET: &str = "warehouse";
const REGION: &str = "us-east-1";
const BODY_BYTES_MAX: usize = 64 << 20;

/// What it keeps.
#[derive(Debug, Default)]
pub struct Storage {
    /// By name, without the bucket.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Names in the order in which they were put.
    pub order: Vec<String>,
    /// So many requests are taken; each after them is answered with 503. None: all.
    pub takes: Option<usize>,
}

/// Shared with tests.
pub type Files = Arc<Mutex<Storage>>;

/// The simulator's routes.
pub fn router(files: Files) -> Router {
    Router::new().fallback(answer).with_state(files)
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}

async fn answer(State(files): State<Files>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    if let Err(code) = check(parts.method.as_str(), &host, parts.uri.path(), &query) {
        return refuse(StatusCode::FORBIDDEN, code);
    }
    let path = percent_decoded(parts.uri.path());
    let Some(name) = path.strip_prefix(&format!("/{BUCKET}/")).map(str::to_owned) else {
        return refuse(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let Ok(bytes) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return refuse(StatusCode::BAD_REQUEST, "EntityTooLarge");
    };
    let mut storage = files.lock().unwrap();
    match parts.method.as_str() {
        "PUT" => put(&mut storage, name, &bytes),
        "GET" => match storage.files.get(&name) {
            Some(file) => file.clone().into_response(),
            None => refuse(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn put(storage: &mut Storage, name: String, bytes: &Bytes) -> Response {
    if let Some(left) = &mut storage.takes {
        if *left == 0 {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
        }
        *left -= 1;
    }
    storage.files.insert(name.clone(), bytes.to_vec());
    storage.order.push(name);
    StatusCode::OK.into_response()
}

fn check(method: &str, host: &str, path: &str, query: &str) -> Result<(), &'static str> {
    let given: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let of = |name: &str| given.get(name).copied().ok_or("MissingParameter");
    let (time, signature, lasts) = (of("X-Amz-Date")?, of("X-Amz-Signature")?, of("X-Amz-Expires")?);
    if of("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" || of("X-Amz-SignedHeaders")? != "host" {
        return Err("AuthorizationQueryParametersError");
    }
    let day = time.get(..8).ok_or("AuthorizationQueryParametersError")?;
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    if percent_decoded(of("X-Amz-Credential")?) != format!("{KEY_ID}/{scope}") {
        return Err("InvalidAccessKeyId");
    }
    let begun = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", time).and_then(|time| time.to_datetime());
    let begun = begun.map_err(|_| "AuthorizationQueryParametersError")?;
    let begun = begun.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| "AuthorizationQueryParametersError")?;
    let age_s = jiff::Timestamp::now().as_second() - begun.timestamp().as_second();
    if age_s > lasts.parse().unwrap_or(0) || age_s < -900 {
        return Err("RequestTimeTooSkewed");
    }
    // Every parameter but the signature, sorted by name.
    let signed: Vec<String> = given
        .iter()
        .filter(|(name, _)| **name != "X-Amz-Signature")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let asked = format!("{method}\n{path}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", signed.join("&"));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(asked.as_bytes())));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [day, REGION, "s3", "aws4_request"] {
        key = keyed(&key, part);
    }
    if hex(&keyed(&key, &text)) == signature { Ok(()) } else { Err("SignatureDoesNotMatch") }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
