//! Events as the company makes them: sent to a callback's address, or over Stream mode, again and again until they are taken.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::{APP_KEY, Company, Keys};
use crate::http;

/// What the vendor keeps of one event.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: Value,
    pub born_ms: i64,
    /// Who took it: `callback` or `stream`; `None` as long as no one has.
    pub taken_by: Option<&'static str>,
    /// How often it was sent.
    pub sent: u32,
}

/// Events and those who wait for them.
#[derive(Debug)]
pub struct Events {
    pub all: Vec<Event>,
    /// Connections of Stream mode that are open now.
    pub connections: usize,
    /// Connections of Stream mode that were ever opened.
    pub opened: usize,
    /// Tickets that open one connection each.
    pub tickets: Vec<String>,
    pub(super) news: broadcast::Sender<Signal>,
}

/// What the connections of Stream mode are told.
#[derive(Debug, Clone)]
pub(super) enum Signal {
    /// Something waits to be sent.
    News,
    /// The vendor wants them to reconnect.
    Disconnect,
    /// The network breaks.
    Cut,
}

impl Default for Events {
    fn default() -> Self {
        Self { all: Vec::new(), connections: 0, opened: 0, tickets: Vec::new(), news: broadcast::channel(64).0 }
    }
}

/// Something happens in the company: it is kept, and every open connection is told. Returns the event's id.
pub fn happen(company: &Company, kind: &str, data: Value) -> String {
    let mut state = company.lock().unwrap();
    let id = format!("event{:06}", state.events.all.len() + 1);
    let born_ms = jiff::Timestamp::now().as_millisecond();
    state.events.all.push(Event { id: id.clone(), kind: kind.into(), data, born_ms, taken_by: None, sent: 0 });
    let _ = state.events.news.send(Signal::News);
    id
}

/// Tells every open connection to reconnect.
pub fn disconnect(company: &Company) {
    let _ = company.lock().unwrap().events.news.send(Signal::Disconnect);
}

/// Every open connection breaks.
pub fn cut(company: &Company) {
    let _ = company.lock().unwrap().events.news.send(Signal::Cut);
}

/// The flat body of a callback.
pub fn flat(event: &Event) -> Value {
    let mut body = json!({
        "EventType": event.kind, "EventTime": event.born_ms, "CorpId": "dingsimcorp", "BizId": event.id, "eventId": event.id,
    });
    let data = event.data.as_object().cloned().unwrap_or_default();
    body.as_object_mut().unwrap().extend(data);
    body
}

/// The company's keys for callbacks; canaries, they must turn up nowhere.
#[must_use]
pub fn keys() -> Keys {
    Keys {
        token: "canaryCallbackToken7d".into(),
        aes_key: "canaryAESkey0123456789abcdefghijklmnopqrsAA".into(),
        owner: APP_KEY.into(),
    }
}

/// What one delivery of a callback came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub status: u16,
    /// The answer is an encrypted and signed `success`.
    pub success: bool,
    pub took: Duration,
}

/// How long the vendor waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(2_500);

/// Calls back: `url` is what a company enters in the console, without query.
pub async fn call_back(url: &str, event: &Event, keys: &Keys) -> Delivered {
    let (query, body) = keys.close(&flat(event).to_string(), jiff::Timestamp::now().as_millisecond());
    post(&format!("{url}?{query}"), &body.to_string(), keys).await
}

/// Sends every event that no one has taken, in order; one that is not answered with `success` waits for the next time.
pub async fn call_back_all(company: &Company, url: &str, keys: &Keys) -> Vec<Delivered> {
    let waiting: Vec<Event> =
        company.lock().unwrap().events.all.iter().filter(|event| event.taken_by.is_none()).cloned().collect();
    let mut delivered = Vec::new();
    for event in waiting {
        let one = call_back(url, &event, keys).await;
        if one.success {
            let mut state = company.lock().unwrap();
            let event = state.events.all.iter_mut().find(|kept| kept.id == event.id).unwrap();
            event.taken_by = Some("callback");
        }
        delivered.push(one);
    }
    delivered
}

/// The vendor's own client: one request on a connection of its own, and no redirects.
pub async fn post(url: &str, body: &str, keys: &Keys) -> Delivered {
    let started = Instant::now();
    let answered = http::ask("POST", url, &[], body, ANSWER_WITHIN).await;
    let (status, body) = answered.map(|answer| (answer.status, answer.body)).unwrap_or_default();
    // A short answer without a length comes in chunks: what is JSON begins with the first brace and ends with the last.
    let json = body.find('{').zip(body.rfind('}')).map_or("", |(from, to)| &body[from..=to]);
    let answer: Value = serde_json::from_str(json).unwrap_or_default();
    let success = status == 200 && keys.open(&answer).as_deref() == Some("success");
    Delivered { status, success, took: started.elapsed() }
}
