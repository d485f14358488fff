//! The two tapes of the kit: one that keeps what went over the network, and one that plays a fixture and sends nothing.

use std::sync::{Arc, Mutex, PoisonError};

use renmen_egress::{Exchange, Request, RequestKey, Tape};
use serde_json::Value;

/// Keeps every exchange in the order in which the answers came.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Arc<Exchange>>>);

impl Recorder {
    pub(crate) fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tape for Recorder {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }

    fn record(&self, _key: RequestKey, exchange: Arc<Exchange>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
}

/// Plays exchanges back and sends nothing. A request is known by its method, its URL and, where one was written down, its body: fixtures
/// hold no headers and no credentials. Of several that fit, the first that was not given yet is; after the last one that one again.
pub(crate) struct Played {
    answers: Mutex<Vec<Answer>>,
    /// The first request that nothing answered.
    missed: Mutex<Option<String>>,
}

struct Answer {
    exchange: Arc<Exchange>,
    body: Option<Value>,
    given: bool,
}

impl Played {
    pub(crate) fn new(exchanges: &[Arc<Exchange>]) -> Self {
        let answer = |exchange: &Arc<Exchange>| {
            let body = exchange.request_body.as_deref().map(body_of);
            Answer { exchange: Arc::clone(exchange), body, given: false }
        };
        Self { answers: Mutex::new(exchanges.iter().map(answer).collect()), missed: Mutex::default() }
    }

    /// The first request that nothing answered: what a further fixture would have to hold.
    pub(crate) fn missed(&self) -> Option<String> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn miss(&self, request: &Request, sent: Option<&Value>) {
        let body = sent.map(|body| format!(" {body}")).unwrap_or_default();
        let asked = format!("{} {}{body}", request.method, request.url);
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(asked);
    }
}

/// A body as a fixture has it: JSON, or a text.
pub(crate) fn body_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

impl Tape for Played {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }

    fn recall_for(&self, request: &Request, _key: RequestKey) -> Option<Arc<Exchange>> {
        let sent = request.body.as_deref().map(body_of);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |answer: &Answer| {
            answer.exchange.method == request.method
                && answer.exchange.url == request.url
                && (answer.body.is_none() || answer.body == sent)
        };
        let fitting: Vec<usize> = (0..answers.len()).filter(|at| fits(&answers[*at])).collect();
        let chosen = fitting.iter().copied().find(|at| !answers[*at].given).or(fitting.last().copied());
        let Some(chosen) = chosen else {
            self.miss(request, sent.as_ref());
            return None;
        };
        answers[chosen].given = true;
        Some(Arc::clone(&answers[chosen].exchange))
    }

    fn record(&self, _key: RequestKey, _exchange: Arc<Exchange>) {}

    fn sealed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_egress::Response;

    use super::*;

    fn exchange(url: &str, body: Option<&'static str>, answer: &'static str) -> Arc<Exchange> {
        Arc::new(Exchange {
            method: "POST".into(),
            url: url.into(),
            request_headers: Vec::new(),
            request_body: body.map(Into::into),
            response: Response { status: 200, headers: Vec::new(), body: answer.into() },
            at_ms: 0,
            took_ms: 0,
        })
    }

    fn asked(played: &Played, url: &str, body: Option<&'static str>) -> Option<String> {
        let request = Request {
            method: "POST".into(),
            url: url.into(),
            headers: vec![("accept".into(), "a header that no fixture has".into())],
            body: body.map(Into::into),
            slot: None,
        };
        let found = played.recall_for(&request, Exchange::key_of(&request))?;
        Some(String::from_utf8_lossy(&found.response.body).into_owned())
    }

    #[test]
    fn a_request_is_known_by_method_url_and_body_and_the_nth_gets_the_nth_answer() {
        let played = Played::new(&[
            exchange("https://a.test/x", Some("a=1&b=2"), "form"),
            exchange("https://a.test/x", Some(r#"{ "a": 1 }"#), "first"),
            exchange("https://a.test/x", Some(r#"{"a":1}"#), "second"),
            exchange("https://a.test/y", None, "any body"),
        ]);
        let json = || asked(&played, "https://a.test/x", Some(r#"{"a":1}"#));
        assert_eq!([json(), json(), json()].map(Option::unwrap), ["first", "second", "second"]);
        assert_eq!(asked(&played, "https://a.test/x", Some("a=1&b=2")).as_deref(), Some("form"));
        assert_eq!(asked(&played, "https://a.test/y", Some("z")).as_deref(), Some("any body"));
        assert_eq!(asked(&played, "https://a.test/x", Some("a=2")), None);
        assert_eq!(asked(&played, "https://b.test/x", Some("a=1&b=2")), None);
        assert_eq!(played.missed().as_deref(), Some("POST https://a.test/x \"a=2\""), "the first");
    }
}
