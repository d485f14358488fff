//! Events of the vendor's own accord, through two doors: an encrypted and signed HTTP callback, which the gateway proves, opens and
//! answers as `[webhook.proof]` and `[webhook.answer]` of plugin.toml say, and a frame of Stream mode, whose connection the gateway
//! has opened itself. Behind both stands the same event.
//!
//! Official pages: "开发 HTTP 模式" and "开发 Stream 模式" of the event subscription; the library dingtalk-callback-Crypto.

mod event;

use renmen_plugin::{Answer, Delivery, Failure, Outcome, info, word};
use serde::Deserialize;
use serde_json::value::RawValue;

use event::Event;

/// The method of a delivery that the gateway took from its own connection to the vendor. No HTTP request can have it: the
/// gateway's intake knows `GET` and `POST` alone.
const STREAM: &str = "STREAM";

/// What the vendor wants to read.
const SUCCESS: &str = "success";

/// Says what is to be read.
///
/// # Errors
/// [`FailureKind::InvalidInput`](renmen_plugin::FailureKind) for a delivery that is not an event.
pub fn receive(delivery: &Delivery) -> Result<Outcome, Failure> {
    match (&delivery.opened, delivery.method.as_str()) {
        (Some(message), _) => of_callback(message),
        (None, STREAM) => of_stream(delivery),
        (None, other) => {
            Err(Failure::invalid_input(format!("a {other} that the gateway did not decrypt is not an event")))
        }
    }
}

fn of_callback(message: &[u8]) -> Result<Outcome, Failure> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "EventType")]
        kind: String,
        #[serde(rename = "EventTime", default)]
        time: Option<i64>,
        #[serde(rename = "BizId", default)]
        business: Option<String>,
        #[serde(rename = "eventId", default)]
        id: Option<String>,
    }
    let head: Head = read(message)?;
    // Events of the old kind have no id; what the vendor sends again is then known by these three.
    let otherwise = || Some(format!("{}/{}/{}", head.kind, head.business.as_ref()?, head.time?));
    let event = Event { kind: &head.kind, body: message };
    let Outcome { delivery_id, refresh, .. } = outcome(&event, head.id.clone().or_else(otherwise))?;
    Ok(Outcome { delivery_id, refresh, ..Outcome::sealed(SUCCESS) })
}

/// The frame's headers name the event; the body is its data.
fn of_stream(delivery: &Delivery) -> Result<Outcome, Failure> {
    let kind = delivery
        .header("eventType")
        .ok_or_else(|| Failure::invalid_input("a frame without the header `eventType` is not an event"))?;
    let id = delivery.header("eventId").or_else(|| delivery.header("messageId")).map(str::to_owned);
    let mut outcome = outcome(&Event { kind, body: &delivery.body }, id)?;
    outcome.answer = Answer {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: br#"{"status":"SUCCESS","message":"success"}"#.to_vec(),
        sealed: false,
    };
    Ok(outcome)
}

fn outcome(event: &Event<'_>, delivery_id: Option<String>) -> Result<Outcome, Failure> {
    // Parsed only to check its shape: a body that is not a JSON object is not an event, even if its type is known.
    let _: std::collections::BTreeMap<String, &RawValue> = read(event.body)?;
    let refresh = event.refresh()?;
    if refresh.is_empty() && !event.says_nothing() {
        info!("event {} is not used: it is kept, and nothing is read", word(event.kind));
    }
    Ok(Outcome { delivery_id, refresh, ..Outcome::default() })
}

/// What a vendor sent is never quoted.
fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Failure> {
    renmen_plugin::locate::parse(json).map_err(|fault| Failure::invalid_input(format!("the event: {fault}")))
}
