//! What the simulators of small vendors have in common: who is let in, who must slow down, what was asked and written, and how an event is
//! signed.
//!
//! Owns no vendor's words: each vendor is a [`Vendor`] of its own, which sees one request after the other and answers it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

/// A request, as a vendor sees it.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body where it is JSON; a form as an object of texts; otherwise null.
    pub body: Value,
    /// Where the simulator is reached: `http://127.0.0.1:4711`.
    pub base: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// Null for nothing at all; a text stands as it is where a header says that it is not JSON.
    pub body: Value,
}

/// One vendor: its rules and what it holds.
pub trait Vendor: Send + 'static {
    /// Is the credential good? What is said where it is not.
    ///
    /// # Errors
    /// The refusal.
    fn admit(&self, ask: &Ask) -> Result<(), Told>;
    /// What is said to one who asks too often.
    fn busy(&self) -> Told;
    /// Does the request count against the limit on requests?
    fn is_limited(&self, _ask: &Ask) -> bool {
        true
    }
    /// The answer to a request whose credential is good.
    fn answer(&mut self, ask: &Ask) -> Told;
}

/// A vendor behind its door.
#[derive(Debug)]
pub struct Office<V> {
    pub vendor: V,
    /// Every request that came, refused ones too.
    pub asked: Vec<Ask>,
    /// So many more requests are told to slow down.
    pub busy: u32,
}

/// Shared with tests.
pub type Shared<V> = Arc<Mutex<Office<V>>>;

/// Opens a vendor's door.
pub fn open<V: Vendor>(vendor: V) -> Shared<V> {
    Arc::new(Mutex::new(Office { vendor, asked: Vec::new(), busy: 0 }))
}

impl<V> Office<V> {
    /// How often a path was asked for with a method.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.asked.iter().filter(|ask| ask.method == method && ask.path == path).count()
    }
}

/// The simulator's routes: every path is the vendor's own matter.
pub fn router<V: Vendor>(office: Shared<V>) -> Router {
    Router::new().fallback(take::<V>).with_state(office)
}

async fn take<V: Vendor>(
    State(office): State<Shared<V>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default();
    let base = format!("http://{}", headers.get("host").map_or("", String::as_str));
    let ask = Ask {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query,
        body: body_of(&headers, &body),
        headers,
        base,
    };
    let mut office = office.lock().unwrap();
    office.asked.push(ask.clone());
    let told = match office.vendor.admit(&ask) {
        Err(refusal) => refusal,
        Ok(()) if office.busy > 0 && office.vendor.is_limited(&ask) => {
            office.busy -= 1;
            office.vendor.busy()
        }
        Ok(()) => office.vendor.answer(&ask),
    };
    told.into_response()
}

fn body_of(headers: &BTreeMap<String, String>, body: &Bytes) -> Value {
    let is_form = headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    let form = Uri::builder().path_and_query(format!("/?{}", String::from_utf8_lossy(body))).build();
    let pairs = form.ok().and_then(|uri| Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok());
    pairs.map(|Query(pairs)| json!(pairs)).unwrap_or_default()
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let is_text = self.headers.iter().any(|(name, _)| *name == "content-type");
        let body = match self.body {
            Value::Null => String::new(),
            Value::String(text) if is_text => text,
            other => other.to_string(),
        };
        let status = StatusCode::from_u16(self.status).unwrap();
        let mut response = (status, [("content-type", "application/json")], body).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
        }
        response
    }
}

impl Told {
    /// Good, with a body.
    pub fn good(body: Value) -> Self {
        Self::of(200, body)
    }

    /// Any status with a body.
    pub fn of(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Ask {
    /// The path's segments below a prefix; nothing for another path.
    pub fn below(&self, prefix: &str) -> Vec<&str> {
        let rest = self.path.strip_prefix(prefix).unwrap_or_default();
        rest.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// The first parameter that the vendor does not know.
    pub fn stranger(&self, known: &[&str]) -> Option<&str> {
        self.query.keys().map(String::as_str).find(|name| !known.contains(name))
    }

    /// A parameter that is a number from 1 to `most`; `usual` where it is absent.
    ///
    /// # Errors
    /// Something else.
    pub fn size(&self, name: &str, usual: usize, most: usize) -> Result<usize, String> {
        match self.query.get(name) {
            None => Ok(usual),
            Some(text) => match text.parse() {
                Ok(size) if (1..=most).contains(&size) => Ok(size),
                _ => Err(format!("{name} must be between 1 and {most}")),
            },
        }
    }

    /// Is the credential of HTTP Basic these two?
    pub fn is_basic(&self, user: &str, password: &str) -> bool {
        let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        self.headers.get("authorization") == Some(&wanted)
    }

    /// Is this the bearer token?
    pub fn is_bearer(&self, token: &str) -> bool {
        self.headers.get("authorization").is_some_and(|given| *given == format!("Bearer {token}"))
    }
}

/// A time in milliseconds since 1970.
pub fn ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// This moment in seconds since 1970.
pub fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// HMAC-SHA256 of the pieces one after the other, in hexadecimal digits.
pub fn hmac_sha256(key: &str, pieces: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    pieces.iter().for_each(|piece| mac.update(piece.as_bytes()));
    hex::encode(mac.finalize().into_bytes())
}

/// HMAC-SHA1 likewise.
pub fn hmac_sha1(key: &str, pieces: &[&str]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    pieces.iter().for_each(|piece| mac.update(piece.as_bytes()));
    hex::encode(mac.finalize().into_bytes())
}
