//! What a connector asks for.

use std::fmt::Display;

use serde::Serialize;

use super::Response;
use crate::{Failure, host};

/// One request, built and then sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) slot: Option<String>,
    /// A body that could not be made; told when it is sent, so that building needs no `?`.
    broken: Option<Failure>,
}

impl Request {
    /// `GET` of an absolute URL; `drop:///` for the connection's drop directory.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST` to an absolute URL.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Any method.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: None, slot: None, broken: None }
    }

    /// Adds one segment to the path, percent-encoded: an id from outside names one thing below this path, no matter what it holds, and nothing
    /// else. Before and after [`Request::query`] it does the same.
    ///
    /// Empty, `.` and `..` cannot be a segment: the request is then not sent, and sending it says so.
    #[must_use]
    pub fn segment(mut self, text: impl AsRef<str>) -> Self {
        match path_segment(text.as_ref()) {
            Ok(segment) => {
                let end = self.url.find('?').unwrap_or(self.url.len());
                let slash = if self.url[..end].ends_with('/') { "" } else { "/" };
                self.url.insert_str(end, &format!("{slash}{segment}"));
            }
            Err(failure) => self.broken = self.broken.or(Some(failure)),
        }
        self
    }

    /// Adds a query parameter, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        encode_into(&mut self.url, name);
        self.url.push('=');
        encode_into(&mut self.url, &value.to_string());
        self
    }

    /// Adds a query parameter if there is one.
    #[must_use]
    pub fn query_some(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header. The gateway refuses those that carry credentials (name a [`Request::slot`] instead) and those that make a
    /// proxy act as if another URL, method or host had been asked (`x-original-url`, `forwarded`, `x-http-method-override`, …).
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The slot whose credential the gateway adds.
    #[must_use]
    pub fn slot(mut self, slot: impl Into<String>) -> Self {
        self.slot = Some(slot.into());
        self
    }

    /// A JSON body with its content type.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body(bytes).header("content-type", "application/json"),
            Err(error) => {
                self.broken = Some(Failure::internal(format!("a request body is not valid JSON: {error}")));
                self
            }
        }
    }

    /// A body as it is.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it. Every status is a response; [`Response::ok`] turns the bad ones into failures.
    ///
    /// # Errors
    /// What gave no usable answer: not granted, no credential, vendor down, a budget used up.
    pub fn send(self) -> Result<Response, Failure> {
        self.sound().and_then(host::send)
    }

    /// Names this request to the gateway before it is sent: as the next one of this call, or of the call for the next page. The gateway
    /// then fetches the answer while the connector maps the page that it has. Only `GET` is fetched so, one at a time, and it must be
    /// the very same request later: a clock or a random number in it makes it another one.
    ///
    /// It is a hint and answers nothing: a connector does the same with it and without. What is named in vain costs the vendor a
    /// request. [`ListEnds`](crate::ListEnds) tells where a list goes on before its page is mapped; `prefetch` of the helpers in
    /// [`paging`](crate::paging) does both.
    pub fn prefetch(self) {
        if let Ok(request) = self.sound() {
            host::prefetch(request);
        }
    }

    fn sound(mut self) -> Result<Self, Failure> {
        match self.broken.take() {
            Some(failure) => Err(failure),
            None => Ok(self),
        }
    }
}

/// Sends several at once, within the connection's rate; answers in the order of the requests.
#[must_use]
pub fn send_all(requests: Vec<Request>) -> Vec<Result<Response, Failure>> {
    let mut broken = Vec::new();
    let mut sound = Vec::with_capacity(requests.len());
    for (index, request) in requests.into_iter().enumerate() {
        match request.sound() {
            Ok(request) => sound.push(request),
            Err(failure) => broken.push((index, failure)),
        }
    }
    let mut answers = host::send_all(sound);
    for (index, failure) in broken {
        answers.insert(index, Err(failure));
    }
    answers
}

/// A text as one segment of a path, percent-encoded, for a URL that is put together by hand; see [`Request::segment`].
///
/// # Errors
/// `InvalidInput` for an empty text, `.` and `..`: encoded or not, a URL with them is read as another path.
pub fn path_segment(text: &str) -> Result<String, Failure> {
    if matches!(text, "" | "." | "..") {
        return Err(Failure::invalid_input(format!("an id that is `{text}` cannot be part of a path")));
    }
    let mut segment = String::with_capacity(text.len());
    encode_into(&mut segment, text);
    Ok(segment)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encode_into(url: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::Host;

    #[test]
    fn query_values_are_encoded_so_that_they_cannot_add_parameters() {
        let request =
            Request::get("https://hr.example/a").query("q", "张&x=1").query_some("none", None::<u8>).query("n", 5);
        assert_eq!(request.url, "https://hr.example/a?q=%E5%BC%A0%26x%3D1&n=5");
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let of = |id: &str| Request::get("https://hr.example/talents/").query("n", 5).segment(id).segment("notes");
        assert_eq!(of("69-4").url, "https://hr.example/talents/69-4/notes?n=5");
        assert_eq!(of("../jobs?x=张#").url, "https://hr.example/talents/..%2Fjobs%3Fx%3D%E5%BC%A0%23/notes?n=5");
        assert_eq!(of("%2e%2e").url, "https://hr.example/talents/%252e%252e/notes?n=5");
        for id in ["", ".", ".."] {
            let host = Host::new();
            let failure = host.run(|| of(id).send()).unwrap_err();
            assert_eq!((failure.kind, host.requests().len()), (crate::FailureKind::InvalidInput, 0), "{id}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_made_is_told_when_sent_and_sends_nothing() {
        let unmakeable = std::collections::BTreeMap::from([(vec![1_u8], 1)]);
        let host = Host::new();
        let failure = host.run(|| Request::post("https://hr.example").json(&unmakeable).send()).unwrap_err();
        assert_eq!(failure.kind, crate::FailureKind::Internal);
        assert!(host.requests().is_empty());
    }

    #[test]
    fn answers_to_many_come_in_the_order_asked_even_around_a_broken_one() {
        let host =
            Host::new().answer("GET", "https://hr.example/1", 200, "1").answer("GET", "https://hr.example/2", 200, "2");
        let unmakeable = std::collections::BTreeMap::from([(vec![1_u8], 1)]);
        let requests = vec![
            Request::get("https://hr.example/1"),
            Request::get("https://hr.example/x").json(&unmakeable),
            Request::get("https://hr.example/2"),
        ];
        let answers = host.run(|| send_all(requests));
        assert_eq!(answers[0].as_ref().unwrap().body(), b"1");
        assert!(answers[1].is_err());
        assert_eq!(answers[2].as_ref().unwrap().body(), b"2");
    }
}
