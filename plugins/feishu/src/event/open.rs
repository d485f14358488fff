//! What a delivery holds, once the gateway has proved and opened it as `[webhook.proof]` of plugin.toml says. Page "步骤三：接收事件".
//!
//! Only encrypted deliveries are taken: without an Encrypt Key the vendor signs nothing, and its verification token travels in
//! clear.

use renmen_plugin::{Delivery, Failure};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a delivery turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The vendor asks whether this address is ours, and has signed it: the answer repeats the text. Without a signature the
    /// gateway answers by itself.
    Challenge(String),
    /// Something happened.
    Event(Event),
}

/// Something that happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The vendor's id of it, the same each time that it is sent.
    pub(super) id: String,
    /// `hire.application.stage_changed_v1`.
    pub(super) kind: String,
    /// When it was made, in milliseconds.
    pub(super) created_ms: Option<i64>,
    /// JSON of what it is about.
    pub(super) about: String,
}

#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    challenge: Option<String>,
    header: Option<Header>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Header {
    event_id: String,
    event_type: String,
    #[serde(default, deserialize_with = "crate::api::loose::whole")]
    create_time: Option<i64>,
}

/// # Errors
/// `AuthRequired` for what the gateway did not open, `UpstreamChanged` for an event of an unknown shape.
pub(super) fn open(delivery: &Delivery) -> Result<Opened, Failure> {
    let Some(opened) = &delivery.opened else {
        return Err(Failure::auth_required("a delivery that the gateway did not prove"));
    };
    let Ok(plain) = serde_json::from_slice::<Plain<'_>>(opened) else {
        return Err(Failure::upstream_changed("an event that is no JSON object"));
    };
    if plain.kind.as_deref() == Some("url_verification") {
        let missing = || Failure::upstream_changed("a question about the address without a `challenge`");
        return plain.challenge.map(Opened::Challenge).ok_or_else(missing);
    }
    let Some(header) = plain.header else {
        return Err(Failure::upstream_changed("an event without a header: only events of version 2.0 are known here"));
    };
    Ok(Opened::Event(Event {
        id: header.event_id,
        kind: header.event_type,
        created_ms: header.create_time,
        about: plain.event.map_or_else(|| "null".to_owned(), |event| event.get().to_owned()),
    }))
}
