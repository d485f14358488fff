//! What a delivery holds, once the gateway has proved and opened it as `[webhook.proof]` of plugin.toml says. Page "步骤三：接收事件".
//!
//! Only encrypted deliveries are taken: without an Encrypt Key the vendor signs nothing, and its verification token travels in
//! clear.
//!
//! An app has one request URL for events of both versions. Version 2.0 has a `header`; version 1.0 has `uuid` and `event.type`
//! instead (page "审批实例状态变更"; `EventDispatcherHandler.do` of lark-oapi, which calls them `p2` and `p1`). Both are encrypted and
//! signed in the same way.

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
    /// `hire.application.stage_changed_v1`, or of version 1.0 `approval_instance`.
    pub(super) kind: String,
    /// When it was made, in milliseconds. Version 1.0 tells only when it was sent.
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
    /// Version 1.0: the id of the event.
    uuid: Option<String>,
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

/// What an event of version 1.0 says of itself, among what it is about.
#[derive(Deserialize)]
struct OldHead {
    #[serde(rename = "type")]
    kind: String,
}

/// # Errors
/// `AuthRequired` for what the gateway did not open, `InvalidInput` for an event of an unknown shape.
pub(super) fn open(delivery: &Delivery) -> Result<Opened, Failure> {
    let Some(opened) = &delivery.opened else {
        return Err(Failure::auth_required("a delivery that the gateway did not prove"));
    };
    let Ok(plain) = serde_json::from_slice::<Plain<'_>>(opened) else {
        return Err(Failure::invalid_input("the event is signed, but is not a JSON object of a known shape"));
    };
    if plain.kind.as_deref() == Some("url_verification") {
        let missing = || Failure::invalid_input("a question about the address without a `challenge`");
        return plain.challenge.map(Opened::Challenge).ok_or_else(missing);
    }
    let about = plain.event.map_or("null", RawValue::get);
    let event = match (plain.header, plain.uuid) {
        (Some(header), _) => Event {
            id: header.event_id,
            kind: header.event_type,
            created_ms: header.create_time,
            about: about.to_owned(),
        },
        (None, Some(uuid)) => Event { id: uuid, kind: old_kind(about)?, created_ms: None, about: about.to_owned() },
        (None, None) => {
            let message = "the event has neither the `header` of version 2.0 nor the `uuid` of version 1.0";
            return Err(Failure::invalid_input(message));
        }
    };
    Ok(Opened::Event(event))
}

/// The type of an event of version 1.0.
fn old_kind(about: &str) -> Result<String, Failure> {
    let head = serde_json::from_str::<OldHead>(about);
    head.map(|head| head.kind).map_err(|_| Failure::invalid_input("an event of version 1.0 without an `event.type`"))
}
